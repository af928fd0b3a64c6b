"""From a gradient to the next weights: clipping, whitening, Adam, the learning-rate schedule."""
