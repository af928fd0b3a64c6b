"""Which m-grams of some texts a corpus has, and their longest common substring: exact, in one pass over the corpus.

The corpus comes in parts of any size, so it is looked at a block at a time. A block overlaps the one before it by as
many characters as the longest match so far has (and m at least), so no longer match is missed between blocks.

- m-grams for fixed m: each m-gram of the texts is in an index by its hash (gram_index.py). The hashes of the block are
  looked up, equal hashes are compared character by character, and what is found leaves the index.
- Longest common substring: if a block and the texts share a stretch of n characters, they share one of every smaller
  length. So the largest n is searched for with growing steps, then with shrinking ones; each trial is one look-up of
  all n-grams of the block. It begins at the longest match so far, so most blocks take one trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .gram_index import GramIndex, JoinedTexts, Points, RollingHash, same_grams

BLOCK = 1 << 16  # characters of the corpus looked at together
NEWLINE = 10


class GramCoverage:
    """Which m-grams of the texts, for one m, have been found in the corpus so far."""

    def __init__(self, texts: JoinedTexts, m: int) -> None:
        self.texts, self.m = texts, m
        self.places = texts.places(m)
        self.found = np.zeros(len(texts.points), np.bool_)
        self.remaining = GramIndex.of(texts, m)  # those not found yet

    def look(self, points: Points, hashes: RollingHash) -> None:
        """Find which of the remaining m-grams a block of the corpus has."""
        if not len(self.remaining.places):
            return
        own, m, grams = self.texts.points, self.m, hashes.grams(self.m)
        matches = unresolved = self.remaining.which_are_in(grams)  # places in the block
        while len(unresolved):  # more than once only if different m-grams of the block have one hash
            keys, first, group = np.unique(grams[unresolved], return_index=True, return_inverse=True)
            representative = unresolved[first]  # one place in the block for each hash
            left, right = self.remaining.ranges(keys)
            count = right - left
            places = self.remaining.places[np.arange(count.sum()) + np.repeat(right - np.cumsum(count), count)]
            self.found[places[same_grams(points, np.repeat(representative, count), own, places, m)]] = True
            unresolved = unresolved[~same_grams(points, unresolved, points, representative[group.ravel()], m)]
        if len(matches):
            self.remaining = self.remaining.without(self.found)

    @property
    def new(self) -> float | None:
        """The share of the m-grams, each place counted, that were not found; None if there are none."""
        return 1 - float(self.found[self.places].mean()) if len(self.places) else None


@dataclass(frozen=True)
class Match:
    """A stretch that the texts and the corpus share: its length, and where it begins in each, counted from 0."""

    length: int  # characters
    corpus: int  # which text of the corpus
    corpus_offset: int
    corpus_line: int  # counted from 1
    place: int  # in the texts laid end to end


class OverlapSearch:
    """Searches a corpus that goes by once, in parts.

    `coverage` has the m-grams found, by m; `longest` the longest match so far: of those of one length, the first in the
    corpus and, for that, the first in the texts.
    """

    def __init__(self, texts: JoinedTexts, sizes: Sequence[int]) -> None:
        self.texts = texts
        self.coverage = {m: GramCoverage(texts, m) for m in sizes}
        self.longest: Match | None = None
        self.index: tuple[int, GramIndex] | None = None  # m and all m-grams, for the last m that was asked for
        self.corpus = -1
        self.begin_text()

    def begin_text(self) -> None:
        """The next text of the corpus begins. No match goes over its beginning."""
        self.corpus += 1
        self.held: Points = self.texts.points[:0]  # the end of what came, which the next block begins with
        self.offset, self.line = 0, 1  # of the first character held

    def add(self, part: Points) -> None:
        """Take the next part of the text."""
        for start in range(0, len(part), BLOCK):
            self._look(np.concatenate([self.held, part[start : start + BLOCK]]))

    @property
    def length(self) -> int:
        """The length of the longest match so far."""
        return self.longest.length if self.longest else 0

    def _look(self, points: Points) -> None:
        """Search a block, then keep as much of its end as a new match or m-gram may begin in."""
        hashes = RollingHash(points)
        for coverage in self.coverage.values():
            coverage.look(points, hashes)
        self._look_for_longer(points, hashes)
        keep = min(len(points), max([self.length, *self.coverage]))
        passed = len(points) - keep
        self.offset += passed
        self.line += int(np.count_nonzero(points[:passed] == NEWLINE))
        self.held = points[passed:]

    def _look_for_longer(self, points: Points, hashes: RollingHash) -> None:
        """Find the longest match of a block if it is longer than the longest so far."""
        length, limit, step = self.length, min(int(self.texts.room.max(initial=0)), len(points)), 1
        while length < limit:  # there is a match of `length` characters, and none of more than `limit`
            goal = min(length + step, limit)
            pair = self._first_pair(points, hashes, goal)
            if pair:
                length, step = self._extent(points, *pair), 2 * step
            else:
                limit, step = goal - 1, max(1, step // 2)
        pair = self._first_pair(points, hashes, length) if length > self.length else None
        if pair:
            i, j = pair
            line = self.line + int(np.count_nonzero(points[:i] == NEWLINE))
            self.longest = Match(length, self.corpus, self.offset + i, line, j)

    def _first_pair(self, points: Points, hashes: RollingHash, m: int) -> tuple[int, int] | None:
        """The first place in the block, and for it the first in the texts, with the same m-gram; None if none has."""
        if self.index is None or self.index[0] != m:
            self.index = m, GramIndex.of(self.texts, m)
        index, grams = self.index[1], hashes.grams(m)
        for i in index.which_are_in(grams).tolist():
            left, right = index.ranges(grams[i : i + 1])
            for j in index.places[left[0] : right[0]].tolist():
                if np.array_equal(points[i : i + m], self.texts.points[j : j + m]):
                    return i, j
        return None

    def _extent(self, points: Points, i: int, j: int) -> int:
        """How many characters the block from place i and the texts from place j have in common."""
        most = min(len(points) - i, int(self.texts.room[j]))
        differ = points[i : i + most] != self.texts.points[j : j + most]
        return int(differ.argmax()) if differ.any() else most
