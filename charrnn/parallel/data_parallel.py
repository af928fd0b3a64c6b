"""Data parallelism: the streams of a batch are split into shards, whose gradients are added in a fixed order.

The shards of every network are distributed over the workers (workers.py). The result depends on the number of shards
(the order of floating-point sums, the dropout masks) but not on the number of workers.
"""

from __future__ import annotations

from itertools import pairwise
from types import TracebackType

import numpy as np

from ..nn.dropout import NO_DROPOUT, Dropout
from ..nn.ensemble import Network, make_network, networks_of, split_by_network
from ..nn.loss import nats_and_gradient
from ..nn.model import Model, State
from ..nn.params import Array, Params
from ..nn.workspace import Workspace
from .workers import shared_zeros, start_workers

Task = tuple[Array, Array, State, tuple[int, ...], Array | None, Dropout]  # x, y, state, key, carry_mask, dropout
Result = list[tuple[float, State]]  # the loss and the new state of each shard of one worker


class DataParallel:
    """Loss and gradient of a batch of B streams in `count` shards, on up to `threads` cores.

    `dropout` is the largest that will be asked for: it decides which buffers are allocated. Close it after use, or use
    it in a `with` statement.
    """

    def __init__(self, network: Network, B: int, count: int, threads: int, dropout: Dropout = NO_DROPOUT) -> None:
        self.given = network.params
        self.networks = network.config.networks
        shards = self.networks * count
        size = min(threads, shards)
        zeros = np.zeros if size == 1 else shared_zeros
        layout = network.config.shapes(), network.params.flat.dtype, zeros, self.networks
        self.params = self.given if size == 1 else Params(*layout)
        self.grads = [Params(*layout) for _ in range(count)]
        models = networks_of(make_network(network.config, self.params))
        own_grads = [grads.network(number) for number in range(self.networks) for grads in self.grads]
        edges = [B * i // count for i in range(count + 1)]
        columns = [slice(*pair) for pair in pairwise(edges)]
        buffers = [_Buffers(models[0], dropout) for _ in range(size)]  # one per worker, for one shard at a time

        def work(rank: int, task: Task) -> Result:
            x, y, state, key, carry_mask, dropout = task
            states = list(split_by_network(state, len(models)))
            result = []
            for shard in range(rank, shards, size):
                number, part = divmod(shard, count)
                own = x, y, states[number], (*key, shard), carry_mask, dropout
                result.append(_gradient(models[number], own, columns[part], buffers[rank], own_grads[shard]))
            return result

        self._workers = start_workers(size, work)

    def __enter__(self) -> DataParallel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the workers. Closing twice does no harm."""
        self._workers.close()

    def gradient(
        self,
        x: Array,
        y: Array,
        state: State,
        key: tuple[int, ...],
        carry_mask: Array | None = None,
        dropout: Dropout = NO_DROPOUT,
    ) -> tuple[float, Params, State]:
        """The mean loss over all T*B targets in nats per character, its gradient, and the state after x.

        `x` and `y` are ids (T, B). `key` is (seed, step), from which dropout masks are drawn. `carry_mask` and
        `dropout` are those of `Model.forward`. With several networks the loss is the mean of their losses, and each
        network has the gradient of its own loss. The gradient's buffer is reused by the next call.
        """
        if self.params is not self.given:
            self.params.flat[:] = self.given.flat
        results = self._workers((x, y, state, key, carry_mask, dropout))
        size, count = len(results), len(self.grads)
        totals, states = zip(*(results[i % size][i // size] for i in range(self.networks * count)), strict=True)
        for other in self.grads[1:]:
            self.grads[0].flat += other.flat
        new = [_concatenated(states[first : first + count]) for first in range(0, len(states), count)]
        return sum(totals) / y.size / self.networks, self.grads[0], tuple(layer for own in new for layer in own)


class _Buffers:
    """The workspaces of one worker, one for each shape (T, B) of a chunk."""

    def __init__(self, model: Model, dropout: Dropout) -> None:
        self._model, self._dropout = model, dropout
        self._works: dict[tuple[int, int], Workspace] = {}

    def workspace(self, T: int, B: int) -> Workspace:
        if (T, B) not in self._works:
            self._works[T, B] = self._model.workspace(T, B, self._dropout)
        return self._works[T, B]


def _gradient(model: Model, task: Task, columns: slice, buffers: _Buffers, grads: Params) -> tuple[float, State]:
    """The sum of the loss in nats over the streams in these columns, and their new state.

    Writes their part of the gradient to `grads`.
    """
    x, y, state, key, carry_mask, dropout = task
    scale = 1 / y.size  # for the mean over all streams
    x, y = x[:, columns], y[:, columns]
    carry_mask = None if carry_mask is None else carry_mask[:, columns]
    state = tuple(tuple(part[:, columns] for part in layer) for layer in state)
    work = buffers.workspace(*x.shape)
    with np.errstate(all="ignore"):  # the caller checks that the loss is finite
        new = model.forward(x, state, work, carry_mask, dropout, key)
        total = nats_and_gradient(work.logits, y.ravel(), scale)
        model.backward(x, work, grads, carry_mask)
    return total, new


def _concatenated(states: tuple[State, ...]) -> State:
    """The state of all streams, from the states of the shards."""
    return tuple(
        tuple(np.concatenate(parts, axis=1) for parts in zip(*layers, strict=True))
        for layers in zip(*states, strict=True)
    )
