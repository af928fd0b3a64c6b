"""Characters and ids. Knows nothing of networks."""
