"""How wide a step's matrix products are: the streams, and padding columns where those make the product faster."""

from __future__ import annotations

WIDTH = 16  # columns that the widest matrix-product kernels take at a time


def padded(B: int) -> int:
    """The columns to compute on for B streams: 25 take longer than 32 do, but 24 do not (benchmarks/README.md)."""
    over = B % WIDTH
    return B + WIDTH - over if over > WIDTH // 2 else B
