"""An interpolated n-gram model of characters, for comparison: what a table of counts makes of a text.

With c the number of times that a string occurs in the training text, h the n - 1 characters before x and h' all of
these but the first,

    p_n(x | h) = (c(hx) - D(c(hx)) + sum over y of D(c(hy)) p_{n-1}(x | h')) / (sum over y of c(hy))

down to p_0 = 1/V; p_n = p_{n-1} where h does not occur. In all orders but the highest, c(hx) is not how often hx occurs
but after how many different characters (an occurrence with nothing before it counts, too). With n_i strings of count i,

    D(0) = 0,  D(1) = 1 - 2 Y n_2 / n_1,  D(2) = 2 - 3 Y n_3 / n_2,  D(3 and more) = 3 - 4 Y n_4 / n_3,
    Y = n_1 / (n_1 + 2 n_2)

or 1/2 each where one of these is not between 0 and its count. Source: Chen and Goodman, "An empirical study of
smoothing techniques for language modeling" (1999): interpolated modified Kneser-Ney.

In a text of records nothing before the newline that a record begins after is looked at.
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

HIGHEST = 9  # order that is tried
HELD_OUT = 0.1  # of the training text, to choose the order by


class Grams(NamedTuple):
    """The different strings of n characters in a text, numbered in the order of their codes.

    A code is V times the number of the string of all characters but the last, plus the last one's id.
    """

    codes: Numbers
    counts: Numbers
    at: Numbers  # the number of the string that ends at each place; -1 if it would begin before the text


def ngram_nats(training: Ids, text: Ids, V: int, highest: int, reset_id: int | None = None) -> Iterator[Array]:
    """The nats of each character of a text by the n-gram models of a training text, n = 1, 2 ... `highest`.

    Ids are below V; `reset_id` is that of the newline in texts of records. There are fewer orders if the training text
    has fewer characters. Takes some 110 bytes for each of them, whatever V is: no table is larger than the text.
    """
    lower = np.full(len(text), 1 / V)
    grams, context = _grams(np.zeros(len(training), np.int64), training, V), np.zeros(len(text), np.int64)
    for n in range(1, highest + 1):
        if not len(grams.codes):
            return
        codes = np.where(context < 0, -1, context * V + text)
        place = np.searchsorted(grams.codes, codes).clip(max=len(grams.codes) - 1)
        known = grams.codes[place] == codes
        yield -np.log(_interpolated(grams.codes, grams.counts, V, context, place, known, lower))

        longer = _grams(_contexts(grams.at, training, n, reset_id), training, V)
        lower = _interpolated(grams.codes, _continuations(grams, longer), V, context, place, known, lower)
        context = _contexts(np.where(known, place, -1), text, n, reset_id)
        grams = longer


def best_order(training: Ids, V: int, reset_id: int | None = None) -> int:
    """The order that does best on a part of the training text when fitted on the rest of it."""
    fitted, held_out = _divided(training, reset_id)
    losses: list[float] = []
    for nats in ngram_nats(fitted, held_out, V, HIGHEST, reset_id):
        losses.append(float(nats.sum()))
        if losses[-1] > min(losses):  # it has turned
            break
    return int(np.argmin(losses)) + 1


def _divided(training: Ids, reset_id: int | None) -> tuple[Ids, Ids]:
    """What comes before the end, and the end; of records a share, with all copies of a record on the same side."""
    if reset_id is not None:
        edges = np.append(np.flatnonzero(training == reset_id), len(training))
        records = (training[a:b].tobytes() for a, b in pairwise(edges.tolist()))
        out = np.array([crc32(record) % round(1 / HELD_OUT) == 0 for record in records], np.bool_)
        if out.any() and not out.all():
            apart = np.repeat(np.append(False, out), np.diff(edges, prepend=0))
            return training[~apart], training[apart]
    cut = int(len(training) * (1 - HELD_OUT))
    return training[:cut], training[cut:]


def _grams(context: Numbers, text: Ids, V: int) -> Grams:
    """The strings that end at each place of a text; `context` has the numbers of what comes before it, or -1."""
    at, whole = np.full(len(text), -1, np.int64), context >= 0
    codes, at[whole], counts = np.unique(context[whole] * V + text[whole], return_inverse=True, return_counts=True)
    return Grams(codes, counts, at)


def _contexts(at: Numbers, text: Ids, n: int, reset_id: int | None) -> Numbers:
    """The numbers of the n characters before each place, from those of the strings that end at each; -1 for none."""
    context = np.append(-1, at)[:-1]
    if reset_id is not None and n > 1:
        context[1:][text[:-1] == reset_id] = -1
    return context


def _continuations(grams: Grams, longer: Grams) -> Numbers:
    """After how many different characters each string occurs; an occurrence with nothing before it counts, too."""
    suffix = np.zeros(len(longer.codes), np.int64)
    extended = longer.at >= 0
    suffix[longer.at[extended]] = grams.at[extended]
    first = grams.at[~extended & (grams.at >= 0)]
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
    """p_n of each character of a text from p_{n-1}: `place` has its string's number, if it is known, `context` h's."""
    contexts, D = codes // V, discounts(counts)
    taken = D[np.minimum(counts, 3)]
    total, left = np.bincount(contexts, counts), np.bincount(contexts, taken)
    occurs = (context >= 0) & (context < len(total))
    occurs[occurs] = total[context[occurs]] > 0
    h = context[occurs]
    own = np.where(known, counts[place] - taken[place], 0)[occurs]
    p = lower.copy()
    p[occurs] = (own + left[h] * lower[occurs]) / total[h]
    return p


def discounts(counts: Numbers) -> Array:
    """D(0) to D(3): what is taken from counts of 0, 1, 2, and 3 or more."""
    n = np.bincount(counts, minlength=5)[1:5].astype(np.float64)
    if n.all():
        Y = n[0] / (n[0] + 2 * n[1])
        D = np.array([1, 2, 3]) - np.array([2, 3, 4]) * Y * n[1:] / n[:-1]
        if (D > 0).all() and (D < [1, 2, 3]).all():
            return np.append(0, D)
    return np.array([0, 0.5, 0.5, 0.5])
