"""Time and peak memory that `charrnn sample --check CORPUS` adds to sampling, for corpora of 1, 10 and 100 MB.

    python benchmarks/overlap.py [--megabytes 1 10 100] [--turns 3]

Whole commands are timed. The time is the median with --check less the median without, so it includes reading the
corpus. The corpus is that of benchmarks/memory.py. The model is trained for a few steps on Python's own reference text,
and may sample only "t", "h", "e" and spaces, so that much of the sample is in the corpus. In the last row the corpus
and the sample are one character repeated.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path
from pydoc_data.topics import topics
from statistics import median

from common import CHARRNN, heading, machine, row
from memory import MB, peak, write_text
from startup import seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()

    print(f"{machine('numpy')}; medians of {options.turns} turns\n")
    print(heading("corpus, MB", "characters sampled", "extra seconds", "extra ns per corpus character", "peak, MB"))
    with tempfile.TemporaryDirectory() as folder:
        own, model, corpus = Path(folder, "own.txt"), f"{folder}/model.npz", Path(folder, "corpus.txt")
        own.write_text("\n".join(topics.values()), "utf-8")
        subprocess.run([*CHARRNN, "train", str(own), "--steps", "50", "-c", model, "--quiet"], check=True)
        rows = [(megabytes, length, "the ") for megabytes in options.megabytes for length in (500, 20_000)]
        for megabytes, length, allow in [*rows, (options.megabytes[-1], 500, "a")]:
            if allow == "a":
                with corpus.open("wb") as file:
                    file.writelines(b"a" * MB for _ in range(megabytes))
            else:
                write_text(corpus, megabytes * MB)
            draw = [*CHARRNN, "sample", "-c", model, "--seed", "1", "--length", str(length), "--allow", allow]
            check = [*draw, "--check", str(corpus)]
            with_check, without = (median(seconds(line) for _ in range(options.turns)) for line in (check, draw))
            more, highest = with_check - without, peak(check)
            print(
                row(megabytes, length, f"{more:.2f}", f"{1e9 * more / (megabytes * MB):.1f}", f"{highest / MB:.0f}"),
                flush=True,
            )


if __name__ == "__main__":
    main()
