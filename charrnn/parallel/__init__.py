"""One training step on several cores."""
