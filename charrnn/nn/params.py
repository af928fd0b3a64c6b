"""All parameters of a network, or of several of one shape, in one flat vector, with named views into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Params(Mapping[str, Array]):
    """One number for every parameter: the weights themselves, or their gradients, or Adam's moments.

    `flat` is a vector of all of them and `params["Whh0"]` a reshaped slice of it, so that clipping, Adam, averaging and
    comparing are each one vector expression. Matrices come first and vectors (the biases) last. Write through a view,
    `params["by"][...] = 0`; there is no way to rebind one. `zeros` makes the vector.

    `shapes` are those of one network. Of several, one comes after the other in `flat`, and a view has all of them along
    an axis of its own in front.
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
        """The leading part that holds the weight matrices, what weight decay acts on: a row for each network."""
        return self.per_network[:, : sum(prod(shape) for shape in self.shapes.values() if len(shape) > 1)]

    @property
    def per_network(self) -> Array:
        """`flat` with a row for each network."""
        return self.flat.reshape(self.networks, -1)

    def network(self, number: int) -> Params:
        """One network's part of `flat`."""
        row = self.per_network[number]
        return Params(self.shapes, row.dtype, lambda shape, dtype: row)

    def zeros_like(self) -> Params:
        return Params(self.shapes, self.flat.dtype, networks=self.networks)

    def copy(self) -> Params:
        new = self.zeros_like()
        new.flat[:] = self.flat
        return new

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)
