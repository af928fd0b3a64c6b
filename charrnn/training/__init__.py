"""From a text to a trained network: settings, the run, the training loop, budgets and defaults."""
