"""Small functions that several cells use."""

from __future__ import annotations

import numpy as np

from ..params import Array


def mask_state(previous: Array, carry_mask: Array | None, t: int, out: Array) -> Array:
    """The state (H, B) that step t starts from: `previous`, with the columns of streams that are reset set to zero.

    Returns `previous` itself, without a copy, if no stream is reset at this step.
    """
    if carry_mask is None or carry_mask[t].all():
        return previous
    np.multiply(previous, carry_mask[t], out=out)
    return out


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), as 0.5 tanh(0.5 x) + 0.5: one fast function that cannot overflow."""
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5)
