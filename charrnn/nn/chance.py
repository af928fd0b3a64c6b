"""Randomness that is keyed, not stored.

Every draw has a generator of its own, made from the seed and from what it is for: (seed, purpose, step, layer ...). So
a resumed run needs no generator state, and one draw more or less somewhere never shifts another.
"""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from .params import Array

INITIAL_WEIGHTS, DROPOUT, SAMPLING = range(3)


def generator(seed: int, purpose: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(purpose, *key))))


def dropout_mask(out: Array, dropout: float, seed: int, *key: int) -> None:
    """Fill `out` with 0 (with probability `dropout`) and 1 / (1 - dropout), so that its mean is 1.

    A value takes 16 random bits, so the probability is exact to 1/65536; the scale makes up for the rounding.
    Source: Srivastava et al., "Dropout" (2014).
    """
    np.greater_equal(_bits(out.shape, seed, *key), limit := _limit(dropout), out=out, casting="unsafe")
    out *= 65536 / (65536 - limit)


def dropped(shape: tuple[int, ...], dropout: float, seed: int, *key: int) -> npt.NDArray[np.bool_]:
    """Which of so many are dropped, each with probability `dropout`."""
    return _bits(shape, seed, *key) < _limit(dropout)


def _bits(shape: tuple[int, ...], seed: int, *key: int) -> npt.NDArray[np.uint16]:
    return np.frombuffer(generator(seed, DROPOUT, *key).bytes(2 * prod(shape)), "<u2").reshape(shape)


def _limit(dropout: float) -> int:
    """Of the 65536 values that 16 bits can have, how many mean that a number is dropped."""
    return min(round(dropout * 65536), 65535)
