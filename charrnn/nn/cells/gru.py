"""Gated recurrent unit, with the reset gate after the recurrent product.

    r, z = sigmoid(a_t + Whh h_{t-1})            reset and update gate: the first 2H rows
    n    = tanh(a_t + r * (Whn h_{t-1}))         candidate: the last H rows; Whn is the last block of Whh
    h_t  = (1 - z) * n + z * h_{t-1}

    dn   = dh_t * (1 - z)
    da_n = dn * (1 - n^2)
    da_z = dn * (h_{t-1} - n) * z                which equals dh_t * (h_{t-1} - n) * z(1-z)
    da_r = da_n * (Whn h_{t-1}) * r(1-r)
    du   = da_t, with r * da_n as its last block   the gradient of the product u_t = Whh h_{t-1}
    dh_{t-1} = z * dh_t + Whh^T du

The only bias is outside r. PyTorch's GRU is the same if its bias_hh is zero.
Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), in the variant whose reset acts
after the product (Chung et al. 2014; cuDNN), so that a step needs one matrix product and not two.

Labels such as (G4) in comments name the line of gru_step or gru_step_backward in examples/textbook_steps.py that a line
here implements, for all streams at once and in place. (G1), `Wxh x_t + bh`, comes ready made as `a_t`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..params import Array
from .gates import mask_state, sigmoid
from .matmul import step_product, transposed

INPUT_ROWS = 3
RECURRENT_ROWS = 3
STATE: tuple[str, ...] = ("h",)


class Cache(NamedTuple):
    h: Array  # (T+1, H, B)
    recurrent: Array  # (T, 3H, B): Whh h_{t-1}, then its gradient
    h0: Array  # (H, B), scratch
    product: Array  # (H, B), scratch


def cache(T: int, H: int, B: int, dtype: npt.DTypeLike) -> Cache:
    return Cache(
        h=np.empty((T + 1, H, B), dtype),
        recurrent=np.empty((T, 3 * H, B), dtype),
        h0=np.empty((H, B), dtype),
        product=np.empty((H, B), dtype),
    )


def initial_bias(H: int) -> Array:
    return np.zeros(3 * H)


def step(a: Array, product: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    (h,) = state
    H = len(h)
    gates = sigmoid(a[: 2 * H] + product[: 2 * H])  # (G3)
    r, z = gates[:H], gates[H:]
    n = np.tanh(a[2 * H :] + r * product[2 * H :])  # (G4)
    return ((1 - z) * n + z * h,)  # (G5)


def forward(
    a: Array, Whh: Array, state: tuple[Array, ...], cache: Cache, carry_mask: Array | None = None
) -> tuple[Array, ...]:
    h, recurrent, h0, product = cache
    H = h.shape[1]
    mul_Whh = step_product(Whh, h.shape[2])
    h[0] = state[0]
    for t, a_t in enumerate(a):
        gates = a_t[: 2 * H]
        r, z, n = a_t.reshape(3, H, -1)  # (G1)
        previous, h_t = mask_state(h[t], carry_mask, t, h0), h[t + 1]
        mul_Whh(previous, recurrent[t])  # (G2)
        gates += recurrent[t, : 2 * H]
        gates *= 0.5  # sigmoid(x) = 0.5 tanh(0.5 x) + 0.5
        np.tanh(gates, out=gates)
        gates *= 0.5
        gates += 0.5  # (G3)
        n += np.multiply(r, recurrent[t, 2 * H :], out=product)
        np.tanh(n, out=n)  # (G4)
        np.subtract(previous, n, out=h_t)
        h_t *= z
        h_t += n  # (G5): n + z (h_{t-1} - n)
    return (h[-1].copy(),)


def backward(
    dh: Array, a: Array, Whh: Array, cache: Cache, carry_mask: Array | None = None
) -> tuple[Array, Array, tuple[Array, ...]]:
    h, recurrent, h0, product = cache
    H = h.shape[1]
    mul_WhhT = step_product(transposed(Whh), h.shape[2])
    dh_t = np.zeros_like(h[0])
    through, dn = np.empty_like(dh_t), np.empty_like(dh_t)
    for t in reversed(range(len(a))):
        r, z, n = a[t].reshape(3, H, -1)
        recurrent_n = recurrent[t, 2 * H :]
        dh_t += dh[t]
        np.multiply(dh_t, z, out=through)
        np.subtract(dh_t, through, out=dn)  # (G6)

        np.subtract(mask_state(h[t], carry_mask, t, h0), n, out=product)
        product *= dn  # (G6) times 1 - z
        z *= product  # (G9): z becomes da_z

        np.multiply(dn, n, out=product)
        n *= product
        np.subtract(dn, n, out=n)  # (G7): n becomes da_n = dn - dn n^2

        np.multiply(n, recurrent_n, out=product)  # (G8) dr
        np.multiply(n, r, out=recurrent_n)  # (G8) du_n
        product *= r
        r *= product
        np.subtract(product, r, out=r)  # (G9): r becomes da_r

        recurrent[t, : 2 * H] = a[t, : 2 * H]
        mul_WhhT(recurrent[t], dh_t)
        dh_t += through  # (G10)
        if carry_mask is not None:
            dh_t *= carry_mask[t]
    return a, recurrent, (dh_t,)
