"""How many threads to use, found out without NumPy."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def one_blas_thread() -> None:
    """Keep the BLAS library at one thread: charrnn shares its work out over threads of its own (nn/shards.py)."""
    for name in BLAS_VARIABLES:
        os.environ[name] = "1"


def physical_cores() -> int:
    """The physical cores that this process may use, by its affinity and its control group; at least 1."""
    try:
        processors = os.sched_getaffinity(0)
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
    cores = {_siblings(number) for number in processors}
    return max(1, min(len(cores), _quota()))


def _siblings(processor: int) -> str:
    """The processors that share a core with this one; itself where that cannot be found out."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(processor)


def _quota() -> int:
    """The processors' worth of time that a container is granted, rounded up; very many where there is no limit."""
    with suppress(OSError, ValueError):
        allowed, period = map(int, Path("/sys/fs/cgroup/cpu.max").read_text().split())
        return -(-allowed // period)
    return 1 << 20
