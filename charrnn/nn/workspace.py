"""The buffers for one chunk of T characters in B streams, allocated once and used at every step.

Arrays in the time loop are (T, rows, columns): the B streams, and padding columns where they make the products of a
step faster (padding.py). `flat` arrays (rows, T*B) hold the real columns only.

To save memory and time, several buffers hold one thing after another. Here is all of it, in order of time:

    buffer         forward                              backward
    logits         the logits                           their gradient (the loss overwrites them)
    layer.a        a, then the gates and candidate      da
    layer.cache    the cell's own, see its Cache        scratch, see its Cache
    layer.flat_h   h_0 .. h_T; in layer 0, if outputs   read only
                   are not dropped, it is also s^0
    layer.mask,    dropout's masks                      read only
      Whh_mask
    layer.Whh      drop(Whh)                            read only
    layer.normed   drop(h) above layer 0, then y        y, then scratch of layer_norm.backward
    layer.scale    r of layer_norm                      read only
    flat_output    s^l, the sum so far                  dy of the layer below
    flat_doutput   -                                    dy of the top layer, then ds^l, the sum so far
    flat_a         Wxh y before the bias                da, then the gradient of Whh h if the cell has its own
    dh             -                                    dh as seen from above; its padding columns stay zero

So `backward` can follow each `forward` once only, and nothing but the logits may be changed in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .cells import CELLS
from .config import ModelConfig
from .dropout import NO_DROPOUT, Dropout
from .padding import padded
from .params import Array


class LayerCache:
    """What the forward pass of one layer keeps for its backward pass."""

    def __init__(
        self, config: ModelConfig, number: int, T: int, B: int, columns: int, dtype: npt.DTypeLike, dropout: Dropout
    ) -> None:
        cell, H = CELLS[config.cell], config.hidden
        self.a: Array = np.zeros((T, cell.INPUT_ROWS * H, columns), dtype)
        self.cache: Any = cell.cache(T, H, columns, dtype)
        self.flat_h: Array = np.empty((H, (T + 1) * B), dtype)
        self.mask: Array = np.empty((H, T * B) if dropout.outputs else 0, dtype)
        self.Whh_mask: Array = np.empty((cell.RECURRENT_ROWS * H, H) if dropout.recurrence else 0, dtype)
        self.Whh: Array = np.empty_like(self.Whh_mask)
        self.normed: Array = np.empty((H, T * B), dtype)
        self.scale: Array = np.empty(0, dtype)  # forward replaces it


class Workspace:
    """The buffers of all layers. `Model.forward` fills them, `Model.backward` reads and overwrites them.

    `dropout` is the largest that will be used: without it the masks need no memory.
    """

    def __init__(
        self, config: ModelConfig, T: int, B: int, dtype: npt.DTypeLike = np.float32, dropout: Dropout = NO_DROPOUT
    ) -> None:
        cell, H = CELLS[config.cell], config.hidden
        rows = max(cell.INPUT_ROWS, cell.RECURRENT_ROWS) * H
        self.T, self.B, self.dropout = T, B, dropout
        self.columns = padded(B)
        self.layers = [
            LayerCache(config, number, T, B, self.columns, dtype, dropout) for number in range(config.layers)
        ]
        self.logits: Array = np.empty((config.vocab_size, T * B), dtype)
        self.dh: Array = np.zeros((T, H, self.columns), dtype)
        self.flat_output: Array = np.empty((H, T * B), dtype)
        self.flat_doutput: Array = np.empty((H, T * B), dtype)
        self.flat_a: Array = np.empty((rows, T * B), dtype)

    @property
    def nbytes(self) -> int:
        """The memory that the buffers take, in bytes."""
        return sum({id(owner): owner.nbytes for owner in map(_owner, self._arrays())}.values())

    def _arrays(self) -> Iterator[Array]:
        yield from (self.logits, self.dh, self.flat_output, self.flat_doutput, self.flat_a)
        for layer in self.layers:
            yield from (layer.a, *layer.cache, layer.flat_h, layer.mask, layer.Whh_mask, layer.Whh, layer.normed)


def _owner(array: Array) -> Array:
    return array if array.base is None else array.base


def pad(columns: Array, width: int, value: float = 0) -> Array:
    """Append columns of `value` to `columns` (rows, B), up to `width`; returns it unchanged if B is `width`."""
    missing = width - columns.shape[-1]
    return np.pad(columns, [(0, 0), (0, missing)], constant_values=value) if missing else columns


def flatten(x: Array, out: Array) -> Array:
    """(T, rows, columns) -> (rows, T*B): the real columns of all steps side by side, in the first rows of `out`."""
    T, rows, _ = x.shape
    flat = out[:rows]
    steps = unflatten(flat, T)
    np.copyto(steps, x[:, :, : steps.shape[2]])
    return flat


def unflatten(flat: Array, T: int) -> Array:
    """(rows, T*B) -> (T, rows, B), a view."""
    rows, columns = flat.shape
    return flat.reshape(rows, T, columns // T).transpose(1, 0, 2)
