"""The plain recurrent network of the lecture.

    h_t = tanh(a_t + Whh h_{t-1})            with a_t = Wxh x_t + bh

    da_t     = dh_t * (1 - h_t^2)            the derivative of tanh
    dh_{t-1} = Whh^T da_t                    to which the gradient of h_{t-1} from above is added

Source: CS231n lecture 10, "Recurrent Neural Networks"; Elman, "Finding structure in time" (1990).

Numbers such as (8) in comments name the line of rnn_step or rnn_step_backward in examples/textbook_steps.py that a line
here implements, for all streams at once and in place. `Wxh x_t + bh` comes ready made as `a_t`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..params import Array
from .gates import mask_state
from .matmul import step_product, transposed

INPUT_ROWS = 1
RECURRENT_ROWS = 1
STATE: tuple[str, ...] = ("h",)


class Cache(NamedTuple):
    h: Array  # (T+1, H, B)
    h0: Array  # (H, B), scratch


def cache(T: int, H: int, B: int, dtype: npt.DTypeLike) -> Cache:
    return Cache(h=np.empty((T + 1, H, B), dtype), h0=np.empty((H, B), dtype))


def initial_bias(H: int) -> Array:
    return np.zeros(H)


def step(a: Array, product: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    return (np.tanh(a + product),)  # (1)


def forward(
    a: Array, Whh: Array, state: tuple[Array, ...], cache: Cache, carry_mask: Array | None = None
) -> tuple[Array, ...]:
    h = cache.h
    mul_Whh = step_product(Whh, h.shape[2])
    h[0] = state[0]
    for t, a_t in enumerate(a):
        h_t = h[t + 1]
        mul_Whh(mask_state(h[t], carry_mask, t, cache.h0), h_t)
        h_t += a_t
        np.tanh(h_t, out=h_t)  # (1)
    return (h[-1].copy(),)


def backward(
    dh: Array, a: Array, Whh: Array, cache: Cache, carry_mask: Array | None = None
) -> tuple[Array, Array, tuple[Array, ...]]:
    h = cache.h
    mul_WhhT = step_product(transposed(Whh), h.shape[2])
    dh_t = np.zeros_like(h[0])
    for t in reversed(range(len(a))):
        h_t, da_t = h[t + 1], a[t]
        dh_t += dh[t]
        np.multiply(h_t, h_t, out=da_t)
        np.subtract(1, da_t, out=da_t)
        da_t *= dh_t  # (8)
        mul_WhhT(da_t, dh_t)  # (10)
        if carry_mask is not None:
            dh_t *= carry_mask[t]
    return a, a, (dh_t,)
