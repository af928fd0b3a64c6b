"""A run as an .npz file."""
