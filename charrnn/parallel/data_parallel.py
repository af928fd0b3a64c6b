"""One batch in shares: each takes some of the streams, and the gradients are added up in a fixed order.

The shares, of each network where there are several, are worked on side by side (team.py). The result depends on the
number of shares (floating-point sums in another order, other dropout masks), not on how many work on them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..nn.dropout import NO_DROPOUT, Dropout
from ..nn.ensemble import Network, make_network, networks_of, split_by_network
from ..nn.loss import nats_and_gradient
from ..nn.model import Model, State
from ..nn.params import Array, Params
from ..nn.workspace import Workspace
from .workers import shared_zeros, start_workers

Question = tuple[Array, Array, State, tuple[int, ...], Array | None, Dropout]  # x, y, state, key, carry_mask, dropout
Answer = list[tuple[float, State]]  # the loss and the new state of each share that a worker has


class DataParallel:
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
        models = networks_of(make_network(network.config, self.params))
        own_grads = [grads.network(number) for number in range(self.networks) for grads in self.grads]
        edges = [B * i // count for i in range(count + 1)]
        columns = [slice(*pair) for pair in pairwise(edges)]
        buffers = [_Buffers(models[0], dropout) for _ in range(size)]  # each worker's, for one share at a time

        def work(member: int, question: Question) -> Answer:
            x, y, state, key, carry_mask, dropout = question
            states = list(split_by_network(state, len(models)))
            answers = []
            for task in range(member, tasks, size):
                number, share = divmod(task, count)
                own = x, y, states[number], (*key, task), carry_mask, dropout
                answers.append(_gradient(models[number], own, columns[share], buffers[member], own_grads[task]))
            return answers

        self._ask = start_workers(size, work)

    def __enter__(self) -> DataParallel:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the workers go."""

    def gradient(
        self,
        x: Array,
        y: Array,
        state: State,
        key: tuple[int, ...],
        carry_mask: Array | None = None,
        dropout: Dropout = NO_DROPOUT,
    ) -> tuple[float, Params, State]:
        """The mean loss in nats per character over all T*B targets, its gradient, and the state after x.

        `x`, `y` are ids (T, B); `key` is (seed, step), from which dropout masks are drawn; `carry_mask` and `dropout`
        are as in `Model.forward`. The loss of several networks is the mean of theirs, the gradient that of each one's
        own.
        """
        if self.params is not self.given:
            self.params.flat[:] = self.given.flat
        answers = self._ask((x, y, state, key, carry_mask, dropout))
        size, count = len(answers), len(self.grads)
        totals, states = zip(*(answers[i % size][i // size] for i in range(self.networks * count)), strict=True)
        for other in self.grads[1:]:
            self.grads[0].flat += other.flat
        new = [_side_by_side(states[first : first + count]) for first in range(0, len(states), count)]
        return sum(totals) / y.size / self.networks, self.grads[0], tuple(layer for own in new for layer in own)


class _Buffers:
    """The workspaces of one worker: one for each length and width of a chunk."""

    def __init__(self, model: Model, dropout: Dropout) -> None:
        self._model, self._dropout = model, dropout
        self._works: dict[tuple[int, int], Workspace] = {}

    def workspace(self, T: int, B: int) -> Workspace:
        if (T, B) not in self._works:
            self._works[T, B] = self._model.workspace(T, B, self._dropout)
        return self._works[T, B]


def _gradient(
    model: Model, question: Question, columns: slice, buffers: _Buffers, grads: Params
) -> tuple[float, State]:
    """The sum of nats over the targets of the streams in these columns, and their new state.

    Their part of the gradient goes to `grads`.
    """
    x, y, state, key, carry_mask, dropout = question
    scale = 1 / y.size  # for the mean over all streams
    x, y = x[:, columns], y[:, columns]
    carry_mask = None if carry_mask is None else carry_mask[:, columns]
    state = tuple(tuple(part[:, columns] for part in layer) for layer in state)
    work = buffers.workspace(*x.shape)
    with np.errstate(all="ignore"):  # what is not finite is found by its sum
        new = model.forward(x, state, work, carry_mask, dropout, key)
        total = nats_and_gradient(work.logits, y.ravel(), scale)
        model.backward(x, work, grads, carry_mask)
    return total, new


def _side_by_side(states: tuple[State, ...]) -> State:
    """The state of all streams from those of the shares."""
    return tuple(
        tuple(np.concatenate(parts, axis=1) for parts in zip(*layers, strict=True))
        for layers in zip(*states, strict=True)
    )
