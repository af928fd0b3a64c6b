"""Into how many shares a batch is split, and how many threads those keep busy."""

from __future__ import annotations

from math import ceil

from ..nn.padding import padded

FEWEST = 8  # streams of a share; a product with fewer columns wastes the processor
FREE = 15  # so many more columns take as much time as a product takes with next to none


def shard_count(threads: int, networks: int, batch_size: int) -> int:
    """Into how many shares the streams of each network are split, so that a step takes least time.

    A thread takes one share after the other. One with half the streams takes more than half the time.
    """

    def time(count: int) -> int:
        return ceil(networks * count / threads) * (FREE + padded(ceil(batch_size / count)))

    return min(range(1, max(1, batch_size // FEWEST) + 1), key=time)


def busy_threads(threads: int, networks: int, batch_size: int) -> float:
    """How many of the threads have something to do, in the mean over a step."""
    tasks = networks * shard_count(threads, networks, batch_size)
    return tasks / ceil(tasks / threads)
