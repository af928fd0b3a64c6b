"""How fast this machine is, at a glance."""

from __future__ import annotations

from math import log2
from time import perf_counter

import numpy as np

SIZE = (512, 2048)
TRIES = 5
SHARE = 0.72  # of the speed of these products is what training a network of 512 units reaches


def training_speed() -> float:
    """About how many multiplications and additions a second training a network of 512 units makes on one thread.

    From the fastest of a few matrix products on one thread, in steps of a factor of 1.4: so the answer is the same
    again unless the machine is much busier than it was.
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
