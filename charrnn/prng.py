"""Randomness that is keyed, not stored: every draw follows from the seed and from what it is for.

So a resumed run needs no generator state, and one draw more or less somewhere never shifts another. `generator` gives
a NumPy generator for a key, for draws of many numbers. `random_bits` and `uniform` give one number for each of many
keys, for hashes, shuffles and draws of records.
Source: the mixing function of Steele et al., "Fast splittable pseudorandom number generators" (2014), with the
constants of Stafford's variant 13, as in SplitMix64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

INITIAL_WEIGHTS, DROPOUT, SAMPLING, RESTARTS = range(4)  # what a generator is for
SPLIT, SHUFFLE, DRAW = range(3)  # what the bits of a key are for
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # added first, because `mix` maps 0 to 0
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mix(words: Words) -> Words:
    """Mix each 64-bit word: a bijection in which every output bit depends on every input bit."""
    words = words ^ (words >> np.uint64(30))
    words *= FIRST
    words ^= words >> np.uint64(27)
    words *= SECOND
    words ^= words >> np.uint64(31)
    return words


def random_bits(*key: int | npt.NDArray[Any]) -> Words:
    """64 random bits for each key.

    The parts of a key are non-negative integers, or arrays of them, which are broadcast. The result is at least 1-D.
    """
    words = np.zeros(1, np.uint64)
    for part in key:
        words = mix((words + GOLDEN) ^ np.asarray(part).astype(np.uint64))
    return words


def uniform(*key: int | npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """A random number in [0, 1) with 52 bits for each key."""
    return (random_bits(*key) >> np.uint64(12)).astype(np.float64) * 2.0**-52


def generator(seed: int, purpose: int, *key: int) -> np.random.Generator:
    """A generator for a purpose, such as DROPOUT, and a key such as (step, layer)."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(purpose, *key))))
