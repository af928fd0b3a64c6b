"""Gated recurrent unit, with the reset gate after the recurrent product.

    r, z = sigmoid(a_t + Whh h_{t-1})            reset and update gate: the first 2H rows
    n    = tanh(a_t + r * (Whn h_{t-1}))         candidate: the last H rows; Whn is the last block of Whh
    h_t  = (1 - z) * n + z * h_{t-1}

    dz = dh_t * (h_{t-1} - n)    dn = dh_t * (1 - z)
    da_t = dr * r(1-r), dz * z(1-z), dn * (1-n^2)        with dr = da_n * (Whn h_{t-1})
    the recurrent product's gradient is da_t, but r * da_n in its last block
    dh_{t-1} = z * dh_t + Whh^T (that)

One bias, outside r; PyTorch's GRU agrees where its bias_hh is zero.
Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), in the variant whose reset acts
after the product (Chung et al. 2014; cuDNN), so that a step needs one matrix product and not two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..params import Array
from .steps import carried, sigmoid

INPUT_ROWS = 3
RECURRENT_ROWS = 3
STATE: tuple[str, ...] = ("h",)


class Buffers(NamedTuple):
    h: Array  # (T+1, H, B)
    recurrent: Array  # (T, 3H, B): Whh h_{t-1}, then its gradient
    h0: Array  # (H, B), scratch
    product: Array  # (H, B), scratch
    dgates: Array  # (2H, B), scratch


def buffers(T: int, H: int, B: int, dtype: npt.DTypeLike) -> Buffers:
    return Buffers(
        h=np.empty((T + 1, H, B), dtype),
        recurrent=np.empty((T, 3 * H, B), dtype),
        h0=np.empty((H, B), dtype),
        product=np.empty((H, B), dtype),
        dgates=np.empty((2 * H, B), dtype),
    )


def initial_bias(H: int) -> Array:
    return np.zeros(3 * H)


def forward(
    a: Array, Whh: Array, state: tuple[Array, ...], buffers: Buffers, keep: Array | None = None
) -> tuple[Array, ...]:
    h, recurrent, h0, product, _ = buffers
    H = h.shape[1]
    h[0] = state[0]
    for t in range(len(a)):
        gates, n = a[t, : 2 * H], a[t, 2 * H :]
        r, z = gates[:H], gates[H:]
        previous, h_t = carried(h[t], keep, t, h0), h[t + 1]
        np.matmul(Whh, previous, out=recurrent[t])
        gates += recurrent[t, : 2 * H]
        sigmoid(gates)
        n += np.multiply(r, recurrent[t, 2 * H :], out=product)
        np.tanh(n, out=n)
        np.subtract(previous, n, out=h_t)
        h_t *= z
        h_t += n
    return (h[-1].copy(),)


def backward(
    dh: Array, a: Array, Whh: Array, buffers: Buffers, keep: Array | None = None
) -> tuple[Array, Array, tuple[Array, ...]]:
    h, recurrent, h0, product, dgates = buffers
    H = h.shape[1]
    dr, dz = dgates[:H], dgates[H:]
    WhhT = np.ascontiguousarray(Whh.T)
    dh_t = np.zeros_like(h[0])
    through = np.empty_like(dh_t)
    for t in reversed(range(len(a))):
        gates, n = a[t, : 2 * H], a[t, 2 * H :]
        r, z = gates[:H], gates[H:]
        recurrent_n = recurrent[t, 2 * H :]
        dh_t += dh[t]

        np.subtract(1, gates, out=dgates)
        dgates *= gates
        np.subtract(carried(h[t], keep, t, h0), n, out=product)
        product *= dh_t
        dz *= product

        np.multiply(n, n, out=n)  # n becomes da_n
        np.subtract(1, n, out=n)
        n *= dh_t
        n *= np.subtract(1, z, out=product)
        dr *= np.multiply(n, recurrent_n, out=product)

        np.multiply(n, r, out=recurrent_n)
        np.multiply(dh_t, z, out=through)
        gates[...] = dgates
        recurrent[t, : 2 * H] = dgates
        np.matmul(WhhT, recurrent[t], out=dh_t)
        dh_t += through
        if keep is not None:
            dh_t *= keep[t]
    return a, recurrent, (dh_t,)
