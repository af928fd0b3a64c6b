"""All parameters of one network or an ensemble in one flat vector, with named views into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Params(Mapping[str, Array]):
    """One number per parameter: the weights, or their gradients, or Adam's moments.

    `flat` is the vector of all numbers and `params["Whh0"]` a reshaped slice of it, so that clipping, Adam, averaging
    and comparing are each one vector expression. Matrices come first, vectors (the biases) last. Write through a view:
    `params["by"][...] = 0`. A view cannot be rebound. `zeros` allocates the vector.

    `shapes` are those of one network. With several networks, `flat` has one after another, and a view has a first axis
    for the network.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        dtype: npt.DTypeLike = np.float32,
        zeros: Callable[[tuple[int, ...], npt.DTypeLike], Array] = np.zeros,
        networks: int = 1,
    ) -> None:
        self.shapes = dict(sorted(shapes.items(), key=lambda item: -len(item[1])))
        self.networks = networks
        sizes = [prod(shape) for shape in self.shapes.values()]
        self.flat: Array = zeros((networks * sum(sizes),), dtype)
        slices = np.split(self.per_network, np.cumsum(sizes)[:-1], axis=1)
        front = (networks,) if networks > 1 else ()
        self._views = {
            name: part.reshape(front + shape) for (name, shape), part in zip(self.shapes.items(), slices, strict=True)
        }

    @property
    def matrices(self) -> Array:
        """The weight matrices, which weight decay acts on: the first part of `flat`, with a row for each network."""
        return self.per_network[:, : sum(prod(shape) for shape in self.shapes.values() if len(shape) > 1)]

    @property
    def per_network(self) -> Array:
        """`flat` with a row for each network."""
        return self.flat.reshape(self.networks, -1)

    def network(self, number: int) -> Params:
        """The parameters of one network, which share memory with these."""
        row = self.per_network[number]
        return Params(self.shapes, row.dtype, lambda shape, dtype: row)

    def zeros_like(self) -> Params:
        return Params(self.shapes, self.flat.dtype, networks=self.networks)

    def copy(self) -> Params:
        new = self.zeros_like()
        new.flat[:] = self.flat
        return new

    def __deepcopy__(self, memo: object) -> Params:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_flat, (self.shapes, self.flat, self.networks)

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


def _from_flat(shapes: Mapping[str, tuple[int, ...]], flat: Array, networks: int) -> Params:
    return Params(shapes, flat.dtype, lambda shape, dtype: flat, networks)
