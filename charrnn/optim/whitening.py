"""Gradients in which what the hidden units have in common is taken out, before Adam sees them.

    C = C + RATE (G^T G / |G|^2 - C)             every EVERY updates, for each matrix (R, H) that reads hidden units
    G = G (H C / trace(C) + FLOOR)^(-1/2)        what takes the place of its gradient G

Each row of such a gradient is a sum of hidden vectors, and the units of a layer go up and down together: so it is long
in few directions, along which the learning rate must be small, and short in all others, along which nothing would be
learnt. Adam gives each number a rate of its own and cannot see that; the root of the second moments between columns
does.
Source: Gupta, Koren and Singer, "Shampoo" (2018), here of one side only; An et al., "ASGO: adaptive structured gradient
optimization" (2025). What it gives is in benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TypeVar

import numpy as np

from ..nn.params import Array, Params

EVERY = 20
EARLY = (1, 3, 7)  # before that
RATE = 0.1
FLOOR = 1e-3  # of the mean: no direction is lengthened by more than its inverse root
ROWS = 256  # that one thread whitens at a time
WORTH_THREADS = 2e7  # multiplications; those of fewer are made sooner than threads

Item = TypeVar("Item")


class Whitening:
    """C of each such matrix is in `moments`, under the matrix's name."""

    def __init__(self, params: Params) -> None:
        self.moments = Params(moment_shapes(params.shapes), params.flat.dtype, networks=params.networks)
        self._roots: Params | None = None

    def apply(self, grads: Params, updates: int, executor: Executor | None = None) -> None:
        """Whiten, in place, the gradient of the update that follows on so many.

        C begins with the second, since in the first these gradients are zero (`Why` is), and is soon renewed, so that
        Adam's moments are those of whitened gradients as good as from the start.
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
            self._roots = roots  # now that all of them are made
        _each(whiten, shares, executor)

    def forget_roots(self) -> None:
        """To be called where `moments` was written to."""
        self._roots = None


def moment_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The shape (H, H) of C for each of these parameters that is a matrix between hidden units."""
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
    """(rows, H), or with an axis in front where there are several networks -> (networks, rows, H), a view."""
    return array.reshape(-1, *array.shape[-2:])


def _each(function: Callable[[Item], None], items: Sequence[Item], executor: Executor | None) -> None:
    list((executor.map if executor else map)(function, items))
