"""A training step, charrnn compared with PyTorch: forward, backward, clipping, Adam, the state carried between chunks.

charrnn's steps also include layer normalisation. Its training also whitens the gradients before Adam sees them
(optim/whitening.py), and PyTorch has no such step. The time of whitening has a column of its own, and so has the ratio
that includes it.

    python benchmarks/steps.py [--threads 2] [--turns 3] [--seconds 1] [--only gru]
    python benchmarks/steps.py --scaling     # charrnn on one thread and on --threads

Both sides have networks of the same sizes: PyTorch reads one-hot vectors, charrnn gathers columns. Each side runs in
fresh processes of its own, with its number of threads set explicitly. The sides take turns, and a row has the medians
over the turns. PyTorch runs without torch.compile, which leaves nn.RNN to the same kernels (rnn 128x1 on one thread:
8.7 ms a step with it and without). PyTorch's threads wait for each other in a busy loop, so on a busy machine it is
several times slower.

GFLOP/s are charrnn's: the arithmetic of the matrix products, counted from the formulas (`arithmetic`), over the time
of the whole step. Three columns compare that with other rates, all measured in turn with the other sides:

    of sgemm             the rate of square products of 2048, one on each thread at once
    of plain products    the rate of the step's own products by themselves, in the same shapes and on the same threads,
                         each a plain `np.matmul`
    of blocked products  the same, with the products of a time step split into blocks as in charrnn; the rest to 100% is
                         everything else that a step does
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Barrier
from time import perf_counter

from common import answer, arguments, has_torch, heading, machine, medians, row, typical

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
SCALING = [0, 2, 4, 5, 8]
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
V = 65
LR = 1e-3
CLIP = 1.0
SQUARE = 2048  # rows and columns of the large square products

Step = Callable[[], object]


def arithmetic(cell: str, H: int, L: int, B: int, T: int) -> float:
    """The operations of a step's matrix products, two for each multiplication and its addition.

    A matrix costs three products: forward, the gradient of its input, its own gradient. Each layer has Whh, each layer
    but the first has Wxh, and the last has Why. The first layer's Wxh is a gather of columns and not a product.
    """
    recurrent = input_above = GATES[cell] * H * H
    return 3 * 2 * T * B * (L * recurrent + (L - 1) * input_above + V * H)


def charrnn_step(cell: str, H: int, L: int, B: int, T: int, threads: int) -> Step:
    import numpy as np

    from charrnn.nn.config import ModelConfig
    from charrnn.nn.init import initial_params
    from charrnn.nn.model import Model
    from charrnn.optim.adam import Adam, clip_gradient
    from charrnn.parallel.data_parallel import DataParallel
    from charrnn.parallel.partition import shard_count

    config = ModelConfig(V, cell, H, L)
    params = initial_params(config, 1)
    model = Model(config, params)
    work, adam = DataParallel(model, B, shard_count(threads, 1, B), threads), Adam(params)
    ids = np.random.default_rng(0).integers(0, V, (T + 1, B))
    state = model.zero_state(B)

    def step() -> None:
        nonlocal state
        _, grads, state = work.gradient(ids[:-1], ids[1:], state, (1, 0))
        clip_gradient(grads.flat, CLIP)
        adam.step(grads.flat, LR)

    return step


def whitening_time(cell: str, H: int, L: int, threads: int) -> float:
    """Mean seconds per update that whitening takes; one update in EVERY computes new roots. The gradients are noise."""
    import numpy as np

    from charrnn.nn.config import ModelConfig
    from charrnn.nn.init import initial_params
    from charrnn.optim.whitening import EVERY, Whitening

    grads = initial_params(ModelConfig(V, cell, H, L), 1)
    given = np.random.default_rng(0).standard_normal(grads.flat.size, np.float32)
    whitening, times = Whitening(grads), []
    executor = ThreadPoolExecutor(threads) if threads > 1 else None
    for update in range(EVERY, 5 * EVERY):
        grads.flat[:] = given
        began = perf_counter()
        whitening.apply(grads, update, executor)
        times.append(perf_counter() - began)
    return sum(times[EVERY:]) / len(times[EVERY:])


def torch_step(cell: str, H: int, L: int, B: int, T: int, threads: int) -> Step:
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


def products_step(cell: str, H: int, L: int, B: int, T: int, threads: int, plain: bool = False) -> Step:
    """The matrix products of charrnn's step and nothing else, each shard of the streams on a thread of its own."""
    import numpy as np

    from charrnn.nn.cells.matmul import step_product
    from charrnn.nn.padding import padded
    from charrnn.parallel.partition import shard_count

    rng = np.random.default_rng(0)
    rows = GATES[cell] * H
    product = (lambda W, B: partial(np.matmul, W)) if plain else step_product

    def normal(*shape: int):
        return rng.standard_normal(shape, np.float32)

    Whh = [normal(rows, H) for _ in range(L)]
    Wxh = [normal(rows, H) for _ in range(L)]
    Why = normal(V, H)

    def share(B: int) -> Step:
        columns = padded(B)
        h, flat_h = normal(L, T, H, columns), normal(L, H, (T + 1) * B)
        da, flat_a = normal(L, T, rows, columns), normal(rows, T * B)
        logits, flat_dh = normal(V, T * B), normal(H, T * B)
        outputs, previous = flat_h[:, :, B:], flat_h[:, :, :-B]
        recurrent, dh_t = normal(rows, columns), normal(H, columns)
        dW, dWhy = np.empty_like(Whh[0]), np.empty_like(Why)
        recur = [product(W, columns) for W in Whh]
        back = [product(W.T.copy(), columns) for W in Whh]

        def products() -> None:
            for layer in range(L):
                if layer:
                    np.matmul(Wxh[layer], outputs[layer - 1], out=flat_a)
                for h_t in h[layer]:
                    recur[layer](h_t, recurrent)
            np.matmul(Why, outputs[-1], out=logits)
            np.matmul(logits, outputs[-1].T, out=dWhy)
            np.matmul(Why.T, logits, out=flat_dh)
            for layer in reversed(range(L)):
                for da_t in reversed(da[layer]):
                    back[layer](da_t, dh_t)
                if layer:
                    np.matmul(flat_a, outputs[layer - 1].T, out=dW)
                    np.matmul(Wxh[layer].T, flat_a, out=flat_dh)
                np.matmul(flat_a, previous[layer].T, out=dW)

        return products

    count = shard_count(threads, 1, B)
    first, *others = [share(end - start) for start, end in pairwise(B * i // count for i in range(count + 1))]
    pool = ThreadPoolExecutor(threads)

    def step() -> None:
        waiting = [pool.submit(products) for products in others]
        first()
        for other in waiting:
            other.result()

    return step


def sgemm_rate(threads: int) -> float:
    """GFLOP/s of large square products, one on each of the threads at once."""
    import numpy as np

    together = Barrier(threads)

    def rate(seed: int) -> float:
        A, B = np.random.default_rng(seed).random((2, SQUARE, SQUARE), np.float32)
        out = A @ B
        together.wait()
        began = perf_counter()
        for _ in range(3):
            np.matmul(A, B, out=out)
        return 3 * 2 * SQUARE**3 / (perf_counter() - began) / 1e9

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(rate, range(threads)))


SIDES = {"charrnn": charrnn_step, "torch": torch_step, "products": products_step}


def compare(numbers: list[int], threads: int, turns: int) -> None:
    """Print the table of charrnn compared with PyTorch and with bare matrix products."""
    names = ("cell", "hidden", "layers", "B", "T", "charrnn ms", "chars/s", "PyTorch ms", "ratio")
    shares = ("of sgemm", "of plain products", "of blocked products")
    print(heading(*names, "whitening ms", "ratio with whitening", "GFLOP/s", *shares))
    for number in numbers:
        ours, products, theirs = ((side, number, threads) for side in ("charrnn", "products", "torch"))
        times = medians([ours, theirs, products] if has_torch() else [ours, products], turns)
        (time, whitening), (alone, plain, sgemm) = times[ours], times[products]
        (other,) = times.get(theirs, [float("nan")])
        B, T = ROWS[number][3:]
        rate = arithmetic(*ROWS[number]) / time / 1e9
        figures = [f"{1000 * time:.1f}", f"{B * T / time:,.0f}", f"{1000 * other:.1f}", f"{other / time:.2f}"]
        figures += [f"{1000 * whitening:.1f}", f"{other / (time + whitening):.2f}"]
        percents = [f"{share:.0%}" for share in (rate / sgemm, plain / time, alone / time)]
        print(row(*ROWS[number], *figures, f"{rate:.0f}", *percents), flush=True)


def scale(numbers: list[int], threads: int, turns: int) -> None:
    """Print the table of charrnn on one thread, with all streams in one shard, and on several threads."""
    names = ("cell", "hidden", "layers", "B", "T", "1 thread, ms", f"{threads} threads, ms", "ratio")
    print(heading(*names))
    for number in numbers:
        one, several = ("charrnn", number, 1), ("charrnn", number, threads)
        times = medians([one, several], turns)
        (slow,), (fast,) = times[one], times[several]
        print(row(*ROWS[number], f"{1000 * slow:.1f}", f"{1000 * fast:.1f}", f"{slow / fast:.2f}"), flush=True)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--scaling", action="store_true", help="compare charrnn on one thread and on --threads")
    options = parser.parse_args()

    def measure(side: str, number: int, threads: int) -> list[float]:
        time = typical(SIDES[side](*ROWS[number], threads), options.seconds)
        if side == "torch" or options.scaling:
            return [time]
        if side == "charrnn":
            return [time, whitening_time(*ROWS[number][:3], threads)]
        plain = typical(products_step(*ROWS[number], threads, plain=True), options.seconds / 2)
        return [time, plain, sgemm_rate(threads)]

    if options.measure:
        answer(options.measure, measure)
        return

    print(f"{machine('numpy', 'torch')}; {options.threads} threads, medians of {options.turns} turns\n")
    numbers = SCALING if options.scaling else range(len(ROWS))
    table = scale if options.scaling else compare
    table([n for n in numbers if options.only in ("", ROWS[n][0])], options.threads, options.turns)


if __name__ == "__main__":
    main()
