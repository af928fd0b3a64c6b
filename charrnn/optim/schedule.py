"""The learning-rate schedule: a linear warm-up, then a half cosine down."""

from __future__ import annotations

from math import cos, pi

WARMUP = 40  # steps; does not depend on how many steps will follow
FINAL_LR = 0.02  # the share of lr that is left at the end of the decay


def learning_rate(step: int, lr: float, start: int, total: int | None) -> float:
    """The rate for `step` of a run whose budget goes from step `start` to step `total`.

    A linear warm-up over WARMUP steps, then a half cosine down to FINAL_LR * lr at the last step. During the warm-up
    `total` may be None: it is not known yet.
    Source: Loshchilov and Hutter, "SGDR" (2017).
    """
    done = step - start
    if done < WARMUP:
        return lr * (done + 1) / WARMUP
    return lr * (FINAL_LR + (1 - FINAL_LR) * 0.5 * (1 + cos(pi * decay_progress(step, start, total))))


def decay_progress(step: int, start: int, total: int | None) -> float:
    """The share that is done of all steps after the warm-up: 0 before, 1 at the last.

    So nothing that follows from it depends on `total` before that is known.
    """
    done = step - start - WARMUP + 1
    if done <= 0:
        return 0.0
    if total is None:
        raise ValueError("the total number of steps must be known when the warm-up ends")
    return min(1.0, done / (total - start - WARMUP))
