"""Sampling: drawing one character after another, as texts or as records, one a line."""

MAX_LENGTH = 1000  # characters of a record, by default; here because `--help` shows it and imports nothing else
