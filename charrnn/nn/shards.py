"""One batch in shares: each takes some of the streams, and the gradients are added up in a fixed order.

The shares, of each network where there are several, are worked on side by side (team.py). The result depends on the
number of shares (floating-point sums in another order, other dropout masks), not on how many work on them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .chance import NO_DROPOUT, Dropout
from .ensemble import Network, apart, build, members
from .model import Model, State
from .params import Array, Params
from .softmax import nats_and_gradient
from .team import shared_zeros, team
from .workspace import Workspace

Question = tuple[Array, Array, State, tuple[int, ...], Array | None, Dropout]  # x, y, state, key, keep, dropout
Answer = list[tuple[float, State]]  # the loss and the new state of each share that a worker has


class Shards:
    """Forward and backward of `count` shares of B streams, on up to `threads` cores. `dropout`: the most."""

    def __init__(self, network: Network, B: int, count: int, threads: int, dropout: Dropout = NO_DROPOUT) -> None:
        self.given = network.params
        self.networks = network.config.networks
        tasks = self.networks * count
        size = min(threads, tasks)
        zeros = np.zeros if size == 1 else shared_zeros
        layout = network.config.shapes(), network.params.flat.dtype, zeros, self.networks
        self.params = self.given if size == 1 else Params(*layout)
        self.grads = [Params(*layout) for _ in range(count)]
        models = members(build(network.config, self.params))
        own_grads = [grads.network(number) for number in range(self.networks) for grads in self.grads]
        edges = [B * i // count for i in range(count + 1)]
        columns = [slice(*pair) for pair in pairwise(edges)]
        shares = [[_Share(own, dropout) for own in columns] for _ in range(size)]  # each worker has buffers of its own

        def work(member: int, question: Question) -> Answer:
            x, y, state, key, keep, dropout = question
            states = list(apart(state, len(models)))
            answers = []
            for task in range(member, tasks, size):
                number, share = divmod(task, count)
                own = x, y, states[number], (*key, task), keep, dropout, own_grads[task]
                answers.append(shares[member][share].gradient(models[number], *own))
            return answers

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
        are as in `Model.forward`. The loss of several networks is the mean of theirs, the gradient that of each one's
        own.
        """
        if self.params is not self.given:
            self.params.flat[:] = self.given.flat
        answers = self._ask((x, y, state, key, keep, dropout))
        size, count = len(answers), len(self.grads)
        totals, states = zip(*(answers[i % size][i // size] for i in range(self.networks * count)), strict=True)
        for other in self.grads[1:]:
            self.grads[0].flat += other.flat
        new = [_side_by_side(states[first : first + count]) for first in range(0, len(states), count)]
        return sum(totals) / y.size / self.networks, self.grads[0], tuple(layer for own in new for layer in own)


class _Share:
    """Forward and backward of the streams in some columns."""

    def __init__(self, columns: slice, dropout: Dropout) -> None:
        self.columns, self.dropout = columns, dropout
        self._works: dict[int, Workspace] = {}

    def gradient(
        self,
        model: Model,
        x: Array,
        y: Array,
        state: State,
        key: tuple[int, ...],
        keep: Array | None,
        dropout: Dropout,
        grads: Params,
    ) -> tuple[float, State]:
        """The sum of nats over this share's targets, and its new state; its part of the gradient goes to `grads`."""
        own = self.columns
        kept = None if keep is None else keep[:, own]
        if len(x) not in self._works:
            self._works[len(x)] = model.workspace(len(x), own.stop - own.start, self.dropout)
        work = self._works[len(x)]
        own_state = tuple(tuple(part[:, own] for part in layer) for layer in state)
        with np.errstate(all="ignore"):  # what is not finite is found by its sum
            new = model.forward(x[:, own], own_state, work, kept, dropout, key)
            total = nats_and_gradient(work.logits, y[:, own].ravel(), 1 / y.size)
            model.backward(x[:, own], work, grads, kept)
        return total, new


def _side_by_side(states: tuple[State, ...]) -> State:
    """The state of all streams from those of the shares."""
    return tuple(
        tuple(np.concatenate(parts, axis=1) for parts in zip(*layers, strict=True))
        for layers in zip(*states, strict=True)
    )
