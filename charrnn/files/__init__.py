"""Files: replaced whole, locked, read without trust. Knows nothing of models."""
