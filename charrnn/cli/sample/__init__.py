"""The command `charrnn sample`."""
