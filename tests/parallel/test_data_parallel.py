import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.dropout import Dropout
from charrnn.nn.loss import nats, nats_and_gradient
from charrnn.parallel.data_parallel import DataParallel

T, B, V = 6, 8, 7
KEY = (1, 0)
MOST = Dropout(0.3, 0.2)


@pytest.fixture
def text():
    return np.random.default_rng(0).integers(0, V, (2, T, B))


def test_one_shard_is_forward_and_backward(make_model, random_state, text):
    model, (x, y) = make_model(), text
    work, grads = model.workspace(T, B), model.params.zeros_like()
    last = model.forward(x, random_state(model, B), work)
    naive_loss = nats(work.logits, y.ravel()).mean()
    nats_and_gradient(work.logits, y.ravel(), 1 / y.size)
    model.backward(x, work, grads)
    loss, got, state = DataParallel(model, B, 1, 1).gradient(x, y, random_state(model, B), KEY)
    assert loss == pytest.approx(naive_loss, rel=1e-12)
    assert_allclose(got.flat, grads.flat, atol=1e-14)
    for layer, expected in zip(state, last, strict=True):
        assert_allclose(layer, expected, atol=1e-14)


@pytest.mark.parametrize("count", [2, 3, B])
def test_any_number_of_shards_gives_the_same_gradient(make_model, random_state, text, count):
    model = make_model()
    start = random_state(model, B)
    loss, grads, state = DataParallel(model, B, 1, 1).gradient(*text, start, KEY)
    shared_loss, shared_grads, shared_state = DataParallel(model, B, count, 2).gradient(*text, start, KEY)
    assert shared_loss == pytest.approx(loss, rel=1e-12)
    assert_allclose(shared_grads.flat, grads.flat, rtol=0, atol=1e-12)
    for shared, expected in zip(shared_state, state, strict=True):
        assert_allclose(shared, expected, rtol=0, atol=1e-12)


def test_the_number_of_threads_changes_no_bit(make_model, random_state, text):
    model = make_model(dtype=np.float32)
    results = []
    for threads in (1, 2, 3, 7):
        loss, grads, state = DataParallel(model, B, 3, threads, MOST).gradient(
            *text, random_state(model, B), KEY, dropout=MOST
        )
        results.append((loss, grads.flat.tobytes(), [part.tobytes() for layer in state for part in layer]))
    assert results[1:] == results[:1] * 3


def test_chunks_may_differ_in_length_and_dropout(make_model, text):
    """A DataParallel used before gives the same as a new one."""
    model, (x, y) = make_model(), text
    used = DataParallel(model, B, 3, 2, MOST)
    for step, (length, share) in enumerate([(6, 1), (5, 1), (6, 0), (1, 0.3), (5, 0.6), (6, 1)]):
        dropout = MOST.scaled(share)
        chunk = x[:length], y[:length], model.zero_state(B), (1, step), None, dropout
        loss, grads, _ = used.gradient(*chunk)
        new_loss, new_grads, _ = DataParallel(model, B, 3, 1, dropout).gradient(*chunk)
        assert loss == new_loss
        assert_array_equal(grads.flat, new_grads.flat)


@pytest.mark.parametrize("dropout", [Dropout(0.5), Dropout(0, 0.5)], ids=str)
def test_each_shard_and_each_step_has_its_own_dropout_masks(make_model, text, dropout):
    """Both streams read the same characters, so only the masks can make their states differ."""
    model, (x, y) = make_model(), text[:, :, :1].repeat(2, axis=2)
    above = []  # the state of the second layer, which reads the first layer's output after dropout
    for step in (0, 0, 1):
        _, _, state = DataParallel(model, 2, 2, 1, dropout).gradient(
            x, y, model.zero_state(2), (1, step), dropout=dropout
        )
        above.append(state[1][0])
    assert_array_equal(above[0], above[1])
    distinct = {column.tobytes() for column in np.hstack(above).T}
    assert len(distinct) == 4


@pytest.mark.parametrize("count", [1, 3])
def test_a_reset_stream_is_two_separate_streams(make_model, random_state, text, count):
    """The first ends at the reset; the second begins there with the zero state."""
    model, (x, y) = make_model(), text
    carry_mask = np.ones((T, B))
    carry_mask[4] = 0
    start = random_state(model, B)
    loss, grads, state = DataParallel(model, B, count, 2).gradient(x, y, start, KEY, carry_mask)
    grads = grads.flat.copy()
    one, one_grads, _ = DataParallel(model, B, 1, 1).gradient(x[:4], y[:4], start, KEY)
    two, two_grads, last = DataParallel(model, B, 1, 1).gradient(x[4:], y[4:], model.zero_state(B), KEY)
    assert loss == pytest.approx((4 * one + 2 * two) / 6, rel=1e-12)
    assert_allclose(grads, (4 * one_grads.flat + 2 * two_grads.flat) / 6, rtol=0, atol=1e-12)
    for layer, expected in zip(state, last, strict=True):
        assert_allclose(layer, expected, rtol=0, atol=1e-12)


@pytest.mark.skipif(sys.platform != "linux", reason="no forked workers")
def test_leaving_the_with_statement_ends_the_workers(make_model, text):
    model = make_model()
    with DataParallel(model, B, 2, 2) as data_parallel:
        data_parallel.gradient(*text, model.zero_state(B), KEY)
        workers = children()
        assert workers
    assert not workers & children()


def children():
    """The processes that this one has forked."""
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())
