"""How many cores there are, and the BLAS library's threads, which must be set before NumPy is imported."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def one_blas_thread() -> None:
    """Set the BLAS library to one thread, because charrnn distributes the work itself (parallel/data_parallel.py)."""
    for name in BLAS_VARIABLES:
        os.environ[name] = "1"


def physical_cores() -> int:
    """The number of physical cores that this process may use, by CPU affinity and control group; at least 1."""
    try:
        processors = os.sched_getaffinity(0)
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
    cores = {_siblings(number) for number in processors}
    return max(1, min(len(cores), _quota()))


def _siblings(processor: int) -> str:
    """The logical processors on the same core as this one; itself if the system does not say."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(processor)


def _quota() -> int:
    """The CPU quota of the container in processors, rounded up; a very large number if there is no limit."""
    with suppress(OSError, ValueError):
        allowed, period = map(int, Path("/sys/fs/cgroup/cpu.max").read_text().split())
        return -(-allowed // period)
    return 1 << 20
