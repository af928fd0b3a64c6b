"""The network: arrays in, arrays out. Knows nothing of text, files or screens."""
