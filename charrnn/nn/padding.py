"""Padding: columns added to the B streams where they make the matrix products of a step faster."""

from __future__ import annotations

WIDTH = 16  # columns that the widest matrix-product kernels process at a time


def padded(B: int) -> int:
    """How many columns to compute for B streams: 25 columns take longer than 32, but 24 do not."""
    over = B % WIDTH
    return B + WIDTH - over if over > WIDTH // 2 else B
