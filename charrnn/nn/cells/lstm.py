"""Long short-term memory.

    i, f, o = sigmoid(a_t + Whh h_{t-1})     input, forget and output gate: one block of 3H rows
    g       = tanh(a_t + Whh h_{t-1})        candidate: the last H rows
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

    dc_t += dh_t * (o - h_t * tanh(c_t))     which equals dh_t * o * (1 - tanh(c_t)^2)
    dc_{t-1} = dc_t * f
    da_i = (dc_t * i) * g * (1 - i)          the derivative of the gate, i(1-i), times its factor in c_t
    da_f = (dc_t * f) * c_{t-1} * (1 - f)
    da_o = dh_t * h_t * (1 - o)
    da_g = (dc_t * i) * (1 - g^2)
    dh_{t-1} = Whh^T da_t

Source: Hochreiter and Schmidhuber, "Long short-term memory" (1997); Gers et al., "Learning to forget" (2000); the
forget gate's bias of 1: Jozefowicz et al., "An empirical exploration of recurrent network architectures" (2015).

Labels such as (L4) in comments name the line of lstm_step or lstm_step_backward in examples/textbook_steps.py that a
line here implements, for all streams at once and in place. `Wxh x_t + bh` comes ready made as `a_t`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..params import Array
from .gates import mask_state, sigmoid
from .matmul import step_product, transposed

INPUT_ROWS = 4
RECURRENT_ROWS = 4
STATE: tuple[str, ...] = ("h", "c")


class Cache(NamedTuple):
    h: Array  # (T+1, H, B)
    c: Array  # (T+1, H, B)
    tanh_c: Array  # (T, H, B)
    recurrent: Array  # (4H, B), scratch: Whh h_{t-1}; in backward, da of the gates but for the factor 1 - gate
    h0: Array  # (H, B), scratch
    c0: Array  # (H, B), scratch
    product: Array  # (H, B), scratch


def cache(T: int, H: int, B: int, dtype: npt.DTypeLike) -> Cache:
    return Cache(
        h=np.empty((T + 1, H, B), dtype),
        c=np.empty((T + 1, H, B), dtype),
        tanh_c=np.empty((T, H, B), dtype),
        recurrent=np.empty((4 * H, B), dtype),
        h0=np.empty((H, B), dtype),
        c0=np.empty((H, B), dtype),
        product=np.empty((H, B), dtype),
    )


def initial_bias(H: int) -> Array:
    """Zero, but 1 for the forget gate, so that the cell remembers at first."""
    bias = np.zeros(4 * H)
    bias[H : 2 * H] = 1
    return bias


def step(a: Array, product: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    _, c = state
    H = len(c)
    a = a + product  # (L1)
    gates, g = sigmoid(a[: 3 * H]), np.tanh(a[3 * H :])  # (L2), (L3)
    i, f, o = gates[:H], gates[H : 2 * H], gates[2 * H :]
    c = f * c + i * g  # (L4)
    return o * np.tanh(c), c  # (L5)


def forward(
    a: Array, Whh: Array, state: tuple[Array, ...], cache: Cache, carry_mask: Array | None = None
) -> tuple[Array, ...]:
    h, c, tanh_c, recurrent, h0, c0, product = cache
    H = h.shape[1]
    mul_Whh = step_product(Whh, h.shape[2])
    h[0], c[0] = state
    for t, a_t in enumerate(a):
        gates, c_t = a_t[: 3 * H], c[t + 1]
        i, f, o, g = a_t.reshape(4, H, -1)
        a_t += mul_Whh(mask_state(h[t], carry_mask, t, h0), recurrent)  # (L1)
        gates *= 0.5  # sigmoid(x) = 0.5 tanh(0.5 x) + 0.5
        np.tanh(a_t, out=a_t)  # (L3), and a part of (L2)
        gates *= 0.5
        gates += 0.5  # (L2)
        np.multiply(f, mask_state(c[t], carry_mask, t, c0), out=c_t)
        c_t += np.multiply(i, g, out=product)  # (L4)
        np.tanh(c_t, out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])  # (L5)
    return h[-1].copy(), c[-1].copy()


def backward(
    dh: Array, a: Array, Whh: Array, cache: Cache, carry_mask: Array | None = None
) -> tuple[Array, Array, tuple[Array, ...]]:
    h, c, tanh_c, recurrent, _, c0, product = cache
    H = h.shape[1]
    dgates = recurrent[: 3 * H]
    di, df, do = dgates.reshape(3, H, -1)
    mul_WhhT = step_product(transposed(Whh), h.shape[2])
    dh_t, dc_t = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in reversed(range(len(a))):
        a_t, h_t = a[t], h[t + 1]
        gates = a_t[: 3 * H]
        i, f, o, g = a_t.reshape(4, H, -1)
        dh_t += dh[t]

        np.multiply(h_t, tanh_c[t], out=product)
        np.subtract(o, product, out=product)
        product *= dh_t
        dc_t += product  # (L7): dh_t (o - h_t tanh_c), where h_t = o tanh_c

        dc_i = np.multiply(dc_t, i, out=product)  # dg of (L8)
        dc_t *= f  # (L11): now dc_{t-1}
        np.multiply(dc_i, g, out=di)  # (L8) times i
        np.multiply(dc_t, mask_state(c[t], carry_mask, t, c0), out=df)  # (L8) times f
        np.multiply(dh_t, h_t, out=do)  # (L6) times o
        np.subtract(1, gates, out=gates)
        gates *= dgates  # (L9): a_t becomes da_t
        g *= di
        np.subtract(dc_i, g, out=g)  # (L10): dc_i - dc_i g^2

        mul_WhhT(a_t, dh_t)  # (L12)
        if carry_mask is not None:
            dh_t *= carry_mask[t]
            dc_t *= carry_mask[t]
    return a, a, (dh_t, dc_t)
