"""From a text to a trained network: settings, the run, the training loop, budgets and defaults."""

# Defaults that `--help` shows; here because it imports nothing else.
DEFAULT_MINUTES = 3.0
MOST_DROPOUT = 0.5
