"""The m-grams of texts, for any m, found by their hashes.

A text is an array of code points, or of bytes; an m-gram is m of them in a row, and its hash is the sum over k < m of
c_(i+k) B^k modulo 2^64. Source: Karp and Rabin, "Efficient randomized pattern-matching algorithms" (1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[Any]  # code points or bytes
Places = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]

BASE = 0x9E3779B97F4A7C15  # B: any odd number without a pattern


class Hashes:
    """The hashes of all m-grams of a text, for any m: from sums of c_k B^k, and scaled by B^-i to begin at place i."""

    def __init__(self, points: Points) -> None:
        n = len(points)
        self.scale = _powers(pow(BASE, -1, 1 << 64), n)
        self.sums = np.zeros(n + 1, np.uint64)
        np.cumsum(points * _powers(BASE, n), out=self.sums[1:])

    def grams(self, m: int) -> Words:
        """The hash of the m-gram at each place that has one."""
        count = max(0, len(self.scale) - m + 1)
        hashes: Words = self.sums[m : m + count] - self.sums[:count]
        hashes *= self.scale[:count]
        return hashes


_TABLES: dict[int, Words] = {}


def _powers(base: int, n: int) -> Words:
    """base^0 ... base^(n-1) modulo 2^64."""
    if base not in _TABLES or len(_TABLES[base]) < n:
        table = np.full(n + (1 << 16), base, np.uint64)
        table[0] = 1
        _TABLES[base] = np.cumprod(table, dtype=np.uint64)
    return _TABLES[base][:n]


class Texts:
    """Texts laid end to end; no m-gram goes over the end of one."""

    def __init__(self, texts: Sequence[Points]) -> None:
        sizes = [len(text) for text in texts]
        self.points = np.concatenate([*texts, np.zeros(0, np.uint8)])
        self.starts = np.cumsum([0, *sizes])
        self.room = np.repeat(self.starts[1:], sizes) - np.arange(len(self.points))  # from each place to its text's end
        self.hashes = Hashes(self.points)

    def places(self, m: int) -> Places:
        """The places that have an m-gram."""
        return np.flatnonzero(self.room >= m)


class Index:
    """Some m-grams of the texts, found by their hashes: given in the order of these."""

    def __init__(self, hashes: Words, places: Places) -> None:
        self.hashes, self.places = hashes, places
        bits = min(max(16, (32 * len(places)).bit_length()), 24)
        self.shift = np.uint64(64 - bits)
        self.seen = np.zeros(1 << bits, np.bool_)  # which leading bits there are: rules out most hashes at once
        self.seen[hashes >> self.shift] = True

    @classmethod
    def of(cls, texts: Texts, m: int) -> Index:
        """All m-grams of the texts."""
        hashes, places = texts.hashes.grams(m), texts.places(m)
        places = places[np.argsort(hashes[places], kind="stable")]
        return cls(hashes[places], places)

    def without(self, found: npt.NDArray[np.bool_]) -> Index:
        """Those at places that are not marked."""
        left = ~found[self.places]
        return Index(self.hashes[left], self.places[left])

    def among(self, hashes: Words) -> Places:
        """The places of those hashes that are in the index."""
        near = np.flatnonzero(self.seen[(hashes >> self.shift).view(np.int64)])
        if not len(near):
            return near
        wanted = hashes[near]
        first = np.searchsorted(self.hashes, wanted).clip(max=len(self.hashes) - 1)
        known: Places = near[self.hashes[first] == wanted]
        return known

    def range(self, hashes: Words) -> tuple[Places, Places]:
        """Where in `self.places` the m-grams of these hashes begin and end."""
        return np.searchsorted(self.hashes, hashes, "left"), np.searchsorted(self.hashes, hashes, "right")


def same(a: Points, i: Places, b: Points, j: Places, m: int) -> npt.NDArray[np.bool_]:
    """Are the m-grams of a at places i those of b at places j?"""
    equal: npt.NDArray[np.bool_] = a[i] == b[j]
    for k in range(1, m):
        equal &= a[i + k] == b[j + k]
    return equal
