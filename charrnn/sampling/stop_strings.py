"""Where a sample ends: before a stop string, of which nothing may come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..text.vocab import Ids


def until_stopped(steps: Iterable[Ids], n: int, stops: Sequence[Ids], min_length: int = 0) -> Iterator[list[Ids]]:
    """n samples from what is drawn of each at every step, (n,): what is now certain of each of them.

    A sample ends where one of the strings `stops` has become complete that began after `min_length` characters; that
    string is left out. Held back is only what may turn out to be the beginning of one. Where several become complete
    with the same character, the sample ends before the longest.
    """
    samples = [_Sample(stops, min_length) for _ in range(n)]
    for ids in steps:
        yield [sample.add(int(drawn)) for sample, drawn in zip(samples, ids, strict=True)]
        if all(sample.ended for sample in samples):
            break
    yield [sample.release(0) for sample in samples]


class _Sample:
    """One of them."""

    def __init__(self, stops: Sequence[Ids], min_length: int) -> None:
        self.stops = [_Stop(ids.tolist()) for ids in stops]
        self.to_come = min_length  # characters before a stop string may begin
        self.held: list[int] = []
        self.ended = False

    def add(self, drawn: int) -> Ids:
        """Take the id that was drawn; return those that are certain now."""
        if self.ended:
            return np.zeros(0, np.intp)
        self.held.append(drawn)
        if self.to_come:
            self.to_come -= 1
            return self.release(0)
        complete = [len(stop.ids) for stop in self.stops if stop.add(drawn)]
        self.ended = bool(complete)
        certain = self.release(max(complete or [stop.matched for stop in self.stops]))
        if self.ended:
            self.held = []
        return certain

    def release(self, keep: int) -> Ids:
        """What was held back, apart from the last `keep` characters."""
        cut = len(self.held) - keep
        certain, self.held = self.held[:cut], self.held[cut:]
        return np.array(certain, np.intp)


class _Stop:
    """One stop string, which is looked for in a text that comes a character at a time.

    `matched` is how many of its characters the text ends with; once it is complete, nothing more may come.
    Source: Knuth, Morris, Pratt, "Fast pattern matching in strings" (1977).
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        self.shorter = [0] * (len(ids) + 1)  # for so many matched characters: the next fewer that the text ends with
        self.matched = 0
        for count in range(2, len(ids) + 1):
            self.add(ids[count - 1])
            self.shorter[count] = self.matched
        self.matched = 0

    def add(self, drawn: int) -> bool:
        """Take the next character: is the stop string complete?"""
        while self.matched and self.ids[self.matched] != drawn:
            self.matched = self.shorter[self.matched]
        self.matched += self.ids[self.matched] == drawn
        return self.matched == len(self.ids)
