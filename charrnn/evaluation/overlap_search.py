"""What of some texts stands in a corpus, word for word: exact, in one pass over a corpus of any length.

What has the same hash (grams.py) is compared before it counts. The corpus is held a block at a time, with as much of
what came before as the longest stretch so far has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .gram_index import Hashes, Index, Points, Texts, same

BLOCK = 1 << 16  # characters of the corpus looked at together
NEWLINE = 10


class Seen:
    """Which m-grams of the texts the corpus has had so far."""

    def __init__(self, texts: Texts, m: int) -> None:
        self.texts, self.m = texts, m
        self.places = texts.places(m)
        self.found = np.zeros(len(texts.points), np.bool_)
        self.index = Index.of(texts, m)

    def look(self, points: Points, hashes: Hashes) -> None:
        """Find what a part of the corpus has of the m-grams that have not been found yet."""
        if not len(self.index.places):
            return
        own, m, grams = self.texts.points, self.m, hashes.grams(self.m)
        left_over = at = self.index.among(grams)
        while len(left_over):  # again only where different m-grams have one hash
            keys, first, group = np.unique(grams[left_over], return_index=True, return_inverse=True)
            first = left_over[first]
            left, right = self.index.range(keys)
            count = right - left
            places = self.index.places[np.arange(count.sum()) + np.repeat(right - np.cumsum(count), count)]
            self.found[places[same(points, np.repeat(first, count), own, places, m)]] = True
            left_over = left_over[~same(points, left_over, points, first[group.ravel()], m)]
        if len(at):
            self.index = self.index.without(self.found)

    @property
    def new(self) -> float | None:
        """The share of the m-grams, each place counted, that were not found; None if there are none."""
        return 1 - float(self.found[self.places].mean()) if len(self.places) else None


@dataclass(frozen=True)
class Match:
    """A stretch of `length` characters that a text and the corpus share: where it begins in each, counted from 0."""

    length: int
    corpus: int  # which text of the corpus
    corpus_offset: int
    corpus_line: int  # counted from 1
    place: int  # in the texts laid end to end


class Search:
    """The corpus goes by once, in parts; `longest` is the longest stretch shared so far, the first of equals."""

    def __init__(self, texts: Texts, sizes: Sequence[int]) -> None:
        self.texts = texts
        self.seen = {m: Seen(texts, m) for m in sizes}
        self.longest: Match | None = None
        self.index: tuple[int, Index] | None = None  # of the m-grams for the last m that was asked for
        self.corpus = -1
        self.begin()

    def begin(self) -> None:
        """The next text of the corpus begins."""
        self.corpus += 1
        self.offset, self.line = 0, 1  # of what is held
        self.held: Points = self.texts.points[:0]

    def add(self, part: Points) -> None:
        """Take the next part of the corpus."""
        for start in range(0, len(part), BLOCK):
            self._look(np.concatenate([self.held, part[start : start + BLOCK]]))

    @property
    def length(self) -> int:
        return self.longest.length if self.longest else 0

    def _look(self, points: Points) -> None:
        hashes = Hashes(points)
        for seen in self.seen.values():
            seen.look(points, hashes)
        self._look_for_longer(points, hashes)
        # No stretch that begins before what is held and ends in it is longer than the longest so far.
        keep = min(len(points), max(self.length, *self.seen) if self.seen else self.length)
        passed = len(points) - keep
        self.offset += passed
        self.line += int(np.count_nonzero(points[:passed] == NEWLINE))
        self.held = points[passed:]

    def _look_for_longer(self, points: Points, hashes: Hashes) -> None:
        """Find the longest stretch here if it is longer than that so far: in ever larger steps, then smaller ones."""
        length, limit, step = self.length, min(int(self.texts.room.max(initial=0)), len(points)), 1
        while length < limit:
            goal = min(length + step, limit)
            pair = self._pair(points, hashes, goal)
            if pair:
                length, step = self._extent(points, *pair), 2 * step
            else:
                limit, step = goal - 1, max(1, step // 2)
        pair = self._pair(points, hashes, length) if length > self.length else None
        if pair:
            i, j = pair
            line = self.line + int(np.count_nonzero(points[:i] == NEWLINE))
            self.longest = Match(length, self.corpus, self.offset + i, line, j)

    def _pair(self, points: Points, hashes: Hashes, m: int) -> tuple[int, int] | None:
        """The first place in this part of the corpus, and the first in the texts, that have the same m-gram."""
        if self.index is None or self.index[0] != m:
            self.index = m, Index.of(self.texts, m)
        index, grams = self.index[1], hashes.grams(m)
        for i in index.among(grams).tolist():
            left, right = index.range(grams[i : i + 1])
            for j in index.places[left[0] : right[0]].tolist():
                if np.array_equal(points[i : i + m], self.texts.points[j : j + m]):
                    return i, j
        return None

    def _extent(self, points: Points, i: int, j: int) -> int:
        """How far the corpus from place i and the texts from place j are the same."""
        most = min(len(points) - i, int(self.texts.room[j]))
        differ = points[i : i + most] != self.texts.points[j : j + most]
        return int(differ.argmax()) if differ.any() else most
