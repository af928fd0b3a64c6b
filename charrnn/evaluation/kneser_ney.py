"""An interpolated n-gram model of characters: modified Kneser-Ney smoothing. A baseline to compare a network with.

Let c(hx) be the number of times that the string hx occurs in the training text, where h is the context, the n - 1
characters before x, and h' is h without its first character. Then

    p_n(x | h) = (c(hx) - D(c(hx)) + L(h) p_{n-1}(x | h')) / (sum over y of c(hy)),   L(h) = sum over y of D(c(hy))

down to p_0 = 1/V. Where h does not occur, p_n = p_{n-1}. In all orders below the highest, c(hx) is replaced by the
continuation count: the number of different characters that hx follows in the training text (an occurrence that nothing
precedes counts as one more). D is the discount. With n_i the number of strings of count i,

    D(0) = 0,  D(1) = 1 - 2 Y n_2 / n_1,  D(2) = 2 - 3 Y n_3 / n_2,  D(3 and more) = 3 - 4 Y n_4 / n_3,
    Y = n_1 / (n_1 + 2 n_2)

or 1/2 for all counts if one of these is not between 0 and its count. Source: Chen and Goodman, "An empirical study of
smoothing techniques for language modeling" (1999): interpolated modified Kneser-Ney.

In a text of records a context never goes back beyond the newline that the record begins after.

No table has V^n entries: the strings of n characters that occur are numbered, and a string of n + 1 characters is
written as the number of its first n and the id of its last (its code).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ..text.vocab import Ids

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

HIGHEST_ORDER = 9  # that `best_order` tries
HELD_OUT = 0.1  # of the training text, to choose the order by


class Grams(NamedTuple):
    """The different strings of n characters in a text, numbered in the order of their codes."""

    codes: Numbers  # V times the number of the string of all characters but the last, plus the last one's id
    counts: Numbers  # how often each occurs
    number_at: Numbers  # for each place of the text, the string that ends there; -1 if it would begin before the text


def ngram_nats(training: Ids, text: Ids, V: int, highest: int, reset_id: int | None = None) -> Iterator[Array]:
    """-ln p of each character of a text by the n-gram models of a training text, for n = 1, 2 ... `highest`.

    Ids are below V. `reset_id` is the id of the newline in texts of records. There are fewer orders if the training
    text has fewer characters. Takes about 110 bytes for each character of the training text, whatever V is.
    """
    lower = np.full(len(text), 1 / V)  # p_{n-1} of each character
    grams = _grams(np.zeros(len(training), np.int64), training, V)
    context = np.zeros(len(text), np.int64)  # for each place of the text, the number of h; -1 if it does not occur
    for n in range(1, highest + 1):
        if not len(grams.codes):
            return
        codes = np.where(context < 0, -1, context * V + text)
        place = np.searchsorted(grams.codes, codes).clip(max=len(grams.codes) - 1)
        known = grams.codes[place] == codes
        yield -np.log(_interpolated(grams.codes, grams.counts, V, context, place, known, lower))

        longer = _grams(_contexts(grams.number_at, training, n, reset_id), training, V)
        lower = _interpolated(grams.codes, _continuations(grams, longer), V, context, place, known, lower)
        context = _contexts(np.where(known, place, -1), text, n, reset_id)
        grams = longer


def best_order(training: Ids, V: int, reset_id: int | None = None) -> int:
    """The order that does best on a held-out part of the training text when fitted on the rest of it."""
    fitted, held_out = _split(training, reset_id)
    losses: list[float] = []
    for nats in ngram_nats(fitted, held_out, V, HIGHEST_ORDER, reset_id):
        losses.append(float(nats.sum()))
        if losses[-1] > min(losses):  # higher orders overfit
            break
    return int(np.argmin(losses)) + 1


def _split(training: Ids, reset_id: int | None) -> tuple[Ids, Ids]:
    """A part to fit on and a held-out part: the end of the text or, of records, some of them.

    All copies of a record are in the same part, so that no record that was learnt is held out.
    """
    if reset_id is not None:
        edges = np.append(np.flatnonzero(training == reset_id), len(training))
        records = (training[a:b].tobytes() for a, b in pairwise(edges.tolist()))
        chosen = np.array([crc32(record) % round(1 / HELD_OUT) == 0 for record in records], np.bool_)
        if chosen.any() and not chosen.all():
            held_out = np.repeat(np.append(False, chosen), np.diff(edges, prepend=0))
            return training[~held_out], training[held_out]
    cut = int(len(training) * (1 - HELD_OUT))
    return training[:cut], training[cut:]


def _grams(context: Numbers, text: Ids, V: int) -> Grams:
    """The strings that end at each place of a text. `context`: for each, the number of the string before it, or -1."""
    number_at, whole = np.full(len(text), -1, np.int64), context >= 0
    codes, number_at[whole], counts = np.unique(
        context[whole] * V + text[whole], return_inverse=True, return_counts=True
    )
    return Grams(codes, counts, number_at)


def _contexts(number_at: Numbers, text: Ids, n: int, reset_id: int | None) -> Numbers:
    """The number of the n characters before each place, from that of the n that end at each place; -1 for none."""
    context = np.append(-1, number_at)[:-1]
    if reset_id is not None and n > 1:
        context[1:][text[:-1] == reset_id] = -1
    return context


def _continuations(grams: Grams, longer: Grams) -> Numbers:
    """The continuation count of each string, from the strings that are one character `longer`."""
    suffix = np.zeros(len(longer.codes), np.int64)  # of each longer string: the number of all but its first character
    extended = longer.number_at >= 0
    suffix[longer.number_at[extended]] = grams.number_at[extended]
    first = grams.number_at[~extended & (grams.number_at >= 0)]  # occurrences that nothing precedes
    return np.bincount(suffix, minlength=len(grams.codes)) + np.bincount(first, minlength=len(grams.codes))


def _interpolated(
    codes: Numbers,
    counts: Numbers,
    V: int,
    context: Numbers,
    place: Numbers,
    known: npt.NDArray[np.bool_],
    lower: Array,
) -> Array:
    """p_n of each character x of a text, from `lower`, p_{n-1}.

    `codes` and `counts` are of the strings hx that occur in the training text. For each place of the text, `context` is
    the number of h, and `place` that of hx where it is `known`.
    """
    contexts, D = codes // V, discounts(counts)
    discount = D[np.minimum(counts, 3)]
    total, left = np.bincount(contexts, counts), np.bincount(contexts, discount)  # sum of c(hy), and L(h), for each h
    occurs = (context >= 0) & (context < len(total))
    occurs[occurs] = total[context[occurs]] > 0
    h = context[occurs]
    discounted = np.where(known, counts[place] - discount[place], 0)[occurs]
    p = lower.copy()
    p[occurs] = (discounted + left[h] * lower[occurs]) / total[h]
    return p


def discounts(counts: Numbers) -> Array:
    """D(0) to D(3): the discounts of counts of 0, 1, 2, and 3 or more."""
    n = np.bincount(counts, minlength=5)[1:5].astype(np.float64)
    if n.all():
        Y = n[0] / (n[0] + 2 * n[1])
        D = np.array([1, 2, 3]) - np.array([2, 3, 4]) * Y * n[1:] / n[:-1]
        if (D > 0).all() and (D < [1, 2, 3]).all():
            return np.append(0, D)
    return np.array([0, 0.5, 0.5, 0.5])
