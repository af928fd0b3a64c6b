"""Text that does not go round in circles: what the next character would repeat, and what that costs it."""

from __future__ import annotations

import numpy as np

from ..nn.params import Array
from ..text.vocab import Ids

MEMORY = 4096  # characters that a repetition is looked for in: those written last, the prime among them
RATE = 0.5  # nats for each character by which a stretch that is written again is too long


class RepetitionPenalty:
    """What each of n samples has written last, and how much of it each next character would repeat.

    A stretch that was written before may be written again up to `free` characters of it; each character that makes it
    longer costs RATE nats more than the one before. So names and phrases come again as they should, and a circle is
    left where that is cheapest: between two words, not within one. A ban on the next character, as n-grams of words
    are banned, would often fall within a word, and could leave none to draw.
    Source: the idea of a cost that grows with the length is that of p-e-w's DRY sampler (text-generation-webui,
    pull request 5677, 2024), there exponential and for tokens; the ban is that of Paulus et al., "A deep reinforced
    model for abstractive summarization" (2018).
    """

    def __init__(self, V: int, n: int, free: int) -> None:
        self.V, self.free = V, free
        self.ids = np.full((MEMORY, n), V, np.int32)  # oldest first; V is none
        self.same = np.zeros((MEMORY, n), np.int32)  # how many characters before each place are those written last

    def add(self, drawn: Ids) -> None:
        """Take the ids (n,) that were drawn."""
        self.same += 1
        self.same *= self.ids == drawn
        self.ids = np.concatenate([self.ids[1:], np.asarray(drawn, np.int32)[None]])

    def penalties(self) -> Array:
        """Nats (V, n) that each character would cost: RATE times what is over `free` in the stretch it repeats."""
        costs = np.zeros((self.V, self.ids.shape[1]))
        place, sample = np.divmod(np.flatnonzero(self.same >= self.free), self.ids.shape[1])
        excess = self.same[place, sample] + 1.0 - self.free
        np.maximum.at(costs, (self.ids[place, sample], sample), RATE * excess)
        return costs
