"""The buffers that one chunk of T characters in B streams passes through, allocated once and used at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .cells import CELLS
from .config import ModelConfig
from .params import Array


class LayerBuffers:
    """What forward leaves of one layer for backward."""

    def __init__(self, config: ModelConfig, T: int, B: int, dtype: npt.DTypeLike, dropout: bool) -> None:
        cell, H = CELLS[config.cell], config.hidden
        self.a: Array = np.empty((T, cell.INPUT_ROWS * H, B), dtype)
        self.cell: Any = cell.buffers(T, H, B, dtype)
        self.flat_h: Array = np.empty((H, (T + 1) * B), dtype)
        self.mask: Array = np.empty((T, H, B) if dropout else 0, dtype)
        self.output: Array = np.empty_like(self.mask) if dropout else self.cell.h[1:]
        self.flat_output: Array = np.empty((H, T * B), dtype) if dropout else self.flat_h[:, B:]


class Workspace:
    """`Model.forward` fills it, `Model.backward` reads and overwrites it. `dropout`: whether there will be any."""

    def __init__(
        self, config: ModelConfig, T: int, B: int, dtype: npt.DTypeLike = np.float32, dropout: bool = False
    ) -> None:
        cell, H = CELLS[config.cell], config.hidden
        rows = max(cell.INPUT_ROWS, cell.RECURRENT_ROWS) * H
        self.T, self.B, self.dropout = T, B, dropout
        self.layers = [LayerBuffers(config, T, B, dtype, dropout) for _ in range(config.layers)]
        self.logits: Array = np.empty((config.vocab_size, T * B), dtype)
        self.flat_dh: Array = np.empty((H, T * B), dtype)
        self.flat_da: Array = np.empty((rows, T * B), dtype)

    @property
    def nbytes(self) -> int:
        """The memory they take, in bytes."""
        return sum({id(owner): owner.nbytes for owner in map(_owner, self._arrays())}.values())

    def _arrays(self) -> Iterator[Array]:
        yield from (self.logits, self.flat_dh, self.flat_da)
        for layer in self.layers:
            yield from (layer.a, *layer.cell, layer.flat_h, layer.mask, layer.output, layer.flat_output)


def _owner(array: Array) -> Array:
    return array if array.base is None else array.base


def flatten(x: Array, out: Array) -> Array:
    """(T, rows, B) -> (rows, T*B), every step's columns side by side, into the first rows of `out`."""
    T, rows, B = x.shape
    flat = out[:rows]
    np.copyto(flat.reshape(rows, T, B), x.transpose(1, 0, 2))
    return flat


def unflatten(flat: Array, T: int) -> Array:
    """(rows, T*B) -> (T, rows, B), a view."""
    rows, columns = flat.shape
    return flat.reshape(rows, T, columns // T).transpose(1, 0, 2)
