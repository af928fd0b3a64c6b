"""Softmax and cross-entropy over columns: one column of V logits for each of N predictions.

Numbers such as (3) in comments name the line of examples/min_char_rnn.py that a line here implements.
"""

from __future__ import annotations

import numpy as np

from .params import Array


def softmax(logits: Array) -> Array:
    """p of each character in each column, where p = exp(logits) / sum(exp(logits)). Shape: (V, N)."""
    probs = np.exp(logits - logits.max(axis=0))
    return np.asarray(probs / probs.sum(axis=0))  # (3)


def log_softmax(logits: Array) -> Array:
    """ln p of each character in each column, where p = softmax(logits). Shape: (V, N)."""
    relative = logits - logits.max(axis=0)
    return np.asarray(relative - np.log(np.exp(relative).sum(axis=0)))


def nats(logits: Array, y: Array) -> Array:
    """-ln p(y) for each column, where p = softmax(logits). Shapes: logits (V, N), y (N,) -> (N,) nats."""
    relative = logits - logits.max(axis=0)
    targets = relative[y, np.arange(len(y))]
    return np.asarray(np.log(np.exp(relative, out=relative).sum(axis=0)) - targets)


def nats_and_gradient(logits: Array, y: Array, scale: float) -> float:
    """Return the sum of -ln p(y) over the columns, in nats, and overwrite `logits` with `scale` times its gradient.

    d(-ln p(y)) / dlogits = p - onehot(y). Shapes: logits (V, N), y (N,).
    """
    columns = np.arange(len(y))
    logits -= logits.max(axis=0)
    targets = logits[y, columns]
    np.exp(logits, out=logits)
    sums = logits.sum(axis=0)
    total = float(np.sum(np.log(sums) - targets, dtype=np.float64))  # (4)
    logits *= scale / sums  # (3)
    logits[y, columns] -= scale  # (5)
    return total
