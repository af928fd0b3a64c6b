"""The network: arrays in, arrays out. Nothing here knows about texts, files or terminals."""
