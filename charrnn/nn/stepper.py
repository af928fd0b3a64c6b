"""The network one character at a time, forward only and without buffers for a chunk: used to write text."""

from __future__ import annotations

import numpy as np

from .layer_norm import folded, folded_product
from .model import Model, State
from .params import Array

StepperState = tuple[tuple[tuple[Array, ...], Array], ...]  # for each layer the cell's state, and Whh h


class Stepper:
    """A model laid out for reading one character of each stream at a time.

    The matrices that multiply the first layer's h are stacked into one: Whh for its own next step, and below it the
    folded Wxh of the layer above, or Why. So a network of one layer needs one product per step. Products use `dot`,
    which has less overhead than `@` for one stream.
    """

    def __init__(self, model: Model) -> None:
        p, layers = model.params, range(model.config.layers)
        self.cell = model.cell
        self.recurrent_rows = model.cell.RECURRENT_ROWS * model.config.hidden
        self.input_columns = p["Wxh0"] + p["bh0"][:, None]
        self.input_vectors = np.ascontiguousarray(self.input_columns.T)[:, :, None]
        self.recurrent = [p[f"Whh{number}"] for number in layers]
        self.upper = [folded(p[f"Wxh{number}"]) for number in layers[1:]] + [folded(p["Why"])]
        self.biases = [p[f"bh{number}"][:, None] for number in layers[1:]] + [p["by"][:, None]]
        self.first = np.concatenate([self.recurrent[0], self.upper[0]])

    def start(self, state: State) -> StepperState:
        """The stepper's state for a recurrent state."""
        return tuple((part, Whh @ part[0]) for part, Whh in zip(state, self.recurrent, strict=True))

    def step(self, x: Array, stepper_state: StepperState) -> tuple[Array, StepperState]:
        """Read the ids x (B,). Returns the logits (V, B) of the next character, and the state for the next step."""
        a = self.input_vectors[x[0]] if len(x) == 1 else np.take(self.input_columns, x, axis=1)
        state, product = stepper_state[0]
        state = self.cell.step(a, product, state)
        output = state[0]
        products = self.first.dot(output)
        new = [(state, products[: self.recurrent_rows])]
        a = folded_product(products[self.recurrent_rows :], output) + self.biases[0]
        for number, (state, product) in enumerate(stepper_state[1:], 1):
            state = self.cell.step(a, product, state)
            output = output + state[0]
            new.append((state, self.recurrent[number].dot(state[0])))
            a = folded_product(self.upper[number].dot(output), output) + self.biases[number]
        return a, tuple(new)
