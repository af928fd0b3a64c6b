"""Small things that all cells do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..params import Array

BLOCK = 32  # rows
SMALL = 1_000_000  # multiplications up to which OpenBLAS, with AVX-512, multiplies without packing its operands
FEWEST_ROWS = 64  # of a block; with fewer the packing is worth it


def carried(previous: Array, keep: Array | None, t: int, out: Array) -> Array:
    """The state (H, B) that step t starts from: `previous`, with the columns that start again set to zero.

    Nothing is copied when no stream starts again at this step.
    """
    if keep is None or keep[t].all():
        return previous
    np.multiply(previous, keep[t], out=out)
    return out


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), as 0.5 tanh(0.5 x) + 0.5: one fast function and no overflow."""
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5)


def step_product(W: Array, B: int) -> Callable[[Array, Array], Array]:
    """The function (h, out) -> out = W h, for matrices h (K, B) of column vectors; B is 32, say, and W is (M, K).

    Such a product is too narrow to make up for packing W each time, so W is split into blocks of rows that are small
    enough for the kernels that do not pack: a fifth of the time where there are such kernels (benchmarks/README.md).
    """
    M, K = W.shape
    most = SMALL // (K * B)
    n = next((n for n in range(1, M // FEWEST_ROWS + 1) if M % n == 0 and M // n <= most), 1)
    blocks = W.reshape(n, M // n, K)

    def product(h: Array, out: Array) -> Array:
        np.matmul(blocks, h, out=out.reshape(n, M // n, B))
        return out

    return product


def transposed(Whh: Array) -> Array:
    """A contiguous copy of the transpose, made in blocks that stay in the cache: rows a power of two apart collide."""
    out = np.empty(Whh.shape[::-1], Whh.dtype)
    for start in range(0, len(Whh), BLOCK):
        out[:, start : start + BLOCK] = Whh[start : start + BLOCK].T
    return out
