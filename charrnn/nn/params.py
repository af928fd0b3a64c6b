"""All parameters of a model in one flat vector, with named views into it."""

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
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        dtype: npt.DTypeLike = np.float32,
        zeros: Callable[[tuple[int, ...], npt.DTypeLike], Array] = np.zeros,
    ) -> None:
        self.shapes = dict(sorted(shapes.items(), key=lambda item: -len(item[1])))
        sizes = [prod(shape) for shape in self.shapes.values()]
        self.flat: Array = zeros((sum(sizes),), dtype)
        ends = np.cumsum(sizes)[:-1]
        slices = np.split(self.flat, ends)
        self._views = {
            name: part.reshape(shape) for (name, shape), part in zip(self.shapes.items(), slices, strict=True)
        }

    @property
    def matrices(self) -> Array:
        """The leading part of `flat` that holds the weight matrices: what weight decay acts on."""
        return self.flat[: sum(view.size for view in self._views.values() if view.ndim > 1)]

    def zeros_like(self) -> Params:
        return Params(self.shapes, self.flat.dtype)

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
