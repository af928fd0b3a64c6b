"""How fast this machine is, from a measurement of a few milliseconds."""

from __future__ import annotations

from math import log2
from time import perf_counter

import numpy as np

SIZE = (512, 2048)
TRIES = 5
SHARE = 0.72  # of the speed of these products, which training a network of 512 units reaches


def training_speed() -> float:
    """About how many multiplications and additions a second training reaches on one thread, with 512 hidden units.

    It follows from the fastest of a few matrix products, rounded to a power of the square root of 2, so that repeated
    calls agree unless the load of the machine changes a lot.
    """
    rows, columns = SIZE
    left, right = np.ones((rows, rows), np.float32), np.ones((rows, columns), np.float32)
    product = np.empty((rows, columns), np.float32)
    times = []
    for _ in range(TRIES):
        began = perf_counter()
        np.matmul(left, right, out=product)
        times.append(perf_counter() - began)
    speed = SHARE * 2 * rows * rows * columns / max(min(times), 1e-9)
    return float(2 ** (round(2 * log2(speed)) / 2))
