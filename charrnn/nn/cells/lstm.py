"""Long short-term memory.

    i, f, o = sigmoid(a_t + Whh h_{t-1})     input, forget and output gate: one block of 3H rows
    g       = tanh(a_t + Whh h_{t-1})        candidate: the last H rows
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

    dc_t += dh_t * o * (1 - tanh(c_t)^2)
    do = dh_t * tanh(c_t)    di = dc_t * g    df = dc_t * c_{t-1}    dg = dc_t * i
    da_t = di * i(1-i), df * f(1-f), do * o(1-o), dg * (1-g^2)
    dc_{t-1} = dc_t * f
    dh_{t-1} = Whh^T da_t

Source: Hochreiter and Schmidhuber, "Long short-term memory" (1997); Gers et al., "Learning to forget" (2000); the
forget gate's bias of 1: Jozefowicz et al., "An empirical exploration of recurrent network architectures" (2015).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..params import Array
from .steps import carried, sigmoid

INPUT_ROWS = 4
RECURRENT_ROWS = 4
STATE: tuple[str, ...] = ("h", "c")


class Buffers(NamedTuple):
    h: Array  # (T+1, H, B)
    c: Array  # (T+1, H, B)
    tanh_c: Array  # (T, H, B)
    recurrent: Array  # (4H, B), scratch: the recurrent product, then the gradient of the sigmoid gates
    h0: Array  # (H, B), scratch
    c0: Array  # (H, B), scratch
    product: Array  # (H, B), scratch


def buffers(T: int, H: int, B: int, dtype: npt.DTypeLike) -> Buffers:
    return Buffers(
        h=np.empty((T + 1, H, B), dtype),
        c=np.empty((T + 1, H, B), dtype),
        tanh_c=np.empty((T, H, B), dtype),
        recurrent=np.empty((4 * H, B), dtype),
        h0=np.empty((H, B), dtype),
        c0=np.empty((H, B), dtype),
        product=np.empty((H, B), dtype),
    )


def initial_bias(H: int) -> Array:
    """Zero, and 1 for the forget gate: at first everything is remembered."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = 1
    return bias


def forward(
    a: Array, Whh: Array, state: tuple[Array, ...], buffers: Buffers, keep: Array | None = None
) -> tuple[Array, ...]:
    h, c, tanh_c, recurrent, h0, c0, product = buffers
    H = h.shape[1]
    h[0], c[0] = state
    for t in range(len(a)):
        a_t, c_t = a[t], c[t + 1]
        a_t += np.matmul(Whh, carried(h[t], keep, t, h0), out=recurrent)
        sigmoid(a_t[: 3 * H])
        i, f, o, g = a_t[:H], a_t[H : 2 * H], a_t[2 * H : 3 * H], a_t[3 * H :]
        np.tanh(g, out=g)
        np.multiply(f, carried(c[t], keep, t, c0), out=c_t)
        c_t += np.multiply(i, g, out=product)
        np.tanh(c_t, out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])
    return h[-1].copy(), c[-1].copy()


def backward(
    dh: Array, a: Array, Whh: Array, buffers: Buffers, keep: Array | None = None
) -> tuple[Array, Array, tuple[Array, ...]]:
    h, c, tanh_c, recurrent, _, c0, product = buffers
    H = h.shape[1]
    dgates = recurrent[: 3 * H]
    di, df, do = dgates[:H], dgates[H : 2 * H], dgates[2 * H :]
    WhhT = np.ascontiguousarray(Whh.T)
    dh_t, dc_t = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in reversed(range(len(a))):
        gates, g = a[t, : 3 * H], a[t, 3 * H :]
        i, f, o = gates[:H], gates[H : 2 * H], gates[2 * H :]
        dh_t += dh[t]

        np.multiply(tanh_c[t], tanh_c[t], out=product)
        np.subtract(1, product, out=product)
        product *= o
        product *= dh_t
        dc_t += product

        np.subtract(1, gates, out=dgates)
        dgates *= gates
        di *= np.multiply(dc_t, g, out=product)
        df *= np.multiply(dc_t, carried(c[t], keep, t, c0), out=product)
        do *= np.multiply(dh_t, tanh_c[t], out=product)

        np.multiply(dc_t, i, out=product)
        np.multiply(g, g, out=g)
        np.subtract(1, g, out=g)
        g *= product

        dc_t *= f
        gates[...] = dgates
        np.matmul(WhhT, a[t], out=dh_t)
        if keep is not None:
            dh_t *= keep[t]
            dc_t *= keep[t]
    return a, a, (dh_t, dc_t)
