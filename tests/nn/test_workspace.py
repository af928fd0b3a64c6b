import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.nn.dropout import NO_DROPOUT, Dropout
from charrnn.nn.workspace import Workspace, flatten, pad, unflatten

T, B = 6, 3


def test_flatten_puts_the_columns_of_all_steps_side_by_side():
    chunk = np.random.default_rng(2).normal(size=(T, 4, B))
    flat = flatten(chunk, np.empty((5, T * B)))
    assert_array_equal(flat, np.hstack(list(chunk)))
    assert_array_equal(unflatten(flat, T), chunk)


def test_flatten_leaves_out_padding_columns():
    chunk = np.random.default_rng(2).normal(size=(T, 4, B + 5))
    assert_array_equal(flatten(chunk, np.empty((4, T * B))), np.hstack(list(chunk[:, :, :B])))


def test_pad_appends_columns():
    columns = np.arange(6.0).reshape(2, 3)
    assert pad(columns, 3) is columns
    assert_array_equal(pad(columns, 5, 1), [[0, 1, 2, 1, 1], [3, 4, 5, 1, 1]])


@pytest.mark.parametrize("dropout", [NO_DROPOUT, Dropout(0.4), Dropout(0, 0.3), Dropout(0.4, 0.3)], ids=str)
def test_a_workspace_counts_each_buffer_once(make_model, dropout):
    """`nbytes` is the sum over the memory blocks that its arrays are views of."""
    work = Workspace(make_model().config, T, B, np.float64, dropout)
    arrays = [work.logits, work.dh, work.flat_output, work.flat_doutput, work.flat_a]
    for layer in work.layers:
        arrays += [layer.a, *layer.cache, layer.flat_h, layer.normed, layer.mask, layer.Whh_mask, layer.Whh]
    blocks = {}
    for array in arrays:
        while array.base is not None:
            array = array.base
        blocks[array.__array_interface__["data"][0]] = array.nbytes
    assert work.nbytes == sum(blocks.values())
