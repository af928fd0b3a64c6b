"""What may be drawn, and how readily: small functions from logits to logits, which compose.

Logits are (V, n), one column a sample; -inf is a character that cannot be drawn. None of these functions changes what
it is given, and each leaves at least one character of a column possible if there was one, `forbid` apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..nn.params import Array

HOTTEST = 1e30  # a temperature at which all characters are alike, however their scores differ


def forbid(logits: Array, forbidden: npt.NDArray[np.bool_]) -> Array:
    """Make the characters marked in `forbidden` (V,) impossible; the others are left as they are."""
    left = logits.copy()
    left[forbidden] = -np.inf
    return left


def penalise(logits: Array, penalties: Array) -> Array:
    """logits - penalties, in nats: whatever was possible still is, but e^penalty times less likely."""
    return np.subtract(logits, penalties, dtype=logits.dtype)


def apply_temperature(logits: Array, temperature: float) -> Array:
    """logits / temperature: below 1 bolder, above 1 wilder; 0 leaves only the most likely (the first of equals).

    The logits are taken relative to the largest, so that no temperature overflows.
    """
    relative: Array = logits - logits.max(axis=0)
    if temperature == 0:
        greedy = np.full_like(relative, -np.inf)
        greedy[logits.argmax(axis=0), np.arange(logits.shape[1])] = 0
        return greedy
    with np.errstate(over="ignore"):
        relative /= min(temperature, HOTTEST)
    return relative


def keep_top_k(logits: Array, k: int) -> Array:
    """Leave the k most likely characters of each column (of equals, the first); the others become impossible."""
    if k >= len(logits):
        return logits
    order = np.argsort(-logits, axis=0, kind="stable")
    kept = logits.copy()
    np.put_along_axis(kept, order[k:], -np.inf, axis=0)
    return kept


def keep_top_p(logits: Array, p: float) -> Array:
    """Leave the fewest characters whose probability adds up to p, the most likely first; always at least one.

    Source: Holtzman et al., "The curious case of neural text degeneration" (2020), nucleus sampling.
    """
    if p >= 1:
        return logits
    order = np.argsort(-logits, axis=0, kind="stable")
    sorted_probs = np.take_along_axis(softmax(logits), order, axis=0)
    before = np.cumsum(sorted_probs, axis=0) - sorted_probs
    before[0] = -1
    kept = logits.copy()
    sorted_logits = np.take_along_axis(logits, order, axis=0)
    np.put_along_axis(kept, order, np.where(before < p, sorted_logits, -np.inf), axis=0)
    return kept


def softmax(logits: Array) -> Array:
    """Probabilities (V, n) from logits (V, n), column by column."""
    probs = np.exp(logits - logits.max(axis=0))
    return np.asarray(probs / probs.sum(axis=0))


def top_k_top_p(logits: Array, temperature: float, top_k: int, top_p: float) -> Array:
    """The logits (V, n) with -inf in place of those that top_k, and then top_p at this temperature, leave out."""
    if top_k:
        logits = keep_top_k(logits, top_k)
    if top_p < 1:
        kept = keep_top_p(apply_temperature(logits.astype(np.float64), temperature), top_p)
        logits = np.where(np.isfinite(kept), logits, -np.inf)
    return logits
