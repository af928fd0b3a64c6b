"""The network one character at a time, forward only: what writing text needs, without buffers for a chunk."""

from __future__ import annotations

import numpy as np

from .model import Model, State
from .params import Array

Carried = tuple[tuple[tuple[Array, ...], Array], ...]  # for each layer the cell's state, and Whh times its h


class Stepper:
    """A model, laid out for reading one character of each stream at a time.

    What a layer's h is multiplied with is one matrix: Whh for the layer's own next step on top, and below it Wxh of the
    layer above or Why. So a layer takes one product a step.
    """

    def __init__(self, model: Model) -> None:
        p, layers = model.params, range(model.config.layers)
        self.cell = model.cell
        self.recurrent_rows = model.cell.RECURRENT_ROWS * model.config.hidden
        self.columns = p["Wxh0"] + p["bh0"][:, None]
        self.rows = np.ascontiguousarray(self.columns.T)[:, :, None]
        upper = [(p[f"Wxh{number}"], p[f"bh{number}"]) for number in layers[1:]] + [(p["Why"], p["by"])]
        self.products = [np.concatenate([p[f"Whh{number}"], upper[number][0]]) for number in layers]
        self.biases = [bias[:, None] for _, bias in upper]

    def carry(self, state: State) -> Carried:
        """What `step` needs to go on from a state."""
        rows = self.recurrent_rows
        return tuple((part, W[:rows] @ part[0]) for part, W in zip(state, self.products, strict=True))

    def step(self, x: Array, carried: Carried) -> tuple[Array, Carried]:
        """Read the ids x (B,): the scores (V, B) of what follows, and what to carry to the next step."""
        a = self.rows[x[0]] if len(x) == 1 else np.take(self.columns, x, axis=1)
        new = []
        for (state, product), W, bias in zip(carried, self.products, self.biases, strict=True):
            state = self.cell.step(a, product, state)
            below = W @ state[0]
            new.append((state, below[: self.recurrent_rows]))
            a = below[self.recurrent_rows :] + bias
        return a, tuple(new)
