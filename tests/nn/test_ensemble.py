"""Ensembles: their probabilities, their gradients, their initial weights."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.config import ModelConfig
from charrnn.nn.dropout import Dropout
from charrnn.nn.ensemble import Ensemble, log_mean, make_network, make_stepper
from charrnn.nn.init import initial_params
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.parallel.data_parallel import DataParallel

V, H, N = 7, 5, 3
T, B = 6, 8
KEY = (1, 0)


@pytest.fixture
def make(cell):
    def make(networks=N, layers=2, dtype=np.float64):
        config = ModelConfig(V, cell, H, layers, networks)
        params = Params(config.shapes(), dtype, networks=networks)
        params.flat[:] = np.random.default_rng(1).normal(0, 1.5 / np.sqrt(H), params.flat.size)
        return make_network(config, params)

    return make


@pytest.fixture
def text():
    return np.random.default_rng(0).integers(0, V, (2, T, B))


def alone(ensemble):
    """The networks of an ensemble as separate models with copies of the weights."""
    config = replace(ensemble.config, networks=1)
    weights = []
    for number in range(ensemble.config.networks):
        own = Params(config.shapes(), ensemble.params.flat.dtype)
        for name, view in ensemble.params.items():
            own[name][...] = view[number]
        weights.append(own)
    return [Model(config, own) for own in weights]


def flat(state):
    return [part for layer in state for part in layer]


def test_one_network_makes_a_model_and_several_an_ensemble(make):
    assert isinstance(make(1), Model)
    assert isinstance(make(2), Ensemble)


def test_its_probabilities_are_the_mean_over_its_networks(make, random_state, text):
    ensemble, (x, _) = make(), text
    state = random_state(ensemble, B)
    work = ensemble.workspace(T, B)
    last = ensemble.forward(x, state, work)
    probs, expected_state = 0, []
    for number, one in enumerate(alone(ensemble)):
        own = one.workspace(T, B)
        expected_state += one.forward(x, state[2 * number : 2 * number + 2], own)
        weights = np.exp(own.logits)
        probs = probs + weights / weights.sum(axis=0) / N
    assert_allclose(np.exp(work.logits), probs, rtol=1e-12)
    for got, expected in zip(flat(last), flat(expected_state), strict=True):
        assert_array_equal(got, expected)


def test_the_zero_state_has_the_layers_of_all_networks(make):
    ensemble = make()
    assert len(ensemble.zero_state(B)) == 2 * N
    assert not any(part.any() for part in flat(ensemble.zero_state(B)))


def test_equal_networks_give_the_probabilities_of_one(make, text):
    ensemble, (x, _) = make(), text
    for view in ensemble.params.values():
        view[...] = view[0]
    (one, *_), work = alone(ensemble), ensemble.workspace(T, B)
    ensemble.forward(x, ensemble.zero_state(B), work)
    own = one.workspace(T, B)
    one.forward(x, one.zero_state(B), own)
    expected = own.logits - np.log(np.exp(own.logits).sum(axis=0))
    assert_allclose(work.logits, expected, rtol=0, atol=1e-12)


def test_the_mean_of_tiny_probabilities_does_not_underflow():
    """As probabilities, these are zero in float32."""
    logs = [np.array([[-2e4], [-1.0]], np.float32), np.array([[-3e4], [-1e4]], np.float32)]
    mean = log_mean(logs)
    assert mean.dtype == np.float32
    assert_allclose(mean, np.array([[-2e4], [-1.0]]) - np.log(2), rtol=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("streams", [1, 4])
def test_steps_give_the_same_as_forward(make, random_state, layers, streams):
    ensemble = make(layers=layers)
    x = np.random.default_rng(0).integers(0, V, (9, streams))
    start = random_state(ensemble, streams)
    work = ensemble.workspace(*x.shape)
    last = ensemble.forward(x, start, work)
    stepper = make_stepper(ensemble)
    stepper_state, steps = stepper.start(start), []
    for x_t in x:
        logits, stepper_state = stepper.step(x_t, stepper_state)
        steps.append(logits)
    assert_allclose(np.hstack(steps), work.logits, rtol=0, atol=1e-12)
    for (got, _), expected in zip(stepper_state, last, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2])
def test_each_network_has_the_gradient_of_its_own_loss(make, random_state, text, count):
    ensemble, (x, y) = make(), text
    start = random_state(ensemble, B)
    loss, grads, state = DataParallel(ensemble, B, count, 2).gradient(x, y, start, KEY)
    losses = []
    for number, one in enumerate(alone(ensemble)):
        own_start = start[2 * number : 2 * number + 2]
        own_loss, own_grads, own_state = DataParallel(one, B, 1, 1).gradient(x, y, own_start, KEY)
        losses.append(own_loss)
        assert_allclose(grads.network(number).flat, own_grads.flat, rtol=0, atol=1e-12)
        for name, view in own_grads.items():
            assert_allclose(grads[name][number], view, rtol=0, atol=1e-12)
        for got, expected in zip(flat(state[2 * number : 2 * number + 2]), flat(own_state), strict=True):
            assert_allclose(got, expected, rtol=0, atol=1e-12)
    assert loss == pytest.approx(np.mean(losses), rel=1e-12)


@pytest.mark.parametrize("count", [1, 2])
def test_the_number_of_threads_changes_no_bit(make, random_state, text, count):
    ensemble, most = make(dtype=np.float32), Dropout(0.3, 0.2)
    results = []
    for threads in (1, 2, 3, 4, 9):
        shards = DataParallel(ensemble, B, count, threads, most)
        for step in range(2):
            loss, grads, state = shards.gradient(*text, random_state(ensemble, B), (1, step), dropout=most)
        results.append((loss, grads.flat.tobytes(), [part.tobytes() for part in flat(state)]))
    assert results[1:] == results[:1] * 4


@pytest.mark.parametrize("dropout", [Dropout(0.5), Dropout(0, 0.5)], ids=str)
def test_each_network_has_its_own_dropout_masks(make, text, dropout):
    ensemble = make()
    for view in ensemble.params.values():
        view[...] = view[0]
    _, grads, _ = DataParallel(ensemble, B, 2, 1, dropout).gradient(*text, ensemble.zero_state(B), KEY, dropout=dropout)
    assert len({grads.network(number).flat.tobytes() for number in range(N)}) == N


def test_another_network_does_not_change_the_first_ones(cell):
    one, two, three = (initial_params(ModelConfig(V, cell, H, 2, networks), seed=5) for networks in (1, 2, 3))
    assert_array_equal(two.network(0).flat, one.flat)
    assert_array_equal(three.flat[: two.flat.size], two.flat)
    for name, view in three.items():
        assert name.startswith(("bh", "Why", "by")) or len({own.tobytes() for own in view}) == 3
