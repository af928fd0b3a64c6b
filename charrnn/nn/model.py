"""The network: input projection -> stacked cells -> softmax scores, forward and backward.

    a^0_t = Wxh0[:, x_t] + bh0               a column gather: x_t is a character's id; no one-hot vector is built
    h^l_t = cell(a^l_t, h^l_{t-1})           the recurrence, see cells/, with drop(Whh^l), the same for the whole chunk
    s^l_t = drop(h^l_t) + s^{l-1}_t          the residual sum of the outputs of this layer and all below it
    y^l_t = (s^l_t - mean) / deviation       layer normalisation, see layer_norm.py
    a^l_t = Wxh{l} y^{l-1}_t + bh{l}         the layers above
    logits_t = Why y^{L-1}_t + by

drop(X) is X times its mask (dropout.py). In training it sets a part of X to 0 and scales the rest up.
Source: He et al., "Deep residual learning for image recognition" (2016), for the sum over layers; Wan et al.,
"Regularization of neural networks using DropConnect" (2013), and Merity et al., "Regularizing and optimizing LSTM
language models" (2018), for drop(Whh). Measurements: benchmarks/HISTORY.md, "Residual
sum, schedule and initial weights" and "Dropout of Whh".

Arrays in the time loop are (T, rows, columns), so that a step is one contiguous matrix of column vectors. Everything
outside the loop works on `flat` copies (rows, T*B), with all columns of the chunk side by side. Several buffers are
used twice: the table in workspace.py says which.

Numbers such as (2) in comments name the line of examples/min_char_rnn.py that a line here implements.
"""

from __future__ import annotations

import numpy as np

from . import layer_norm
from .cells import CELLS, Cell
from .config import ModelConfig
from .dropout import NO_DROPOUT, Dropout, dropout_mask
from .params import Array, Params
from .workspace import Workspace, flatten, pad, unflatten

State = tuple[tuple[Array, ...], ...]  # for each layer the cell's state, each array (H, B)


class Model:
    """A network and its weights. It keeps no state: a recurrent state is passed in and returned."""

    def __init__(self, config: ModelConfig, params: Params) -> None:
        self.config = config
        self.params = params

    @property
    def cell(self) -> Cell:
        """The module of the recurrence. Not an attribute, because modules cannot be copied or pickled."""
        return CELLS[self.config.cell]

    def zero_state(self, B: int) -> State:
        """The state of B streams that have read nothing."""
        zero = np.zeros((self.config.hidden, B), self.params.flat.dtype)
        return tuple(tuple(zero.copy() for _ in self.cell.STATE) for _ in range(self.config.layers))

    def workspace(self, T: int, B: int, dropout: Dropout = NO_DROPOUT) -> Workspace:
        """Buffers for chunks of T characters in B streams. `dropout` is the largest that will be used."""
        return Workspace(self.config, T, B, self.params.flat.dtype, dropout)

    def forward(
        self,
        x: Array,
        state: State,
        work: Workspace,
        carry_mask: Array | None = None,
        dropout: Dropout = NO_DROPOUT,
        key: tuple[int, ...] = (),
    ) -> State:
        """Read the ids x (T, B) and write a score for each possible next character to `work.logits` (V, T*B).

        `carry_mask` (T, B) is 0 where a stream's state is reset before x_t is read, else 1. `key` is (seed, step, ...),
        from which the dropout masks are drawn. Returns the state after the last character.
        """
        for largest, share in zip(work.dropout, dropout, strict=True):
            assert largest or not share, "the workspace has no buffers for this dropout"
        padded_mask = None if carry_mask is None else pad(carry_mask, work.columns, 1)
        padded_x = pad(x.astype(np.intp), work.columns)
        new_state = []
        output = work.flat_output
        for number in range(len(work.layers)):
            last, output = self._layer_forward(
                number, padded_x, state[number], output, work, padded_mask, dropout, (*key, number)
            )
            new_state.append(last)
        np.matmul(self.params["Why"], work.layers[-1].normed, out=work.logits)
        work.logits += self.params["by"][:, None]  # (2)
        return tuple(new_state)

    def _layer_forward(
        self,
        number: int,
        x: Array,
        state: tuple[Array, ...],
        output: Array,
        work: Workspace,
        carry_mask: Array | None,
        dropout: Dropout,
        key: tuple[int, ...],
    ) -> tuple[tuple[Array, ...], Array]:
        """From s^{l-1} (`output`, not used by layer 0) to s^l and y^l. Returns the layer's last state and s^l."""
        p, layer, B = self.params, work.layers[number], work.B
        bias = p[f"bh{number}"][:, None]
        if number == 0:
            columns = p["Wxh0"] + bias
            for a_t, x_t in zip(layer.a, x, strict=True):
                np.take(columns, x_t, axis=1, out=a_t, mode="clip")
        else:
            flat_a = work.flat_a[: len(bias)]
            np.matmul(p[f"Wxh{number}"], work.layers[number - 1].normed, out=flat_a)
            np.add(unflatten(flat_a, work.T), bias, out=layer.a[:, :, :B])

        Whh = p[f"Whh{number}"]
        if work.dropout.recurrence:
            dropout_mask(layer.Whh_mask, dropout.recurrence, *key, 1)  # 1: other random numbers than the outputs'
            Whh = np.multiply(Whh, layer.Whh_mask, out=layer.Whh)
        initial = tuple(pad(part, work.columns) for part in state)
        last = self.cell.forward(layer.a, Whh, initial, layer.cache, carry_mask)  # (1)

        flatten(layer.cache.h, layer.flat_h)
        h = layer.flat_h[:, B:]
        if work.dropout.outputs:
            dropout_mask(layer.mask, dropout.outputs, *key)
            h = np.multiply(h, layer.mask, out=layer.normed if number else work.flat_output)
        output = np.add(output, h, out=work.flat_output) if number else h
        layer.scale = layer_norm.normalise(output, layer.normed)
        return tuple(part[:, :B] for part in last), output

    def backward(self, x: Array, work: Workspace, grads: Params, carry_mask: Array | None = None) -> State:
        """Fill `grads` from the gradient of the logits, which `work.logits` (V, T*B) must hold.

        Call it after `forward` with the same x, carry_mask and workspace. Returns the gradient of the initial state.
        The gradient of the chunk's last state is taken as zero: this is where truncated BPTT truncates.
        """
        dlogits, top = work.logits, work.layers[-1]
        padded_mask = None if carry_mask is None else pad(carry_mask, work.columns, 1)
        np.matmul(dlogits, top.normed.T, out=grads["Why"])  # (6)
        dlogits.sum(axis=1, out=grads["by"])  # (6)
        dnormed = np.matmul(self.params["Why"].T, dlogits, out=work.flat_doutput)  # (7)
        layer_norm.backward(dnormed, top.normed, top.scale)
        dstate = []
        for number in reversed(range(len(work.layers))):
            da, drecurrent, initial = self._layer_backward(number, work, padded_mask)
            dstate.append(tuple(part[:, : work.B] for part in initial))
            flat_da = flatten(da, work.flat_a)
            self._input_gradients(number, flat_da, x, work, grads)
            flat_drecurrent = flat_da if drecurrent is da else flatten(drecurrent, work.flat_a)
            self._recurrent_gradient(number, flat_drecurrent, work, grads, carry_mask)
        return tuple(reversed(dstate))

    def _layer_backward(
        self, number: int, work: Workspace, carry_mask: Array | None
    ) -> tuple[Array, Array, tuple[Array, ...]]:
        """From ds^l in `work.flat_doutput`: the gradients of a^l, of the product Whh^l h, and of the initial state."""
        layer = work.layers[number]
        dh = work.dh[:, :, : work.B]
        dh[...] = unflatten(work.flat_doutput, work.T)
        if work.dropout.outputs:
            dh *= unflatten(layer.mask, work.T)
        Whh = layer.Whh if work.dropout.recurrence else self.params[f"Whh{number}"]
        return self.cell.backward(work.dh, layer.a, Whh, layer.cache, carry_mask)  # (8), (10)

    def _input_gradients(self, number: int, flat_da: Array, x: Array, work: Workspace, grads: Params) -> None:
        """The gradients of bh^l and Wxh^l; adds that of s^{l-1}, through y^{l-1}, to `work.flat_doutput`."""
        flat_da.sum(axis=1, out=grads[f"bh{number}"])  # (9)
        if number == 0:
            scatter_columns(flat_da, x.ravel(), grads["Wxh0"])  # (9)
            return
        below = work.layers[number - 1]
        np.matmul(flat_da, below.normed.T, out=grads[f"Wxh{number}"])  # (9)
        dnormed = np.matmul(self.params[f"Wxh{number}"].T, flat_da, out=work.flat_output)
        work.flat_doutput += layer_norm.backward(dnormed, below.normed, below.scale)

    @staticmethod
    def _recurrent_gradient(
        number: int, flat_drecurrent: Array, work: Workspace, grads: Params, carry_mask: Array | None
    ) -> None:
        """The gradient of Whh^l, from that of the product Whh^l h."""
        layer = work.layers[number]
        previous = layer.flat_h[:, : -work.B]
        if carry_mask is not None:
            previous = previous * carry_mask.ravel()
        dWhh = np.matmul(flat_drecurrent, previous.T, out=grads[f"Whh{number}"])  # (9)
        if work.dropout.recurrence:
            dWhh *= layer.Whh_mask


def scatter_columns(columns: Array, ids: Array, out: Array) -> None:
    """out[:, v] = the sum of the columns (rows, N) whose id is v: the gradient of a column gather.

    Computed as a product with a one-hot matrix of the ids that occur, which is faster than adding column by column.
    """
    V = out.shape[1]
    present = np.flatnonzero(np.bincount(ids, minlength=V))
    place = np.zeros(V, np.intp)
    place[present] = np.arange(len(present))
    onehot = np.zeros((len(ids), len(present)), columns.dtype)
    onehot[np.arange(len(ids)), place[ids]] = 1
    if len(present) == V:
        np.matmul(columns, onehot, out=out)
    else:
        out[...] = 0
        out[:, present] = columns @ onehot
