"""How many shards a batch is split into, and how many threads they keep busy."""

from __future__ import annotations

from math import ceil

from ..nn.padding import padded

FEWEST = 8  # streams per shard; a matrix product with fewer columns wastes the processor
FREE = 15  # the fixed cost of a product, as the number of columns that take as long


def shard_count(threads: int, networks: int, batch_size: int) -> int:
    """The number of shards per network with which a step takes the least time.

    A thread does one shard after another. A shard with half the streams takes more than half the time.
    """

    def time(count: int) -> int:
        return ceil(networks * count / threads) * (FREE + padded(ceil(batch_size / count)))

    return min(range(1, max(1, batch_size // FEWEST) + 1), key=time)


def busy_threads(threads: int, networks: int, batch_size: int) -> float:
    """The mean number of threads at work during a step."""
    shards = networks * shard_count(threads, networks, batch_size)
    return shards / ceil(shards / threads)
