"""The matrix product of a time step. It is narrower than the products that BLAS libraries are made for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ...system.blas import openblas_core
from ..params import Array

Product = Callable[[Array, Array], Array]

UNPACKED_CORES = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # OpenBLAS kernels for AVX-512, on Intel and AMD Zen
SMALL = 1_000_000  # multiplications up to which these kernels multiply without packing their operands
TILE = 12  # rows that they process at a time
FEWEST = 48  # rows of a block; with fewer, blocks are slower than packing
SHORTEST = 128  # columns of a part; with fewer, adding the parts costs more than it saves
WIDEST = 48  # columns of h; with more, blocks are slower than packing
BLOCK = 32  # rows transposed at a time


UNPACKED = openblas_core() in UNPACKED_CORES


def step_product(W: Array, B: int) -> Product:
    """The function (h, out) -> out = W h, for a weight matrix W (M, K) and B column vectors h (K, B), 32 say."""
    return (UNPACKED and B <= WIDEST and _unpacked(W, B)) or partial(_plain, W)


def _plain(W: Array, h: Array, out: Array) -> Array:
    np.matmul(W, h, out=out)
    return out


def _unpacked(W: Array, B: int) -> Product | None:
    """W h from products that are small enough for kernels which do not pack; None if W cannot be split well.

    Packing copies W into the kernels' own layout at every product, which does not pay for few columns. W is split into
    blocks of rows, and a long W also into parts of its columns, whose products are added. This takes about a fifth less
    time (benchmarks/HISTORY.md, "What made a training step faster?").
    """
    M, K = W.shape
    counts = range(1, max(1, K // SHORTEST) + 1)
    parts = next((n for n in counts if K % n == 0 and SMALL // (K // n * B) >= FEWEST), 0)
    if not parts:
        return None
    most = SMALL // (K // parts * B)
    even = (M // n for n in range(1, M // FEWEST + 1) if M % n == 0 and M // n <= most)
    rows = next(even, min(M, most // TILE * TILE))
    first, *others = [_in_blocks(part, rows, B) for part in np.split(W, parts, axis=1)]
    if not others:
        return first
    more = np.empty((M, B), W.dtype)

    def product(h: Array, out: Array) -> Array:
        piece, *pieces = h.reshape(parts, -1, B)
        first(piece, out)
        for other, piece in zip(others, pieces, strict=True):
            out += other(piece, more)
        return out

    return product


def _in_blocks(W: Array, rows: int, B: int) -> Product:
    """W h in blocks of `rows` rows, and one of the remaining rows if there are any."""
    M, K = W.shape
    whole = M - M % rows
    shape = (whole // rows, rows, B)
    blocks, rest = W[:whole].reshape(-1, rows, K), W[whole:]

    def even(h: Array, out: Array) -> Array:
        np.matmul(blocks, h, out=out.reshape(shape))
        return out

    def uneven(h: Array, out: Array) -> Array:
        even(h, out[:whole])
        np.matmul(rest, h, out=out[whole:])
        return out

    return uneven if len(rest) else even


def transposed(Whh: Array) -> Array:
    """A contiguous copy of the transpose, made in blocks: rows a power of two apart evict each other from the cache."""
    out = np.empty(Whh.shape[::-1], Whh.dtype)
    for start in range(0, len(Whh), BLOCK):
        out[:, start : start + BLOCK] = Whh[start : start + BLOCK].T
    return out
