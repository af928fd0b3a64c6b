"""The network: input projection -> stacked cells -> softmax scores, forward and backward.

    a^0_t = Wxh0[:, x_t] + bh0               a column gather: x_t is a character's id, its one-hot vector is never built
    h^l_t = cell(a^l_t, h^l_{t-1})           the recurrence, see cells/, with drop(Whh^l), the same for the whole chunk
    s^l_t = drop(h^l_t) + s^{l-1}_t          what a layer adds to what those below it put out
    y^l_t = (s^l_t - mean) / deviation       as it hands it on, see layer_norm.py
    a^l_t = Wxh{l} y^{l-1}_t + bh{l}         the layers above
    logits_t = Why y^{L-1}_t + by

drop(X) is X times its mask (chance.py): while training, some of X is 0 and the rest is larger in return.
Source: He et al., "Deep residual learning for image recognition" (2016), for the sum over layers; Wan et al.,
"Regularization of neural networks using DropConnect" (2013), and Merity et al., "Regularizing and optimizing LSTM
language models" (2018), for drop(Whh). What they give is in benchmarks/README.md.

Arrays in the time loop are (T, rows, columns), so that a step is one contiguous matrix of column vectors. Everything
that need not be in the loop is done on `flat` copies (rows, T*B), all columns of the chunk side by side.
"""

from __future__ import annotations

import numpy as np

from . import layer_norm
from .cells import CELLS
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
        self.cell = CELLS[config.cell]

    def zero_state(self, B: int) -> State:
        """The state of B streams that have read nothing."""
        zero = np.zeros((self.config.hidden, B), self.params.flat.dtype)
        return tuple(tuple(zero.copy() for _ in self.cell.STATE) for _ in range(self.config.layers))

    def workspace(self, T: int, B: int, dropout: Dropout = NO_DROPOUT) -> Workspace:
        """Buffers for chunks of T characters in B streams. `dropout`: the most that there will be."""
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
        """Read the ids x (T, B) and leave in `work.logits` (V, T*B) a score for each possible next character.

        `carry_mask` (T, B) is 0 where a stream's state is reset before x_t is read, else 1. `key` is (seed, step, ...),
        from which the dropout masks are drawn. Returns the state after the last character.
        """
        for most, share in zip(work.dropout, dropout, strict=True):
            assert most or not share, "the workspace has no buffers for this dropout"
        p, B = self.params, work.B
        kept = None if carry_mask is None else pad(carry_mask, work.columns, 1)
        new_state, output = [], work.flat_output
        for number, layer in enumerate(work.layers):
            bias = p[f"bh{number}"][:, None]
            if number == 0:
                columns = p["Wxh0"] + bias
                for a_t, x_t in zip(layer.a, pad(x.astype(np.intp), work.columns), strict=True):
                    np.take(columns, x_t, axis=1, out=a_t, mode="clip")
            else:
                flat_a = work.flat_a[: len(bias)]
                np.matmul(p[f"Wxh{number}"], work.layers[number - 1].normed, out=flat_a)
                np.add(unflatten(flat_a, work.T), bias, out=layer.a[:, :, :B])
            initial = tuple(pad(part, work.columns) for part in state[number])
            Whh = p[f"Whh{number}"]
            if work.dropout.recurrence:
                dropout_mask(layer.Whh_mask, dropout.recurrence, *key, number, 1)  # 1: not the outputs' numbers
                Whh = np.multiply(Whh, layer.Whh_mask, out=layer.Whh)
            last = self.cell.forward(layer.a, Whh, initial, layer.cache, kept)
            new_state.append(tuple(part[:, :B] for part in last))
            flatten(layer.cache.h, layer.flat_h)
            h = layer.flat_h[:, B:]
            if work.dropout.outputs:
                dropout_mask(layer.mask, dropout.outputs, *key, number)
                h = np.multiply(h, layer.mask, out=layer.normed if number else work.flat_output)
            output = np.add(output, h, out=work.flat_output) if number else h
            layer.scale = layer_norm.normalise(output, layer.normed)
        np.matmul(p["Why"], work.layers[-1].normed, out=work.logits)
        work.logits += p["by"][:, None]
        return tuple(new_state)

    def backward(self, x: Array, work: Workspace, grads: Params, carry_mask: Array | None = None) -> State:
        """Fill `grads` from the logits' gradient, which stands in `work.logits` (V, T*B).

        Must follow `forward` with the same x, carry_mask and workspace. Returns the gradient of the initial state. The
        chunk's last state is taken to have no gradient: that is what truncated BPTT truncates.
        """
        p, dlogits, B = self.params, work.logits, work.B
        kept = None if carry_mask is None else pad(carry_mask, work.columns, 1)
        top = work.layers[-1]
        np.matmul(dlogits, top.normed.T, out=grads["Why"])
        dlogits.sum(axis=1, out=grads["by"])
        dnormed = np.matmul(p["Why"].T, dlogits, out=work.flat_doutput)
        layer_norm.backward(dnormed, top.normed, top.scale)

        dstate = []
        for number, layer in reversed(list(enumerate(work.layers))):
            dh = work.dh[:, :, :B]
            dh[...] = unflatten(work.flat_doutput, work.T)
            if work.dropout.outputs:
                dh *= unflatten(layer.mask, work.T)
            Whh = layer.Whh if work.dropout.recurrence else p[f"Whh{number}"]
            da, drecurrent, initial = self.cell.backward(work.dh, layer.a, Whh, layer.cache, kept)
            dstate.append(tuple(part[:, :B] for part in initial))

            flat_da = flatten(da, work.flat_a)
            flat_da.sum(axis=1, out=grads[f"bh{number}"])
            if number:
                below = work.layers[number - 1]
                np.matmul(flat_da, below.normed.T, out=grads[f"Wxh{number}"])
                dnormed = np.matmul(p[f"Wxh{number}"].T, flat_da, out=work.flat_output)
                work.flat_doutput += layer_norm.backward(dnormed, below.normed, below.scale)
            else:
                scatter_columns(flat_da, x.ravel(), grads["Wxh0"])

            flat_drecurrent = flat_da if drecurrent is da else flatten(drecurrent, work.flat_a)
            previous = layer.flat_h[:, :-B]
            if carry_mask is not None:
                previous = previous * carry_mask.ravel()
            dWhh = np.matmul(flat_drecurrent, previous.T, out=grads[f"Whh{number}"])
            if work.dropout.recurrence:
                dWhh *= layer.Whh_mask
        return tuple(reversed(dstate))


def scatter_columns(columns: Array, ids: Array, out: Array) -> None:
    """out[:, v] = the sum of the columns (rows, N) whose id is v; the gradient of a column gather.

    As a product with a one-hot matrix over the ids that occur, which is faster than adding the columns one by one.
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
