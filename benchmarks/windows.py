"""Evaluation in windows compared with one sequential pass over the text: the difference in loss, and the time.

python benchmarks/windows.py CHECKPOINT... < TEXT
"""

from __future__ import annotations

import os
import sys
from time import perf_counter

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from charrnn.checkpoint.load import load_model
from charrnn.evaluation.metrics import Metrics, partial_metrics
from charrnn.evaluation.windows import PIECE, WARM_UP
from charrnn.nn.loss import nats

CHUNK = 256


def sequential(network, ids) -> float:
    """Nats per character over the whole text, read as one stream."""
    state, total = network.zero_state(1), 0.0
    for start in range(0, len(ids) - 1, CHUNK):
        x, y = ids[start : start + CHUNK], ids[start + 1 : start + CHUNK + 1]
        x = x[: len(y)]
        work = network.workspace(len(x), 1)
        state = network.forward(x[:, None], state, work)
        total += nats(work.logits, y).sum(dtype=np.float64)
    return total / (len(ids) - 1)


def main() -> None:
    text = sys.stdin.read()
    print(f"windows of {PIECE}, each warmed up on {WARM_UP}; {len(text):,} characters, one thread\n")
    print("| checkpoint | sequential, nats | windows, nats | difference | sequential, s | windows, s |")
    print("|---|---|---|---|---|---|")
    for path in sys.argv[1:]:
        model = load_model(path)
        ids, _ = model.vocab.encode(text)
        began = perf_counter()
        one = sequential(model.network, ids)
        between = perf_counter()
        other = sum(partial_metrics(model.network, ids), start=Metrics()).nats_per_char
        times = f"{between - began:.2f} | {perf_counter() - between:.2f}"
        name = f"{model.network.config.cell} {model.network.config.hidden}x{model.network.config.layers}"
        print(f"| {name} | {one:.6f} | {other:.6f} | {other - one:+.6f} | {times} |")


if __name__ == "__main__":
    main()
