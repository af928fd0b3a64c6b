"""The recurrences, each in a file that reads like the lecture, behind one contract.

A cell gets the input projection ready made and knows only what happens from one time step to the next:

    a     (T, INPUT_ROWS * H, B)      Wxh x_t + bh for every step; forward and backward both overwrite it
    Whh   (RECURRENT_ROWS * H, H)
    state one (H, B) matrix for each name in STATE; a column is one stream's state
    carry_mask  (T, B) or None              0 where a stream's state starts again at zero before step t is read, else 1

`step` is the recurrence as the lecture writes it: from a_t and the product Whh h_{t-1}, both of one step, and the state
before it, it returns the state after it. `forward` and `backward` do many steps, on cache.

`forward` returns the state after the last step and leaves the hidden states in `cache.h` (T+1, H, B), the initial
one first. `backward` must follow it with the same arguments: from `dh` (T, H, B), the gradient of the loss with respect
to each hidden state as seen by the layers above, it returns the gradients of `a`, of the recurrent product `Whh h`
(the same array, unless the cell resets after the product) and of the initial state.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..params import Array
from . import gru, lstm, rnn


class Cell(Protocol):
    """What a cell's module offers."""

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
