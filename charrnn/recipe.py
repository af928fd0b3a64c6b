"""What is chosen where the user chose nothing, and why."""

from __future__ import annotations

from math import sqrt

LEARNING_RATES = {"rnn": 0.004, "gru": 0.008, "lstm": 0.01}  # Adam's, for LEARNING_HIDDEN units; gates bear more
LEARNING_HIDDEN = 256
DEFAULT_MINUTES = 3.0
MOST_EPOCHS = 30  # more than that, and a small text is learnt by heart
FEWEST_STEPS = 300
SHORT_TEXT = 30_000  # characters
STREAMS_A_SHARE = 8  # a matrix product with fewer columns wastes the processor


def learning_rate(cell: str, hidden: int) -> float:
    """The highest learning rate for a cell: wider layers want smaller steps, as one over the square root."""
    return float(f"{LEARNING_RATES[cell] * sqrt(LEARNING_HIDDEN / hidden):.2g}")


def dropout(characters: int) -> float:
    """The share of each layer's outputs to drop: what is short is learnt by heart within a few passes otherwise."""
    return 0.5 if characters < SHORT_TEXT else 0.1


def default_steps(epoch_steps: int) -> int:
    """The most steps that a run without a budget of its own makes, however fast they are."""
    return max(FEWEST_STEPS, MOST_EPOCHS * epoch_steps)


def shards(threads: int, batch_size: int) -> int:
    """Into how many shares the streams are split."""
    return max(1, min(threads, batch_size // STREAMS_A_SHARE))
