"""The buffers that one chunk of T characters in B streams passes through, allocated once and used at every step."""

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
    """What forward leaves of one layer for backward."""

    def __init__(
        self, config: ModelConfig, number: int, T: int, B: int, columns: int, dtype: npt.DTypeLike, dropout: Dropout
    ) -> None:
        cell, H = CELLS[config.cell], config.hidden
        self.a: Array = np.zeros((T, cell.INPUT_ROWS * H, columns), dtype)
        self.cache: Any = cell.cache(T, H, columns, dtype)
        self.flat_h: Array = np.empty((H, (T + 1) * B), dtype)
        self.mask: Array = np.empty((H, T * B) if dropout.outputs else 0, dtype)
        self.Whh_mask: Array = np.empty((cell.RECURRENT_ROWS * H, H) if dropout.recurrence else 0, dtype)
        self.Whh: Array = np.empty_like(self.Whh_mask)  # what dropout leaves of the weights
        self.normed: Array = np.empty((H, T * B), dtype)
        self.scale: Array = np.empty(0, dtype)  # of what is normal; forward makes it


class Workspace:
    """`Model.forward` fills it, `Model.backward` reads and overwrites it. `dropout`: the most that there will be.

    Arrays in the time loop are (T, rows, columns): the B streams, and columns of no meaning where those make a step's
    product faster. `flat` arrays hold the T*B real columns and nothing else.
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
        self.flat_a: Array = np.empty((rows, T * B), dtype)  # and its gradient

    @property
    def nbytes(self) -> int:
        """The memory they take, in bytes."""
        return sum({id(owner): owner.nbytes for owner in map(_owner, self._arrays())}.values())

    def _arrays(self) -> Iterator[Array]:
        yield from (self.logits, self.dh, self.flat_output, self.flat_doutput, self.flat_a)
        for layer in self.layers:
            yield from (layer.a, *layer.cache, layer.flat_h, layer.mask, layer.Whh_mask, layer.Whh, layer.normed)


def _owner(array: Array) -> Array:
    return array if array.base is None else array.base


def pad(columns: Array, width: int, value: float = 0) -> Array:
    """`columns` (..., B) with columns of `value` behind them, up to `width`; itself where it is as wide as that."""
    missing = width - columns.shape[-1]
    return np.pad(columns, [(0, 0), (0, missing)], constant_values=value) if missing else columns


def flatten(x: Array, out: Array) -> Array:
    """(T, rows, columns) -> (rows, T*B), the real columns of every step side by side, into the first rows of `out`."""
    T, rows, _ = x.shape
    flat = out[:rows]
    steps = unflatten(flat, T)
    np.copyto(steps, x[:, :, : steps.shape[2]])
    return flat


def unflatten(flat: Array, T: int) -> Array:
    """(rows, T*B) -> (T, rows, B), a view."""
    rows, columns = flat.shape
    return flat.reshape(rows, T, columns // T).transpose(1, 0, 2)
