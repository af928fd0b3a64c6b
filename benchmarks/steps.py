"""Training steps, charrnn beside PyTorch: forward, backward, clip, Adam, state carried from chunk to chunk.

Both have the same parameters: PyTorch reads one-hot vectors, charrnn gathers columns. Each side runs in a process of
its own, with its threads set explicitly; the two take turns, so that a machine that changes its speed changes it for
both. A row gives medians over all turns, in milliseconds a step.

    python benchmarks/steps.py [--threads 2] [--turns 3] [--only gru]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from time import perf_counter

# cell, hidden, layers, streams, characters of each stream in a step
ROWS = [
    ("rnn", 128, 1, 50, 50),
    ("rnn", 256, 1, 32, 64),
    ("rnn", 512, 1, 64, 64),
    ("rnn", 512, 2, 32, 64),
    ("gru", 256, 1, 32, 64),
    ("gru", 512, 1, 64, 64),
    ("lstm", 128, 2, 50, 50),
    ("lstm", 256, 1, 32, 64),
    ("lstm", 512, 1, 64, 64),
    ("lstm", 512, 2, 50, 50),
]
V = 65
LR = 1e-3
CLIP = 1.0
SECONDS = 2.0  # of measuring in one turn, after three steps that do not count


def charrnn_step(cell: str, H: int, L: int, B: int, T: int, threads: int):
    import numpy as np

    from charrnn.nn.config import ModelConfig
    from charrnn.nn.initial import initial_params
    from charrnn.nn.model import Model
    from charrnn.nn.optim import Adam, clip
    from charrnn.nn.shards import Shards
    from charrnn.recipe import shards

    config = ModelConfig(V, cell, H, L)
    params = initial_params(config, 1)
    model = Model(config, params)
    work, adam = Shards(model, B, shards(threads, B), threads), Adam(params)
    ids = np.random.default_rng(0).integers(0, V, (T + 1, B))
    state = model.zero_state(B)

    def step() -> None:
        nonlocal state
        _, grads, state = work.gradient(ids[:-1], ids[1:], state, (1, 0))
        clip(grads.flat, CLIP)
        adam.step(grads.flat, LR)

    return step


def torch_step(cell: str, H: int, L: int, B: int, T: int, threads: int):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = kind(V, H, L)
            self.out = nn.Linear(H, V)

        def forward(self, x, state):
            h, state = self.cell(nn.functional.one_hot(x, V).float(), state)
            return self.out(h), state

    network = Network()
    adam = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    ids = torch.randint(0, V, (T + 1, B))
    state = None

    def step() -> None:
        nonlocal state
        logits, state = network(ids[:-1], state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        loss = nn.functional.cross_entropy(logits.reshape(-1, V), ids[1:].reshape(-1))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        adam.step()

    return step


def measure(side: str, row: tuple[str, int, int, int, int], threads: int) -> float:
    """The median time of a step in milliseconds. To be called in a process of its own."""
    step = {"charrnn": charrnn_step, "torch": torch_step}[side](*row, threads)
    for _ in range(3):
        step()
    times = []
    began = perf_counter()
    while perf_counter() - began < SECONDS or len(times) < 5:
        start = perf_counter()
        step()
        times.append(perf_counter() - start)
    return 1000 * median(times)


def turn(side: str, number: int, threads: int) -> float:
    """One measurement in a fresh process."""
    blas = "1" if side == "charrnn" else str(threads)
    env = os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), blas)
    command = [sys.executable, __file__, "--measure", side, str(number), "--threads", str(threads)]
    return float(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", default="", help="only rows whose cell is this one")
    parser.add_argument("--measure", nargs=2, metavar=("SIDE", "ROW"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        side, number = options.measure
        print(measure(side, ROWS[int(number)], options.threads))
        return

    print(f"{platform.machine()}, {options.threads} threads, Python {platform.python_version()}, ", end="")
    print(f"{installed('numpy')}, {installed('torch')}; median of {options.turns} turns\n")
    sides = ["charrnn"] if installed("torch").startswith("no") else ["charrnn", "torch"]
    print("| cell | hidden | layers | B | T | charrnn ms | chars/s | PyTorch ms | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for number, row in enumerate(ROWS):
        if options.only not in ("", row[0]):
            continue
        times: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(options.turns):
            for side in sides:
                times[side].append(turn(side, number, options.threads))
        ours = median(times["charrnn"])
        theirs = median(times["torch"]) if "torch" in times else float("nan")
        figures = [f"{ours:.1f}", f"{row[3] * row[4] / ours * 1000:,.0f}", f"{theirs:.1f}", f"{theirs / ours:.2f}"]
        print("| " + " | ".join([*map(str, row), *figures]) + " |", flush=True)


if __name__ == "__main__":
    main()
