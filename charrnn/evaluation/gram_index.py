"""The m-grams of texts, for any m, found by their hashes: a rolling hash, and an index from hash to places.

A text is an array of code points, or of bytes; an m-gram is m of them in a row. The hash of the m-gram at place i is

    h_i = sum over k < m of c_(i+k) B^k  modulo 2^64

With prefix sums S_i = sum over k < i of c_k B^k, this is (S_(i+m) - S_i) B^-i. So the hashes of all m-grams of a text
take one subtraction and one product of whole arrays, for any m, once the prefix sums are there.

Different m-grams may have the same hash, so a match of hashes counts only once the m-grams have been compared.
Source: Karp and Rabin, "Efficient randomized pattern-matching algorithms" (1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[Any]  # code points or bytes
Places = npt.NDArray[np.intp]
HashArray = npt.NDArray[np.uint64]

BASE = 0x9E3779B97F4A7C15  # B: odd, so that it has an inverse modulo 2^64, and without a pattern


class RollingHash:
    """The hashes of all m-grams of a text, for any m, from prefix sums."""

    def __init__(self, points: Points) -> None:
        n = len(points)
        self.inverse_powers = _powers(pow(BASE, -1, 1 << 64), n)  # B^-i
        self.prefix_sums = np.zeros(n + 1, np.uint64)  # S_i
        np.cumsum(points * _powers(BASE, n), out=self.prefix_sums[1:])

    def grams(self, m: int) -> HashArray:
        """The hash of the m-gram at each place that has one."""
        count = max(0, len(self.inverse_powers) - m + 1)
        hashes: HashArray = self.prefix_sums[m : m + count] - self.prefix_sums[:count]
        hashes *= self.inverse_powers[:count]
        return hashes


_TABLES: dict[int, HashArray] = {}


def _powers(base: int, n: int) -> HashArray:
    """base^0 ... base^(n-1) modulo 2^64, from a table that grows as needed."""
    if base not in _TABLES or len(_TABLES[base]) < n:
        table = np.full(n + (1 << 16), base, np.uint64)
        table[0] = 1
        _TABLES[base] = np.cumprod(table, dtype=np.uint64)
    return _TABLES[base][:n]


class JoinedTexts:
    """Texts laid end to end. A place is a position in all of them; no m-gram goes over the end of a text."""

    def __init__(self, texts: Sequence[Points]) -> None:
        sizes = [len(text) for text in texts]
        self.points = np.concatenate([*texts, np.zeros(0, np.uint8)])
        self.starts = np.cumsum([0, *sizes])
        self.room = np.repeat(self.starts[1:], sizes) - np.arange(len(self.points))  # from each place to its text's end
        self.hashes = RollingHash(self.points)

    def places(self, m: int) -> Places:
        """The places at which an m-gram begins."""
        return np.flatnonzero(self.room >= m)


class GramIndex:
    """Places of m-grams, sorted by the hashes of these, with a table of the leading bits of the hashes.

    Nearly all hashes that are looked up are absent. The table, which fits into the cache, rules most of them out
    before the binary search.
    """

    def __init__(self, hashes: HashArray, places: Places) -> None:
        self.hashes, self.places = hashes, places
        bits = min(max(16, (32 * len(places)).bit_length()), 24)
        self.shift = np.uint64(64 - bits)
        self.has_prefix = np.zeros(1 << bits, np.bool_)
        self.has_prefix[hashes >> self.shift] = True

    @classmethod
    def of(cls, texts: JoinedTexts, m: int) -> GramIndex:
        """All m-grams of the texts."""
        hashes, places = texts.hashes.grams(m), texts.places(m)
        places = places[np.argsort(hashes[places], kind="stable")]
        return cls(hashes[places], places)

    def without(self, found: npt.NDArray[np.bool_]) -> GramIndex:
        """The index without the places that are marked in `found`."""
        kept = ~found[self.places]
        return GramIndex(self.hashes[kept], self.places[kept])

    def which_are_in(self, hashes: HashArray) -> Places:
        """The positions in `hashes` of those that the index has."""
        candidates = np.flatnonzero(self.has_prefix[(hashes >> self.shift).view(np.int64)])
        if not len(candidates):
            return candidates
        wanted = hashes[candidates]
        first = np.searchsorted(self.hashes, wanted).clip(max=len(self.hashes) - 1)
        present: Places = candidates[self.hashes[first] == wanted]
        return present

    def ranges(self, hashes: HashArray) -> tuple[Places, Places]:
        """For each hash, where in `self.places` the m-grams with this hash begin and end."""
        return np.searchsorted(self.hashes, hashes, "left"), np.searchsorted(self.hashes, hashes, "right")


def same_grams(a: Points, i: Places, b: Points, j: Places, m: int) -> npt.NDArray[np.bool_]:
    """Whether the m-gram of `a` at each place in `i` is that of `b` at the place in `j`."""
    equal: npt.NDArray[np.bool_] = a[i] == b[j]
    for k in range(1, m):
        equal &= a[i + k] == b[j + k]
    return equal
