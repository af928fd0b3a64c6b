"""Shared by the benchmarks: a fresh process for each measurement, a description of the machine, rows of a table.

A script that compares several sides starts itself again for each measurement, with `--measure SIDE ROW THREADS` after
its own arguments. That process sets its number of threads before it imports NumPy or PyTorch, measures, and prints its
figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

from charrnn.system.cores import one_blas_thread

CHARRNN = [sys.executable, "-m", "charrnn"]
Job = tuple[str, int, int]  # side, row number, threads


def arguments(description: str, seconds: float = 1.0, turns: int = 3) -> argparse.ArgumentParser:
    """The options common to all comparisons."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2, help="threads for each side")
    parser.add_argument("--turns", type=int, default=turns, help="how many times each side is measured")
    parser.add_argument("--seconds", type=float, default=seconds, help="seconds of measuring in each turn")
    parser.add_argument("--only", default="", help="measure only the rows with this cell")
    parser.add_argument("--measure", nargs=3, metavar=("SIDE", "ROW", "THREADS"), help=argparse.SUPPRESS)
    return parser


def settle(side: str, threads: int) -> None:
    """Set the number of threads, before NumPy or PyTorch is imported; for charrnn, as its command line does."""
    if side.startswith("torch"):
        os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)))
    else:
        one_blas_thread()


def answer(job: Sequence[str], measure: Callable[[str, int, int], list[float]]) -> None:
    """Measure in this process and print the figures."""
    side, row, threads = job[0], int(job[1]), int(job[2])
    settle(side, threads)
    print(json.dumps(measure(side, row, threads)))


def ask(job: Job) -> list[float]:
    """The figures of a job, measured by the same script in a fresh process."""
    command = [sys.executable, *sys.argv, "--measure", *map(str, job)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def medians(jobs: Iterable[Job], turns: int) -> dict[Job, list[float]]:
    """The median of each figure of each job. The jobs take turns: a change in the machine's speed affects all."""
    answers: dict[Job, list[list[float]]] = {job: [] for job in jobs}
    for _ in range(turns):
        for job, figures in answers.items():
            figures.append(ask(job))
    return {job: [median(column) for column in zip(*figures, strict=True)] for job, figures in answers.items()}


def typical(step: Callable[[], object], seconds: float) -> float:
    """The median time of a step in seconds, after two uncounted steps."""
    step()
    step()
    times: list[float] = []
    began = perf_counter()
    while perf_counter() - began < seconds or len(times) < 3:
        start = perf_counter()
        step()
        times.append(perf_counter() - start)
    return median(times)


def installed(name: str) -> str:
    """The name and version of a package, or "no NAME" if it is not installed."""
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"


def has_torch() -> bool:
    return not installed("torch").startswith("no ")


def machine(*packages: str) -> str:
    """A description of the machine and the versions of Python and of these packages."""
    system = f"{processor()}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    return ", ".join([system, python, *map(installed, packages), f"load {os.getloadavg()[0]:.1f} at the start"])


def processor() -> str:
    """The name of the processor, if the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def row(*cells: object) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(map(str, cells))} |"


def heading(*names: str) -> str:
    """The heading of a table in Markdown: the names of its columns and the rule under them."""
    return f"{row(*names)}\n|{'---|' * len(names)}"
