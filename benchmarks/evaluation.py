"""Characters scored per second, charrnn compared with PyTorch: the loss of a text of a million characters.

    python benchmarks/evaluation.py [--threads 2] [--turns 3] [--only gru] [--characters 1000000]

Random weights, random ids, 65 characters. charrnn does what `charrnn eval` does: it scores the text in windows, each
after a warm-up on the characters before it, as many windows at a time on each thread as it chooses. It also counts
correct guesses. PyTorch reads the text once under inference_mode, in 64 parallel streams and chunks of 256 characters
with the state carried, and adds up the cross-entropy; it reads no warm-up. Each side runs in fresh processes of its
own, after an uncounted run on a hundredth of the text. The sides take turns, and a row has the medians over the turns.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from common import answer, arguments, has_torch, heading, machine, medians, row

ROWS = [("rnn", 256, 2), ("gru", 256, 2), ("lstm", 256, 2)]  # cell, hidden, layers
V = 65
STREAMS = 64  # in PyTorch's batch
CHUNK = 256

Score = Callable[[int], float]  # number of characters -> total nats


def charrnn_score(cell: str, H: int, L: int, threads: int) -> Score:
    import numpy as np

    from charrnn.evaluation.metrics import partial_metrics
    from charrnn.nn.config import ModelConfig
    from charrnn.nn.init import initial_params
    from charrnn.nn.model import Model

    config = ModelConfig(V, cell, H, L)
    model = Model(config, initial_params(config, 1))

    def score(characters: int) -> float:
        ids = np.random.default_rng(0).integers(0, V, characters, dtype=np.uint8)
        return sum(part.nats for part in partial_metrics(model, ids, threads=threads))

    return score


def torch_score(cell: str, H: int, L: int, threads: int) -> Score:
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    network, output = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](V, H, L), nn.Linear(H, V)
    onehot = torch.eye(V)

    @torch.inference_mode()
    def score(characters: int) -> float:
        T = characters // STREAMS
        streams = torch.randint(0, V, (STREAMS, T + 1)).T.contiguous()
        state, total = None, 0.0
        for start in range(0, T, CHUNK):
            x, y = streams[start : min(start + CHUNK, T)], streams[start + 1 : start + CHUNK + 1]
            h, state = network(onehot[x], state)
            total += nn.functional.cross_entropy(output(h).reshape(-1, V), y.reshape(-1), reduction="sum").item()
        return total

    return score


SIDES = {"charrnn": charrnn_score, "torch": torch_score}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--characters", type=int, default=1_000_000, help="length of the text")
    options = parser.parse_args()

    def measure(side: str, number: int, threads: int) -> list[float]:
        score = SIDES[side](*ROWS[number], threads)
        score(options.characters // 100)
        began = perf_counter()
        score(options.characters)
        return [perf_counter() - began]

    if options.measure:
        answer(options.measure, measure)
        return

    print(f"{machine('numpy', 'torch')}; {options.threads} threads, medians of {options.turns} turns\n")
    print(heading("network", "charrnn chars/s", "PyTorch chars/s", "ratio"))
    for number, (cell, H, L) in enumerate(ROWS):
        if options.only not in ("", cell):
            continue
        ours, theirs = ("charrnn", number, options.threads), ("torch", number, options.threads)
        times = medians([ours, theirs] if has_torch() else [ours], options.turns)
        (time,), (other,) = times[ours], times.get(theirs, [float("nan")])
        rates = [f"{options.characters / seconds:,.0f}" for seconds in (time, other)]
        print(row(f"{cell} {H}x{L}", *rates, f"{other / time:.2f}"), flush=True)


if __name__ == "__main__":
    main()
