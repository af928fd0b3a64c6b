"""The learning-rate schedule: a linear warm-up, then a half cosine decay."""

from __future__ import annotations

from math import cos, pi

WARMUP = 40  # steps, whatever the length of the training
FINAL_LR = 0.02  # the rate after the decay, as a share of lr


def learning_rate(step: int, lr: float, start: int, total: int | None) -> float:
    """The learning rate for `step`, of a budget that goes from step `start` to step `total`.

    A linear warm-up over WARMUP steps, then a half cosine down to FINAL_LR * lr at the last step. `total` may be None
    during the warm-up; after it, that raises ValueError.
    Source: Loshchilov and Hutter, "SGDR" (2017).
    """
    done = step - start
    if done < WARMUP:
        return lr * (done + 1) / WARMUP
    return lr * (FINAL_LR + (1 - FINAL_LR) * 0.5 * (1 + cos(pi * decay_progress(step, start, total))))


def decay_progress(step: int, start: int, total: int | None) -> float:
    """How much of the decay is done: 0 during the warm-up, rising evenly to 1 at the last step.

    `total` may be None during the warm-up; after it, that raises ValueError.
    """
    done = step - start - WARMUP + 1
    if done <= 0:
        return 0.0
    if total is None:
        raise ValueError("the total number of steps must be known when the warm-up ends")
    return min(1.0, done / (total - start - WARMUP))
