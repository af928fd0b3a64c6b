import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.nn.loss import log_softmax, nats, nats_and_gradient, softmax

V, N = 5, 4


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(0, 3, (V, N))


@pytest.fixture
def y():
    return np.array([2, 0, 4, 2])


def naive(logits, y):
    return [-np.log(np.exp(column[v]) / sum(np.exp(column))) for column, v in zip(logits.T, y, strict=True)]


def test_nats_are_minus_the_log_of_the_softmax(logits, y):
    assert_allclose(nats(logits, y), naive(logits, y), rtol=1e-13)


def test_the_probabilities_of_all_characters_sum_to_one(logits):
    assert_allclose(sum(np.exp(-nats(logits, np.full(N, v))) for v in range(V)), 1, rtol=1e-13)


def test_the_gradient_is_that_of_the_sum(logits, y):
    numeric = np.empty_like(logits)
    for place in np.ndindex(logits.shape):
        moved = np.zeros_like(logits)
        moved[place] = 1e-5
        numeric[place] = (sum(naive(logits + moved, y)) - sum(naive(logits - moved, y))) / 2e-5
    gradient = logits.copy()
    total = nats_and_gradient(gradient, y, scale=0.25)
    assert_allclose(total, sum(naive(logits, y)), rtol=1e-13)
    assert_allclose(gradient, 0.25 * numeric, rtol=1e-8, atol=1e-10)
    assert_allclose(gradient.sum(axis=0), 0, atol=1e-15)


@pytest.mark.parametrize("shift", [-1e5, 1e5])
def test_a_constant_added_to_all_scores_changes_nothing(logits, y, shift):
    assert_allclose(nats(logits + shift, y), nats(logits, y), rtol=1e-9)
    here, there = logits.copy(), logits + shift
    assert nats_and_gradient(there, y, 1) == pytest.approx(nats_and_gradient(here, y, 1))
    assert_allclose(there, here, atol=1e-9)


def test_a_hopeless_prediction_costs_its_score_and_not_infinity():
    logits = np.array([[0.0], [3e38]], np.float32)
    assert nats(logits, np.array([0])) == pytest.approx(3e38)
    assert nats_and_gradient(logits, np.array([0]), 1) == pytest.approx(3e38)
    assert logits.ravel().tolist() == [-1, 1]


def test_softmax_is_the_exponential_of_log_softmax():
    logits = np.random.default_rng(5).normal(size=(5, 4)) * [[1, 10, 1e4, 0]]
    assert_allclose(softmax(logits), np.exp(log_softmax(logits)), atol=1e-15)
    assert_allclose(softmax(logits).sum(axis=0), 1)
