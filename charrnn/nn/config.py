"""The sizes that define a network, and the shapes of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from .cells import CELLS


@dataclass(frozen=True)
class ModelConfig:
    """The shape of the parameters: V characters, a cell, H hidden units, L layers, N networks of this shape."""

    vocab_size: int
    cell: str = "lstm"
    hidden: int = 256
    layers: int = 2
    networks: int = 1

    def __str__(self) -> str:
        several = f"{self.networks} x " if self.networks > 1 else ""
        return f"{several}{self.cell} {self.hidden}x{self.layers}"

    @property
    def parameters(self) -> int:
        """The number of parameters of all networks."""
        return self.networks * sum(map(prod, self.shapes().values()))

    @property
    def multiplied(self) -> int:
        """The number of parameters used in products for each character: all but `Wxh0`, whose columns are looked up."""
        return self.parameters - self.networks * prod(self.shapes()["Wxh0"])

    def largest_weight(self, dtype: npt.DTypeLike) -> float:
        """The largest weight for which every logit is finite, given that each layer adds hidden values of at most 1."""
        return float(np.finfo(np.dtype(dtype)).max) / (4 * self.hidden * (self.layers + 1))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every parameter of one network. The suffix of a name is the number of its layer."""
        cell, H, V = CELLS[self.cell], self.hidden, self.vocab_size
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.layers):
            shapes[f"Wxh{layer}"] = (cell.INPUT_ROWS * H, H if layer else V)
            shapes[f"Whh{layer}"] = (cell.RECURRENT_ROWS * H, H)
            shapes[f"bh{layer}"] = (cell.INPUT_ROWS * H,)
        return shapes | {"Why": (V, H), "by": (V,)}
