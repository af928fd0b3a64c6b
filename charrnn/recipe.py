"""What is chosen where the user chose nothing, and why."""

from __future__ import annotations

LEARNING_RATES = {"rnn": 0.003, "gru": 0.006, "lstm": 0.006}  # Adam's, for 256 hidden units; gates bear more
DEFAULT_MINUTES = 3.0
MOST_EPOCHS = 100  # more than that, and a small text is learnt by heart
FEWEST_STEPS = 1000
STREAMS_A_SHARE = 8  # a matrix product with fewer columns wastes the processor


def default_steps(epoch_steps: int) -> int:
    """The most steps that a run without a budget of its own makes, however fast they are."""
    return max(FEWEST_STEPS, MOST_EPOCHS * epoch_steps)


def shards(threads: int, batch_size: int) -> int:
    """Into how many shares the streams are split."""
    return max(1, min(threads, batch_size // STREAMS_A_SHARE))
