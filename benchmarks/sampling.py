"""Characters sampled per second at temperature 0.8, with 1 and 64 streams, charrnn compared with PyTorch.

    python benchmarks/sampling.py [--turns 3] [--seconds 1] [--only rnn]

Random weights, 65 characters. charrnn samples with `generate_ids` on one thread, as `charrnn sample` does. PyTorch
samples in a loop under inference_mode: one-hot vectors, nn.RNN or nn.LSTM, nn.Linear, softmax, multinomial, with the
sampled ids fed back. It is measured on one thread and on --threads (2), and the LSTM with oneDNN's kernels and without
(for one stream those kernels take 15 times as long); the table has the fastest. Each side runs in fresh processes of
its own. The sides take turns, and a row has the medians over the turns.

The last column is the time that a character's matrix products would take by themselves, laid out as in charrnn, over
the time of a character. The rest to 100% is everything else that sampling does.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from time import perf_counter

from common import answer, arguments, has_torch, heading, machine, medians, row

# cell, hidden, layers, streams
ROWS = [
    (cell, H, L, n)
    for n in (1, 64)
    for cell, H, L in (("rnn", 128, 1), ("rnn", 256, 1), ("rnn", 512, 1), ("lstm", 512, 2))
]
V = 65
TEMPERATURE = 0.8
DRAWS = 50  # characters of each stream between two readings of the clock
OUTPUT_SCALE = 0.1  # standard deviation of Why, so that samples are neither uniform nor always the same

Step = Callable[[], object]


def random_network(cell: str, H: int, L: int):
    import numpy as np

    from charrnn.nn.config import ModelConfig
    from charrnn.nn.init import initial_params
    from charrnn.nn.model import Model

    config = ModelConfig(V, cell, H, L)
    params = initial_params(config, 1)
    params["Why"][...] = np.random.default_rng(0).standard_normal((V, H)) * OUTPUT_SCALE
    return Model(config, params)


def charrnn_draws(cell: str, H: int, L: int, n: int, threads: int) -> Step:
    import numpy as np

    from charrnn.language_model import LanguageModel
    from charrnn.sampling.text import generate_ids
    from charrnn.text.vocab import Vocab

    model = LanguageModel(random_network(cell, H, L), Vocab(map(chr, range(V))), start=0)
    stream = generate_ids(model, np.zeros(0, np.intp), n, TEMPERATURE, seed=1)
    return lambda: list(islice(stream, DRAWS))


def torch_draws(cell: str, H: int, L: int, n: int, threads: int) -> Step:
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    network, output = {"rnn": nn.RNN, "lstm": nn.LSTM}[cell](V, H, L), nn.Linear(H, V)
    nn.init.normal_(output.weight, std=OUTPUT_SCALE)
    onehot = torch.eye(V)
    ids, state = torch.zeros(n, dtype=torch.long), None

    @torch.inference_mode()
    def draws() -> None:
        nonlocal ids, state
        for _ in range(DRAWS):
            h, state = network(onehot[ids][None], state)
            probs = torch.softmax(output(h[0]) / TEMPERATURE, dim=1)
            ids = torch.multinomial(probs, 1)[:, 0]

    return draws


def torch_draws_without_onednn(cell: str, H: int, L: int, n: int, threads: int) -> Step:
    import torch

    torch.backends.mkldnn.enabled = False
    return torch_draws(cell, H, L, n, threads)


def products(cell: str, H: int, L: int, n: int, threads: int) -> Step:
    """The matrix products with which charrnn reads a character, once for each character sampled."""
    import numpy as np

    from charrnn.nn.stepper import Stepper

    h = np.random.default_rng(0).standard_normal((H, n), np.float32)
    stepper = Stepper(random_network(cell, H, L))
    matrices = [stepper.first, *stepper.recurrent[1:], *stepper.upper[1:]]
    jobs = [(W, np.empty((len(W), n), np.float32)) for W in matrices]

    def draws() -> None:
        for _ in range(DRAWS):
            for W, out in jobs:
                np.dot(W, h, out=out)

    return draws


def mean_time(draws: Step, seconds: float) -> float:
    """Seconds per draw: the mean, since charrnn generates its random numbers for many draws at once."""
    draws()
    count, began = 0, perf_counter()
    while perf_counter() - began < seconds:
        draws()
        count += DRAWS
    return (perf_counter() - began) / count


SIDES = {
    "charrnn": charrnn_draws,
    "torch": torch_draws,
    "torch without oneDNN": torch_draws_without_onednn,
    "products": products,
}


def main() -> None:
    options = arguments(__doc__).parse_args()

    def measure(side: str, number: int, threads: int) -> list[float]:
        return [mean_time(SIDES[side](*ROWS[number], threads), options.seconds)]

    if options.measure:
        answer(options.measure, measure)
        return

    print(f"{machine('numpy', 'torch')}; medians of {options.turns} turns\n")
    print(heading("cell", "hidden", "layers", "streams", "charrnn chars/s", "PyTorch chars/s", "ratio", "in products"))
    for number, (cell, H, L, n) in enumerate(ROWS):
        if options.only not in ("", cell):
            continue
        ours, alone = ("charrnn", number, 1), ("products", number, 1)
        kinds = ["torch", "torch without oneDNN"] if cell == "lstm" else ["torch"]
        theirs = [(kind, number, threads) for kind in kinds for threads in sorted({1, options.threads})]
        theirs = theirs if has_torch() else []
        times = {job: time for job, (time,) in medians([ours, *theirs, alone], options.turns).items()}
        other = min((times[job] for job in theirs), default=float("nan"))
        figures = [f"{n / times[ours]:,.0f}", f"{n / other:,.0f}", f"{other / times[ours]:.2f}"]
        print(row(cell, H, L, n, *figures, f"{times[alone] / times[ours]:.0%}"), flush=True)


if __name__ == "__main__":
    main()
