"""Whitening: remove the correlations between hidden units from gradients before Adam sees them.

    C = C + RATE (G^T G / |G|^2 - C)             every EVERY updates, for each matrix (R, H) that reads hidden units
    G = G (H C / trace(C) + FLOOR)^(-1/2)        replaces its gradient G

Each row of such a gradient is a sum of hidden vectors, and the units of a layer rise and fall together. So the gradient
is large in a few directions, which limit the learning rate, and small in all others, where nothing would be learnt.
Adam scales each number separately and cannot correct that; the inverse root of the second moments between columns can.
Source: Gupta, Koren and Singer, "Shampoo" (2018), here one-sided; An et al., "ASGO: adaptive structured gradient
optimization" (2025). Measurements: benchmarks/HISTORY.md, "Whitened gradients".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TypeVar

import numpy as np

from ..nn.params import Array, Params

EVERY = 20
EARLY = (1, 3, 7)  # updates before the first EVERY
RATE = 0.1
FLOOR = 1e-3  # relative to the mean moment; no direction is scaled by more than FLOOR^(-1/2)
ROWS = 256  # rows that one thread whitens at a time
WORTH_THREADS = 2e7  # multiplications; with fewer, threads cost more than they save

Item = TypeVar("Item")


class Whitening:
    """`moments` holds C of each such matrix, under the name of the matrix."""

    def __init__(self, params: Params) -> None:
        self.moments = Params(moment_shapes(params.shapes), params.flat.dtype, networks=params.networks)
        self._roots: Params | None = None

    def apply(self, grads: Params, updates: int, executor: Executor | None = None) -> None:
        """Whiten the gradient in place, after `updates` updates of the weights.

        The first update changes nothing: `Why` is zero then, and so are these gradients. C is estimated early and often
        at first, so that Adam's moments are almost all of whitened gradients. `executor` runs parts of a large network
        side by side; without one, this thread does all of it. The result is the same.
        """
        if not updates:
            return
        learn = updates % EVERY == 0 or updates in EARLY
        renew = learn or self._roots is None
        roots = self._roots or self.moments.zeros_like()
        matrices = [
            (G, C, root)
            for name in self.moments
            for G, C, root in zip(*(_by_network(of[name]) for of in (grads, self.moments, roots)), strict=True)
        ]
        shares = [(rows, root) for G, _, root in matrices for rows in np.array_split(G, -(-len(G) // ROWS))]

        def make_root(matrix: tuple[Array, Array, Array]) -> None:
            G, C, root = matrix
            if learn:
                _learn(C, G)
            root[...] = inverse_root(C)

        def whiten(share: tuple[Array, Array]) -> None:
            rows, root = share
            rows[...] = rows @ root

        if sum(rows.size * len(root) for rows, root in shares) < WORTH_THREADS:
            executor = None
        if renew:
            _each(make_root, matrices, executor)
            self._roots = roots  # only after all of them are complete
        _each(whiten, shares, executor)

    def forget_roots(self) -> None:
        """Call this after writing to `moments`."""
        self._roots = None


def moment_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The shape (H, H) of C for each parameter that multiplies hidden units: Whh and the upper layers' Wxh."""
    between = (name for name in shapes if name.startswith(("Whh", "Wxh")) and name != "Wxh0")
    return {name: (shapes[name][1],) * 2 for name in between}


def inverse_root(C: Array) -> Array:
    """(H C / trace(C) + FLOOR)^(-1/2) of a symmetric matrix (H, H)."""
    values, vectors = np.linalg.eigh(C)
    values /= np.trace(C) / len(C) + np.finfo(C.dtype).tiny
    return np.asarray((vectors / np.sqrt(np.maximum(values, 0) + FLOOR)) @ vectors.T)


def _learn(C: Array, G: Array) -> None:
    if largest := np.abs(G).max():
        unit = G / largest
        unit /= np.linalg.norm(unit)
        C += RATE * (unit.T @ unit - C)


def _by_network(array: Array) -> Array:
    """(rows, H) of one network, or (networks, rows, H) of several -> (networks, rows, H), a view."""
    return array.reshape(-1, *array.shape[-2:])


def _each(function: Callable[[Item], None], items: Sequence[Item], executor: Executor | None) -> None:
    if executor is None:
        for item in items:
            function(item)
    else:
        list(executor.map(function, items))  # list() raises what a function raised
