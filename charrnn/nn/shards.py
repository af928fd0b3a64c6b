"""One batch in shares: each takes some of the streams, and the gradients are added up in a fixed order.

The shares are worked on side by side (team.py). The result depends on the number of shares (floating-point sums in
another order, other dropout masks), not on how many work on them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .chance import NO_DROPOUT, Dropout
from .model import Model, State
from .params import Array, Params
from .softmax import nats_and_gradient
from .team import shared_zeros, team
from .workspace import Workspace

Question = tuple[Array, Array, State, tuple[int, ...], Array | None, Dropout]  # x, y, state, key, keep, dropout
Answer = list[tuple[float, State]]  # the loss and the new state of each share


class Shards:
    """Forward and backward of `count` shares of B streams, on up to `threads` cores. `dropout`: the most."""

    def __init__(self, model: Model, B: int, count: int, threads: int, dropout: Dropout = NO_DROPOUT) -> None:
        self.given = model.params
        size = min(threads, count)
        zeros = np.zeros if size == 1 else shared_zeros
        shapes, dtype = model.config.shapes(), model.params.flat.dtype
        self.params = self.given if size == 1 else Params(shapes, dtype, zeros)
        self.grads = [Params(shapes, dtype, zeros) for _ in range(count)]
        edges = [B * i // count for i in range(count + 1)]
        columns = [slice(*pair) for pair in pairwise(edges)]
        shares = [_Share(Model(model.config, self.params), own, dropout) for own in columns]
        grads = self.grads

        def work(member: int, question: Question) -> Answer:
            return [shares[i].gradient(*question, grads[i], i) for i in range(member, count, size)]

        self._ask = team(size, work)

    def gradient(
        self,
        x: Array,
        y: Array,
        state: State,
        key: tuple[int, ...],
        keep: Array | None = None,
        dropout: Dropout = NO_DROPOUT,
    ) -> tuple[float, Params, State]:
        """The mean loss in nats per character over all T*B targets, its gradient, and the state after x.

        `x`, `y` are ids (T, B); `key` is (seed, step), from which dropout masks are drawn; `keep` and `dropout`
        are as in `Model.forward`.
        """
        if self.params is not self.given:
            self.params.flat[:] = self.given.flat
        answers = self._ask((x, y, state, key, keep, dropout))
        size = len(answers)
        totals, states = zip(*(answers[i % size][i // size] for i in range(len(self.grads))), strict=True)
        for other in self.grads[1:]:
            self.grads[0].flat += other.flat
        return sum(totals) / y.size, self.grads[0], _side_by_side(states)


class _Share:
    """Forward and backward of the streams in some columns."""

    def __init__(self, model: Model, columns: slice, dropout: Dropout) -> None:
        self.model, self.columns, self.dropout = model, columns, dropout
        self._works: dict[int, Workspace] = {}

    def gradient(
        self,
        x: Array,
        y: Array,
        state: State,
        key: tuple[int, ...],
        keep: Array | None,
        dropout: Dropout,
        grads: Params,
        number: int,
    ) -> tuple[float, State]:
        """The sum of nats over this share's targets, and its new state; its part of the gradient goes to `grads`."""
        own = self.columns
        kept = None if keep is None else keep[:, own]
        work = self._workspace(len(x))
        own_state = tuple(tuple(part[:, own] for part in layer) for layer in state)
        with np.errstate(all="ignore"):  # what is not finite is found by its sum
            new = self.model.forward(x[:, own], own_state, work, kept, dropout, (*key, number))
            total = nats_and_gradient(work.logits, y[:, own].ravel(), 1 / y.size)
            self.model.backward(x[:, own], work, grads, kept)
        return total, new

    def _workspace(self, T: int) -> Workspace:
        if T not in self._works:
            streams = self.columns.stop - self.columns.start
            self._works[T] = self.model.workspace(T, streams, self.dropout)
        return self._works[T]


def _side_by_side(states: tuple[State, ...]) -> State:
    """The state of all streams from those of the shares."""
    return tuple(
        tuple(np.concatenate(parts, axis=1) for parts in zip(*layers, strict=True))
        for layers in zip(*states, strict=True)
    )
