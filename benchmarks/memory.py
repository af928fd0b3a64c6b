"""Peak memory of `charrnn train TEXT --steps 20` for texts of 1, 10 and 100 MB.

    python benchmarks/memory.py [--megabytes 1 10 100]

The text is words of Python's own reference text in random order, with a fixed seed. Only a thousandth of it is held out
(--val-fraction 0.001): validating on a tenth of 100 MB would take minutes and need no more memory. The peak is the
resident set size that the system reports for the process. What exceeds the text is Python, NumPy, the network and its
buffers.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from pydoc_data.topics import topics

from common import CHARRNN, heading, machine, row

MB = 1_000_000
OPTIONS = ["--steps", "20", "--val-fraction", "0.001"]


def write_text(path: Path, size: int) -> None:
    """Write `size` bytes of words, in pieces: a child's peak is never below its parent's, so this must stay small."""
    rng = random.Random(1)
    words = " ".join(topics.values()).encode("ascii", "ignore").split()
    with path.open("wb") as file:
        while (left := size - file.tell()) > 0:
            file.write(b" ".join(rng.choices(words, k=MB // 4))[: min(left, MB)])


def peak(command: list[str]) -> int:
    """The peak memory of a command, in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 10, 100])
    options = parser.parse_args()

    print(f"{machine('numpy')}; charrnn train TEXT {' '.join(OPTIONS)}\n")
    print(heading("text, MB", "peak, MB", "peak less the text, MB"))
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        for megabytes in options.megabytes:
            write_text(text, megabytes * MB)
            highest = peak([*CHARRNN, "train", str(text), *OPTIONS, "-c", f"{folder}/model.npz", "--force", "--quiet"])
            print(row(megabytes, f"{highest / MB:.0f}", f"{highest / MB - megabytes:.0f}"), flush=True)


if __name__ == "__main__":
    main()
