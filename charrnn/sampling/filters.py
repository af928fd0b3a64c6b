"""Which characters may be drawn, and with what probability: small functions from logits to logits, which compose.

Logits are (V, n), one column for each sample; -inf marks a character that cannot be drawn. No function changes its
arguments. Each leaves at least one possible character in a column that had one, except `forbid`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import OptionError
from ..nn.loss import softmax
from ..nn.params import Array
from ..text.vocab import Vocab
from .params import SamplingParams, Text

Mask = npt.NDArray[np.bool_]

MAX_TEMPERATURE = 1e30  # here all characters are equally likely, however much their logits differ


def forbidden_characters(vocab: Vocab, ban: Text, allow: Text | None, always: int | None = None) -> Mask | None:
    """A mask (V,) of the characters that must not be drawn: those in `ban`, and those that are not in `allow`.

    None if there are none. The id `always` may be drawn in any case; it is the newline that ends a record. Characters
    that the vocabulary lacks are ignored. For a model of bytes, both strings stand for their bytes in UTF-8.
    Raises OptionError if no character is left.
    """
    forbidden = np.full(len(vocab), allow is not None)
    if allow is not None:
        forbidden[vocab.encode(allow, "skip")[0]] = False
    forbidden[vocab.encode(ban, "skip")[0]] = True
    nothing_left = forbidden.all()
    if always is not None:
        nothing_left, forbidden[always] = np.delete(forbidden, always).all(), False
    if nothing_left:
        raise OptionError(f"ban, allow: they leave no {vocab.unit} that this model can write; ban fewer or allow more")
    return forbidden if forbidden.any() else None


def forbid(logits: Array, forbidden: Mask) -> Array:
    """Make the characters marked in `forbidden` (V,) impossible; leave the others unchanged."""
    allowed = logits.copy()
    allowed[forbidden] = -np.inf
    return allowed


def penalise(logits: Array, penalties: Array) -> Array:
    """logits - penalties, in nats: a penalty divides the odds of its character by e^penalty. All are (V, n)."""
    return np.subtract(logits, penalties, dtype=logits.dtype)


def apply_temperature(logits: Array, temperature: float) -> Array:
    """logits / temperature, relative to the largest logit of the column so that nothing overflows. Shape: (V, n).

    At temperature 0 only the most likely character is left, the first one if several are equal.
    """
    relative: Array = logits - logits.max(axis=0)
    if temperature == 0:
        greedy = np.full_like(relative, -np.inf)
        greedy[logits.argmax(axis=0), np.arange(logits.shape[1])] = 0
        return greedy
    with np.errstate(over="ignore"):
        relative /= min(temperature, MAX_TEMPERATURE)
    return relative


def keep_top_k(logits: Array, k: int) -> Array:
    """Keep the k most likely characters of each column (the first of equals); make the others impossible."""
    if k >= len(logits):
        return logits
    order = np.argsort(-logits, axis=0, kind="stable")
    kept = logits.copy()
    np.put_along_axis(kept, order[k:], -np.inf, axis=0)
    return kept


def keep_top_p(logits: Array, p: float) -> Array:
    """Keep the fewest characters, the most likely first, whose probabilities add up to p; always at least one.

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


def top_k_top_p(logits: Array, params: SamplingParams) -> Array:
    """The logits (V, n) with -inf for the characters that top_k, or then top_p at this temperature, leaves out."""
    if params.top_k:
        logits = keep_top_k(logits, params.top_k)
    if params.top_p < 1:
        kept = keep_top_p(apply_temperature(logits.astype(np.float64), params.temperature), params.top_p)
        logits = np.where(np.isfinite(kept), logits, -np.inf)
    return logits
