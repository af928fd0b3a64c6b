"""Dropout: random masks that set numbers to zero in a training step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..prng import DROPOUT, generator
from .params import Array


class Dropout(NamedTuple):
    """The share of each layer's outputs to drop, and the share of its recurrent weights `Whh`."""

    outputs: float = 0.0
    recurrence: float = 0.0

    def scaled(self, factor: float) -> Dropout:
        """Both shares times a factor."""
        return Dropout(self.outputs * factor, self.recurrence * factor)


NO_DROPOUT = Dropout()


def dropout_mask(out: Array, share: float, seed: int, *key: int) -> None:
    """Fill `out` with 0, with probability `share`, and 1 / (1 - share) otherwise, so that its mean is 1.

    Each value is drawn from 16 random bits. `share` is rounded to a multiple of 1/65536, also in 1 / (1 - share).
    Source: Srivastava et al., "Dropout" (2014).
    """
    bits = np.frombuffer(generator(seed, DROPOUT, *key).bytes(2 * out.size), "<u2").reshape(out.shape)
    dropped = min(round(share * 65536), 65535)
    np.greater_equal(bits, dropped, out=out, casting="unsafe")
    out *= 65536 / (65536 - dropped)
