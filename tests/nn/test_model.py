import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.dropout import NO_DROPOUT, Dropout, dropout_mask
from charrnn.nn.model import scatter_columns
from charrnn.nn.padding import padded
from charrnn.nn.workspace import Workspace, flatten, pad, unflatten

T, B, V = 6, 3, 7
KEY = (5, 17)


@pytest.fixture
def x():
    return np.random.default_rng(0).integers(0, V, (T, B)).astype(np.uint8)


def read(model, x, state, carry_mask=None):
    """The logits (T, V, B) and the state after x."""
    work = model.workspace(*x.shape)
    state = model.forward(x, state, work, carry_mask)
    return unflatten(work.logits, len(x)).copy(), state


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("dropout", [NO_DROPOUT, Dropout(0.4), Dropout(0, 0.3), Dropout(0.4, 0.3)], ids=str)
@pytest.mark.parametrize("B", [3, 11], ids=["as many columns as streams", "more columns than streams"])
def test_forward_follows_the_textbook(make_model, naive_step, random_state, layers, dropout, B):
    x = np.random.default_rng(0).integers(0, V, (T, B)).astype(np.uint8)
    model = make_model(layers=layers)
    p, H = model.params, model.config.hidden
    start = random_state(model, B)
    carry_mask = np.random.default_rng(3).integers(0, 2, (T, B)).astype(np.float64)
    masks = np.ones((layers, H, T * B))
    Whh = [p[f"Whh{layer}"].copy() for layer in range(layers)]
    for layer in range(layers):
        dropout_mask(masks[layer], dropout.outputs, *KEY, layer)
        kept = np.empty_like(Whh[layer])
        dropout_mask(kept, dropout.recurrence, *KEY, layer, 1)
        Whh[layer] *= kept

    expected = np.empty((T, V, B))
    last = [[part.copy() for part in layer] for layer in start]
    for b in range(B):
        state = [tuple(part[:, b] for part in layer) for layer in start]
        for t in range(T):
            below, output = np.eye(V)[x[t, b]], 0
            for layer in range(layers):
                old = state[layer] if carry_mask[t, b] else [np.zeros(H)] * len(state[layer])
                a = p[f"Wxh{layer}"] @ below + p[f"bh{layer}"]
                state[layer] = naive_step(a, Whh[layer], *old)
                output = output + state[layer][0] * masks[layer, :, t * B + b]
                below = (output - output.mean()) / np.sqrt(output.var() + 1e-5)
            expected[t, :, b] = p["Why"] @ below + p["by"]
        for layer in range(layers):
            for part, own in zip(last[layer], state[layer], strict=True):
                part[:, b] = own

    work = model.workspace(T, B, dropout)
    new = model.forward(x, start, work, carry_mask, dropout, KEY)
    assert_allclose(unflatten(work.logits, T), expected, rtol=0, atol=1e-12)
    for got, naive in zip(new, last, strict=True):
        assert_allclose(got, naive, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cuts", [[1], [4], [2, 3], range(1, T)], ids=str)
def test_a_text_cut_anywhere_gives_the_same_scores_and_state(make_model, random_state, x, cuts):
    model = make_model()
    start = random_state(model, B)
    whole, last = read(model, x, start)
    state, parts = start, []
    for part in np.split(x, cuts):
        logits, state = read(model, part, state)
        parts.append(logits)
    assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)
    for got, expected in zip(state, last, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_streams_do_not_see_each_other(make_model, random_state, x):
    model = make_model()
    start = random_state(model, B)
    together, _ = read(model, x, start)
    for b in range(B):
        alone, _ = read(model, x[:, [b]], tuple(tuple(part[:, [b]] for part in layer) for layer in start))
        assert_allclose(alone[..., 0], together[..., b], rtol=0, atol=1e-12)


def test_a_reset_is_a_new_beginning(make_model, random_state, x):
    model = make_model()
    carry_mask = np.ones((T, B))
    carry_mask[4, 1] = 0
    reset, _ = read(model, x, random_state(model, B), carry_mask)
    carried, _ = read(model, x, random_state(model, B))
    afresh, _ = read(model, x[4:, [1]], model.zero_state(1))
    assert_allclose(reset[4:, :, 1], afresh[..., 0], rtol=0, atol=1e-12)
    assert_allclose(reset[:4], carried[:4], rtol=0, atol=1e-12)
    assert np.abs(reset[4:, :, 1] - carried[4:, :, 1]).min() > 1e-6


def test_forward_leaves_the_state_it_was_given_and_hands_out_its_own(make_model, random_state, x):
    model = make_model()
    start = random_state(model, B)
    work = model.workspace(T, B)
    first = model.forward(x, start, work)
    kept = [[part.copy() for part in layer] for layer in first]
    model.forward(x[::-1], first, work)
    for got, expected in zip(first, kept, strict=True):
        assert_array_equal(got, expected)
    for got, expected in zip(start, random_state(model, B), strict=True):
        assert_array_equal(got, expected)


def test_the_state_of_streams_that_have_read_nothing_is_zero(make_model):
    model = make_model(layers=3, dtype=np.float32)
    state = model.zero_state(4)
    assert [part.dtype for layer in state for part in layer] == [np.float32] * (3 * len(model.cell.STATE))
    assert not np.any(state)


@pytest.mark.parametrize("ids", [[4, 0, 4, 1, 1, 4], [2, 4, 0, 3, 1, 4, 0]], ids=["some", "all"])
def test_scatter_columns_adds_each_column_where_its_id_says(ids):
    columns = np.random.default_rng(1).normal(size=(3, len(ids)))
    out, naive = np.full((3, 5), np.nan), np.zeros((3, 5))
    for column, v in zip(columns.T, ids, strict=True):
        naive[:, v] += column
    scatter_columns(columns, np.array(ids, np.uint8), out)
    assert_allclose(out, naive, rtol=0, atol=1e-14)


def test_flatten_puts_the_columns_of_all_steps_side_by_side():
    chunk = np.random.default_rng(2).normal(size=(T, 4, B))
    flat = flatten(chunk, np.empty((5, T * B)))
    assert_array_equal(flat, np.hstack(list(chunk)))
    assert_array_equal(unflatten(flat, T), chunk)


def test_flatten_leaves_out_the_columns_that_are_no_streams():
    chunk = np.random.default_rng(2).normal(size=(T, 4, B + 5))
    assert_array_equal(flatten(chunk, np.empty((4, T * B))), np.hstack(list(chunk[:, :, :B])))


@pytest.mark.parametrize(("B", "columns"), [(1, 1), (8, 8), (9, 16), (16, 16), (24, 24), (25, 32), (50, 50), (57, 64)])
def test_columns_are_added_only_where_they_make_a_product_faster(B, columns):
    assert padded(B) == columns


def test_pad_adds_columns_behind():
    columns = np.arange(6.0).reshape(2, 3)
    assert pad(columns, 3) is columns
    assert_array_equal(pad(columns, 5, 1), [[0, 1, 2, 1, 1], [3, 4, 5, 1, 1]])


@pytest.mark.parametrize("dropout", [NO_DROPOUT, Dropout(0.4), Dropout(0, 0.3), Dropout(0.4, 0.3)], ids=str)
def test_a_workspace_counts_each_buffer_once(make_model, dropout):
    """Found as the sum over the memory blocks that its arrays live in."""
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
