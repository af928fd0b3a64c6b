"""Dropout: which numbers are set to zero in a training step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..prng import DROPOUT, generator
from .params import Array


class Dropout(NamedTuple):
    """The share to drop of each layer's outputs, and of the weights of its recurrence, `Whh`."""

    outputs: float = 0.0
    recurrence: float = 0.0

    def times(self, share: float) -> Dropout:
        """So much of both."""
        return Dropout(self.outputs * share, self.recurrence * share)


NO_DROPOUT = Dropout()


def dropout_mask(out: Array, share: float, seed: int, *key: int) -> None:
    """Fill `out` with 0 (with probability `share`) and 1 / (1 - share), so that its mean is 1.

    A value takes 16 random bits, so the probability is exact to 1/65536; the scale makes up for the rounding.
    Source: Srivastava et al., "Dropout" (2014).
    """
    bits = np.frombuffer(generator(seed, DROPOUT, *key).bytes(2 * out.size), "<u2").reshape(out.shape)
    dropped = min(round(share * 65536), 65535)
    np.greater_equal(bits, dropped, out=out, casting="unsafe")
    out *= 65536 / (65536 - dropped)
