"""Sampling: drawing one character after another, as texts or as records, one a line."""
