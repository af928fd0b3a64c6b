"""The recurrent cells: one file each, which reads like the lecture, and one interface for all.

A cell knows only what happens from one time step to the next. The input projection `a` is computed before:

    a     (T, INPUT_ROWS * H, B)      Wxh x_t + bh for every step; forward and backward both overwrite it
    Whh   (RECURRENT_ROWS * H, H)
    state one (H, B) matrix for each name in STATE; a column is one stream's state
    carry_mask  (T, B) or None        0 where a stream's state is reset to zero before step t, else 1

`step` is the recurrence as the lecture writes it: it takes a_t, the product Whh h_{t-1} and the state before a step,
and returns the state after it. `forward` and `backward` do T steps, in the buffers of a `cache`.

`forward` returns the state after the last step and writes the hidden states to `cache.h` (T+1, H, B), the initial one
first. Call `backward` after it with the same arguments. It takes `dh` (T, H, B), the gradient of the loss with respect
to each hidden state through the layers above only. It returns the gradients of `a`, of the recurrent product `Whh h`
(the same array, unless the cell resets after the product) and of the initial state.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..params import Array
from . import gru, lstm, rnn


class Cell(Protocol):
    """The interface of a cell's module."""

    INPUT_ROWS: int
    RECURRENT_ROWS: int
    STATE: tuple[str, ...]

    def initial_bias(self, H: int) -> Array: ...

    def cache(self, T: int, H: int, B: int, dtype: Any) -> Any: ...

    def step(self, a: Array, product: Array, state: tuple[Array, ...]) -> tuple[Array, ...]: ...

    def forward(
        self, a: Array, Whh: Array, state: tuple[Array, ...], cache: Any, carry_mask: Array | None = None
    ) -> tuple[Array, ...]: ...

    def backward(
        self, dh: Array, a: Array, Whh: Array, cache: Any, carry_mask: Array | None = None
    ) -> tuple[Array, Array, tuple[Array, ...]]: ...


CELLS: dict[str, Cell] = {"rnn": rnn, "lstm": lstm, "gru": gru}
