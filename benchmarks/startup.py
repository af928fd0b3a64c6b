"""Start-up time: commands that have almost nothing to do, compared with Python and its imports.

    python benchmarks/startup.py [--turns 7]

Wall time of whole processes, started in turn; medians in milliseconds. The checkpoint has the network that
`charrnn train` chooses for a run of a few steps.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from pydoc_data.topics import topics
from statistics import median
from time import perf_counter

from common import CHARRNN, has_torch, heading, machine, row


def seconds(command: list[str]) -> float:
    """The wall time of a command that must succeed."""
    began = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        corpus, lines, model = Path(folder, "corpus.txt"), Path(folder, "lines.txt"), f"{folder}/model.npz"
        text = "\n".join(topics.values())
        corpus.write_text(text, "utf-8")
        lines.write_text("\n".join(text.splitlines()[:2]) + "\n", "utf-8")
        subprocess.run([*CHARRNN, "train", str(corpus), "--steps", "2", "-c", model, "--quiet"], check=True)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
            "charrnn --help": [*CHARRNN, "--help"],
            "charrnn train --help": [*CHARRNN, "train", "--help"],
            "charrnn info": [*CHARRNN, "info", "-c", model],
            "charrnn sample --length 1": [*CHARRNN, "sample", "--length", "1", "-c", model],
            "charrnn eval, two lines": [*CHARRNN, "eval", str(lines), "-c", model],
        }
        if has_torch():
            commands["python -c 'import torch'"] = [sys.executable, "-c", "import torch"]
        times: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():  # uncounted, so that the files are in the disk cache
            seconds(command)
        for _ in range(options.turns):
            for name, command in commands.items():
                times[name].append(seconds(command))

    print(f"{machine('numpy', 'torch')}; medians of {options.turns} turns\n")
    print(heading("command", "ms"))
    for name, measured in times.items():
        print(row(f"`{name}`", f"{1000 * median(measured):.0f}"))


if __name__ == "__main__":
    main()
