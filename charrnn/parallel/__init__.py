"""The same step on several cores."""
