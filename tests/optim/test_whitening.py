import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.config import ModelConfig
from charrnn.nn.params import Params
from charrnn.optim.whitening import EARLY, EVERY, FLOOR, RATE, Whitening, inverse_root

CONFIG = ModelConfig(7, "gru", hidden=4, layers=2)
BETWEEN = {"Whh0", "Whh1", "Wxh1"}


def gradients(seed, config=CONFIG):
    grads = Params(config.shapes(), np.float64, networks=config.networks)
    grads.flat[:] = np.random.default_rng(seed).normal(size=grads.flat.size)
    return grads


def naive_root(C):
    values, vectors = np.linalg.eig(len(C) * C / np.trace(C) + FLOOR * np.eye(len(C)))
    return (vectors @ np.diag(values**-0.5) @ np.linalg.inv(vectors)).real


def test_it_is_the_formula_at_the_updates_it_says():
    whitening = Whitening(gradients(0))
    C = {name: np.zeros((4, 4)) for name in BETWEEN}
    for updates in range(3 * EVERY):
        grads, before = gradients(updates), gradients(updates)
        whitening.apply(grads, updates)
        for name, G in before.items():
            if name in BETWEEN and updates:
                if updates % EVERY == 0 or updates in EARLY:
                    C[name] += RATE * (G.T @ G / (G**2).sum() - C[name])
                G = G @ naive_root(C[name])
            assert_allclose(grads[name], G, rtol=1e-9, err_msg=f"{name} of update {updates}")
    assert set(whitening.moments) == BETWEEN


def test_the_root_is_one():
    C = np.cov(np.random.default_rng(1).normal(size=(3, 5, 40))[0])
    R = inverse_root(C)
    assert_allclose(R @ R @ (5 * C / np.trace(C) + FLOOR * np.eye(5)), np.eye(5), atol=1e-12)
    assert_allclose(R, R.T, atol=1e-12)
    assert_allclose(inverse_root(7 * C), R, rtol=1e-12)


def test_columns_that_go_together_are_taken_apart():
    """What is learnt from one gradient makes its own columns nearly uncorrelated and equally long."""
    rng = np.random.default_rng(2)
    G = rng.normal(size=(200, 6)) + 5 * rng.normal(size=(200, 1))
    white = G @ inverse_root(G.T @ G)
    moments = white.T @ white
    moments /= np.trace(moments) / 6
    assert np.abs(G.T @ G / (G**2).sum() * 6 - np.eye(6)).max() > 0.9
    assert np.abs(moments - np.eye(6)).max() < 0.05


def test_turning_the_hidden_units_turns_the_whitened_gradient():
    rng = np.random.default_rng(3)
    G, (Q, _) = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6)), np.linalg.qr(rng.normal(size=(6, 6)))
    turned = (G @ Q) @ inverse_root((G @ Q).T @ (G @ Q))
    assert_allclose(turned, G @ inverse_root(G.T @ G) @ Q, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_network_among_several_is_as_by_itself(threads):
    config = ModelConfig(7, "lstm", hidden=4, layers=2, networks=3)
    together, alone = Whitening(gradients(0, config)), Whitening(gradients(0, config).network(1))
    for updates in range(EVERY + 2):
        grads = gradients(updates, config)
        one = grads.network(1).copy()
        together.apply(grads, updates, threads)
        alone.apply(one, updates)
        assert_allclose(grads.network(1).flat, one.flat, rtol=1e-9)


def test_roots_follow_moments_that_were_put_back():
    whitening, other = Whitening(gradients(0)), Whitening(gradients(0))
    for updates in range(EVERY + 1):
        whitening.apply(gradients(updates), updates)
    other.moments.flat[:] = whitening.moments.flat
    other.forget_roots()
    first, second = gradients(99), gradients(99)
    whitening.apply(first, EVERY + 1)
    other.apply(second, EVERY + 1)
    assert_array_equal(first.flat, second.flat)


@pytest.mark.parametrize("size", [0, 1e-44, 1e-30, 1e18, 1e30])
def test_no_gradient_is_too_small_or_too_large(size):
    """In single precision, where the squares of most of these are zero or no numbers."""
    whitening = Whitening(Params(CONFIG.shapes(), np.float32))
    for updates in range(1, 4):
        grads = Params(CONFIG.shapes(), np.float32)
        grads.flat[:] = size * gradients(updates).flat
        whitening.apply(grads, updates)
        assert np.isfinite(grads.flat).all()
        assert np.abs(whitening.moments.flat).max() <= 1
