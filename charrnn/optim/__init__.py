"""From a gradient to the next weights: whitening, Adam, the learning-rate schedule."""
