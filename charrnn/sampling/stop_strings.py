"""Where a sample ends: before a stop string, no part of which may be written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..errors import OptionError, UnknownCharacterError
from ..text.vocab import Ids, Vocab
from .filters import Mask
from .params import Text


def encode_stops(vocab: Vocab, stops: Text | Sequence[Text] | None, forbidden: Mask | None = None) -> list[Ids]:
    """The ids of the stop strings; empty ones are left out.

    Raises OptionError for a stop string with a character that can never be drawn.
    """
    encoded = []
    for stop in [stops] if isinstance(stops, str | bytes) else stops or ():
        try:
            ids, _ = vocab.encode(stop, where="the stop string")
        except UnknownCharacterError:
            raise OptionError(
                f"stop: {stop!r} has a character that this model never writes; choose another stop string"
            ) from None
        if forbidden is not None and forbidden[ids].any():
            raise OptionError(f"stop: {stop!r} has a character that is banned or not allowed; choose another one")
        if len(ids):
            encoded.append(ids)
    return encoded


def until_stopped(steps: Iterable[Ids], n: int, stops: Sequence[Ids], min_length: int = 0) -> Iterator[list[Ids]]:
    """n samples from the ids (n,) drawn at each step: yields the ids that now certainly belong to each sample.

    A sample ends when one of `stops` that began after `min_length` characters is complete; the stop string is left
    out. Only what may be the beginning of a stop string is held back. If one character completes several of them, the
    sample ends before the longest.
    """
    samples = [_Sample(stops, min_length) for _ in range(n)]
    for ids in steps:
        yield [sample.add(int(drawn)) for sample, drawn in zip(samples, ids, strict=True)]
        if all(sample.ended for sample in samples):
            break
    yield [sample.release(0) for sample in samples]


class _Sample:
    """One sample: finds stop strings in it, and holds back what may be the beginning of one."""

    def __init__(self, stops: Sequence[Ids], min_length: int) -> None:
        self.stops = [_Stop(ids.tolist()) for ids in stops]
        self.protected = min_length  # characters before a stop string may begin
        self.held: list[int] = []
        self.ended = False

    def add(self, drawn: int) -> Ids:
        """Append the id that was drawn; return the ids that are now certain."""
        if self.ended:
            return np.zeros(0, np.intp)
        self.held.append(drawn)
        if self.protected:
            self.protected -= 1
            return self.release(0)
        complete = [len(stop.ids) for stop in self.stops if stop.add(drawn)]
        self.ended = bool(complete)
        certain = self.release(max(complete or [stop.matched for stop in self.stops]))
        if self.ended:
            self.held = []
        return certain

    def release(self, keep: int) -> Ids:
        """Hand over the ids held back, except the last `keep` of them."""
        cut = len(self.held) - keep
        certain, self.held = self.held[:cut], self.held[cut:]
        return np.array(certain, np.intp)


class _Stop:
    """One stop string, searched for in a text that arrives one character at a time.

    `matched` is how many of its first characters the text ends with. After a complete match `add` must not be called.
    Source: Knuth, Morris, Pratt, "Fast pattern matching in strings" (1977).
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        self.shorter = [0] * (len(ids) + 1)  # by matched characters: the next shorter match
        self.matched = 0
        for count in range(2, len(ids) + 1):
            self.add(ids[count - 1])
            self.shorter[count] = self.matched
        self.matched = 0

    def add(self, drawn: int) -> bool:
        """Append the next character; True if the stop string is now complete."""
        while self.matched and self.ids[self.matched] != drawn:
            self.matched = self.shorter[self.matched]
        self.matched += self.ids[self.matched] == drawn
        return self.matched == len(self.ids)
