from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.config import ModelConfig
from charrnn.nn.params import Params
from charrnn.optim import whitening
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


def test_whitening_follows_the_formula():
    whitener = Whitening(gradients(0))
    C = {name: np.zeros((4, 4)) for name in BETWEEN}
    for updates in range(3 * EVERY):
        grads, before = gradients(updates), gradients(updates)
        whitener.apply(grads, updates)
        for name, G in before.items():
            if name in BETWEEN and updates:
                if updates % EVERY == 0 or updates in EARLY:
                    C[name] += RATE * (G.T @ G / (G**2).sum() - C[name])
                G = G @ naive_root(C[name])
            assert_allclose(grads[name], G, rtol=1e-9, err_msg=f"{name} of update {updates}")
    assert set(whitener.moments) == BETWEEN


def test_the_inverse_root_is_one():
    C = np.cov(np.random.default_rng(1).normal(size=(3, 5, 40))[0])
    R = inverse_root(C)
    assert_allclose(R @ R @ (5 * C / np.trace(C) + FLOOR * np.eye(5)), np.eye(5), atol=1e-12)
    assert_allclose(R, R.T, atol=1e-12)
    assert_allclose(inverse_root(7 * C), R, rtol=1e-12)


def test_correlations_between_columns_are_removed():
    """A gradient whitened by its own moments has nearly uncorrelated columns of equal length."""
    rng = np.random.default_rng(2)
    G = rng.normal(size=(200, 6)) + 5 * rng.normal(size=(200, 1))
    white = G @ inverse_root(G.T @ G)
    moments = white.T @ white
    moments /= np.trace(moments) / 6
    assert np.abs(G.T @ G / (G**2).sum() * 6 - np.eye(6)).max() > 0.9
    assert np.abs(moments - np.eye(6)).max() < 0.05


def test_rotating_the_hidden_units_rotates_the_whitened_gradient():
    rng = np.random.default_rng(3)
    G, (Q, _) = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6)), np.linalg.qr(rng.normal(size=(6, 6)))
    turned = (G @ Q) @ inverse_root((G @ Q).T @ (G @ Q))
    assert_allclose(turned, G @ inverse_root(G.T @ G) @ Q, atol=1e-9)


def test_a_network_among_several_is_whitened_as_if_it_were_alone():
    config = ModelConfig(7, "lstm", hidden=4, layers=2, networks=3)
    together, alone = Whitening(gradients(0, config)), Whitening(gradients(0, config).network(1))
    for updates in range(EVERY + 2):
        grads = gradients(updates, config)
        one = grads.network(1).copy()
        together.apply(grads, updates)
        alone.apply(one, updates)
        assert_allclose(grads.network(1).flat, one.flat, rtol=1e-9)


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(whitening, "WORTH_THREADS", 0)
    monkeypatch.setattr(whitening, "ROWS", 3)
    alone, threaded = Whitening(gradients(0)), Whitening(gradients(0))
    with ThreadPoolExecutor(3) as executor:
        for updates in range(1, EVERY + 2):
            expected, got = gradients(updates), gradients(updates)
            alone.apply(expected, updates)
            threaded.apply(got, updates, executor)
            assert_array_equal(got.flat, expected.flat)


def test_small_matrices_are_left_to_this_thread():
    with ThreadPoolExecutor(3) as executor:
        executor.shutdown()  # from here on it refuses work
        Whitening(gradients(0)).apply(gradients(1), 1, executor)


def test_roots_are_computed_again_from_restored_moments():
    whitener, other = Whitening(gradients(0)), Whitening(gradients(0))
    for updates in range(EVERY + 1):
        whitener.apply(gradients(updates), updates)
    other.moments.flat[:] = whitener.moments.flat
    other.forget_roots()
    first, second = gradients(99), gradients(99)
    whitener.apply(first, EVERY + 1)
    other.apply(second, EVERY + 1)
    assert_array_equal(first.flat, second.flat)


@pytest.mark.parametrize("size", [0, 1e-44, 1e-30, 1e18, 1e30])
def test_no_gradient_is_too_small_or_too_large(size):
    """In single precision, where most of their squares underflow or overflow."""
    whitener = Whitening(Params(CONFIG.shapes(), np.float32))
    for updates in range(1, 4):
        grads = Params(CONFIG.shapes(), np.float32)
        grads.flat[:] = size * gradients(updates).flat
        whitener.apply(grads, updates)
        assert np.isfinite(grads.flat).all()
        assert np.abs(whitener.moments.flat).max() <= 1
