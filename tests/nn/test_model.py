import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.dropout import NO_DROPOUT, Dropout, dropout_mask
from charrnn.nn.model import scatter_columns
from charrnn.nn.workspace import unflatten

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
@pytest.mark.parametrize("B", [3, 11], ids=["no padding", "padding"])
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
def test_a_text_split_anywhere_gives_the_same_scores_and_state(make_model, random_state, x, cuts):
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


def test_streams_are_independent(make_model, random_state, x):
    model = make_model()
    start = random_state(model, B)
    together, _ = read(model, x, start)
    for b in range(B):
        alone, _ = read(model, x[:, [b]], tuple(tuple(part[:, [b]] for part in layer) for layer in start))
        assert_allclose(alone[..., 0], together[..., b], rtol=0, atol=1e-12)


def test_a_reset_stream_continues_from_the_zero_state(make_model, random_state, x):
    model = make_model()
    carry_mask = np.ones((T, B))
    carry_mask[4, 1] = 0
    reset, _ = read(model, x, random_state(model, B), carry_mask)
    carried, _ = read(model, x, random_state(model, B))
    afresh, _ = read(model, x[4:, [1]], model.zero_state(1))
    assert_allclose(reset[4:, :, 1], afresh[..., 0], rtol=0, atol=1e-12)
    assert_allclose(reset[:4], carried[:4], rtol=0, atol=1e-12)
    assert np.abs(reset[4:, :, 1] - carried[4:, :, 1]).min() > 1e-6


def test_forward_neither_changes_its_input_state_nor_reuses_a_returned_state(make_model, random_state, x):
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


def test_the_initial_state_is_zero(make_model):
    model = make_model(layers=3, dtype=np.float32)
    state = model.zero_state(4)
    assert [part.dtype for layer in state for part in layer] == [np.float32] * (3 * len(model.cell.STATE))
    assert not np.any(state)


@pytest.mark.parametrize("ids", [[4, 0, 4, 1, 1, 4], [2, 4, 0, 3, 1, 4, 0]], ids=["some", "all"])
def test_scatter_columns_adds_each_column_to_that_of_its_id(ids):
    columns = np.random.default_rng(1).normal(size=(3, len(ids)))
    out, naive = np.full((3, 5), np.nan), np.zeros((3, 5))
    for column, v in zip(columns.T, ids, strict=True):
        naive[:, v] += column
    scatter_columns(columns, np.array(ids, np.uint8), out)
    assert_allclose(out, naive, rtol=0, atol=1e-14)
