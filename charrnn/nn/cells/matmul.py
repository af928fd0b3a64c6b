"""The matrix product of a time step, which is too narrow for what BLAS libraries are made for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..params import Array

Product = Callable[[Array, Array], Array]

SMALL = 1_000_000  # multiplications up to which OpenBLAS, with AVX-512, multiplies without packing its operands
TILE = 12  # rows that it then takes at a time
FEWEST = 48  # rows of a block; with fewer the packing is worth it
SHORTEST = 128  # columns of a part; with fewer the adding up is not
WIDEST = 48  # columns of h up to which it pays
BLOCK = 32  # rows that are transposed together


def _has_unpacked() -> bool:
    """Are there such kernels on this processor?"""
    try:
        found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    except (TypeError, KeyError):  # NumPy before 1.25
        return False
    return bool({"AVX512_SKX", "X86_V4"} & set(found))


UNPACKED = _has_unpacked()


def step_product(W: Array, B: int) -> Product:
    """The function (h, out) -> out = W h, for matrices h (K, B) of column vectors; B is 32, say, and W is (M, K).

    Such a product is too narrow to make up for packing W each time. Where there are kernels that do not pack, W is
    split into blocks of rows that are small enough for them, and a long W also into parts whose products are added up:
    that saves a fifth of the time and more (benchmarks/README.md).
    """
    M, K = W.shape
    counts = range(1, max(1, K // SHORTEST) + 1) if UNPACKED and B <= WIDEST else ()
    parts = next((n for n in counts if K % n == 0 and SMALL // (K // n * B) >= FEWEST), 0)
    if not parts:
        return _in_blocks(W, M, B)
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
    """The same in blocks of so many rows, and what is left of them."""
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
    """A contiguous copy of the transpose, made in blocks that stay in the cache: rows a power of two apart collide."""
    out = np.empty(Whh.shape[::-1], Whh.dtype)
    for start in range(0, len(Whh), BLOCK):
        out[:, start : start + BLOCK] = Whh[start : start + BLOCK].T
    return out
