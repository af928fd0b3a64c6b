"""Discourage loops: which next character would repeat the text before it, and a penalty for that."""

from __future__ import annotations

import numpy as np

from ..nn.params import Array
from ..text.vocab import Ids

MEMORY = 4096  # the last characters written, the prime included, in which repetitions are looked for
RATE = 0.5  # nats for each character by which a repeated passage exceeds the free length


class RepetitionPenalty:
    """The last characters written in each of n samples, and what each next character would repeat of them.

    A passage may be repeated up to `free` characters at no cost. Each further character costs RATE nats more than the
    one before. So names and phrases come again as they should, and the model leaves a loop where that costs least:
    between two words rather than within one. A ban on the next character, like the ban on repeated n-grams of words,
    would often fall within a word, and might leave no character to draw.
    Sources: the cost that grows with the length follows p-e-w's DRY sampler (text-generation-webui, pull request 5677,
    2024), which is exponential and for tokens; the ban is that of Paulus et al., "A deep reinforced model for
    abstractive summarization" (2018).
    """

    def __init__(self, V: int, n: int, free: int) -> None:
        self.V, self.free = V, free
        self.ids = np.full((MEMORY, n), V, np.int32)  # oldest first; V where nothing has been written yet
        self.same = np.zeros((MEMORY, n), np.int32)  # how many characters before each place match the end of the text

    def add(self, drawn: Ids) -> None:
        """Append the ids (n,) that were drawn."""
        self.same += 1
        self.same *= self.ids == drawn
        self.ids = np.concatenate([self.ids[1:], np.asarray(drawn, np.int32)[None]])

    def penalties(self) -> Array:
        """The penalty of each character, (V, n) nats: RATE times (length of the passage it would repeat - free)."""
        costs = np.zeros((self.V, self.ids.shape[1]))
        place, sample = np.divmod(np.flatnonzero(self.same >= self.free), self.ids.shape[1])
        excess = self.same[place, sample] + 1.0 - self.free
        np.maximum.at(costs, (self.ids[place, sample], sample), RATE * excess)
        return costs
