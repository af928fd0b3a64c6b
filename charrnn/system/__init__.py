"""What the machine has: cores, memory, signals, speed."""
