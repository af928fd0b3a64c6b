"""One batch on several threads: each takes some of the streams, and the gradients are added up in a fixed order.

NumPy's element-wise functions use one core; they and the matrix products release the interpreter lock, so a thread for
each share of the streams uses all cores for everything. The result depends on the number of shards (floating-point sums
in another order, other dropout masks), not on the number of threads that work on them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from .model import Model, State
from .params import Array, Params
from .softmax import nats_and_gradient
from .workspace import Workspace

Result = TypeVar("Result")


class Shards:
    """Forward and backward of `count` shares of B streams, on up to `threads` threads."""

    def __init__(self, model: Model, B: int, count: int, threads: int, dropout: float = 0.0) -> None:
        self.model = model
        self.dropout = dropout
        edges = [B * i // count for i in range(count + 1)]
        self.columns = [slice(*pair) for pair in pairwise(edges)]
        self.grads = [model.params.zeros_like() for _ in range(count)]
        self._works: dict[tuple[int, int], Workspace] = {}
        self._pool = ThreadPoolExecutor(threads - 1) if min(threads, count) > 1 else None

    def gradient(self, x: Array, y: Array, state: State, key: tuple[int, ...]) -> tuple[float, Params, State]:
        """The mean loss in nats per character over all T*B targets, its gradient, and the state after x.

        `x`, `y` are ids (T, B); `key` is (seed, step), from which dropout masks are drawn.
        """

        def shard(i: int) -> tuple[float, State]:
            own = self.columns[i]
            work = self._workspace(x.shape[0], i)
            own_state = tuple(tuple(part[:, own] for part in layer) for layer in state)
            with np.errstate(all="ignore"):  # what is not finite is found by its sum, below
                new = self.model.forward(x[:, own], own_state, work, dropout=self.dropout, key=(*key, i))
                total = nats_and_gradient(work.logits, y[:, own].ravel(), 1 / y.size)
                self.model.backward(x[:, own], work, self.grads[i])
            return total, new

        totals, states = zip(*self._each(shard), strict=True)
        for other in self.grads[1:]:
            self.grads[0].flat += other.flat
        return sum(totals) / y.size, self.grads[0], _side_by_side(states)

    def _each(self, work: Callable[[int], Result]) -> list[Result]:
        if self._pool is None:
            return [work(i) for i in range(len(self.columns))]
        others = [self._pool.submit(work, i) for i in range(1, len(self.columns))]
        return [work(0), *(other.result() for other in others)]

    def _workspace(self, T: int, i: int) -> Workspace:
        if (T, i) not in self._works:
            B = self.columns[i].stop - self.columns[i].start
            self._works[T, i] = self.model.workspace(T, B, dropout=self.dropout > 0)
        return self._works[T, i]


def _side_by_side(states: tuple[State, ...]) -> State:
    """The state of all streams from those of the shares."""
    return tuple(
        tuple(np.concatenate(parts, axis=1) for parts in zip(*layers, strict=True))
        for layers in zip(*states, strict=True)
    )
