from math import sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.params import Params
from charrnn.optim.adam import RECENT, Adam, clip_gradient

SHAPES = {"W": (3, 4), "b": (3,)}


def random_params(seed):
    params = Params(SHAPES, np.float64)
    params.flat[:] = np.random.default_rng(seed).normal(size=params.flat.size)
    return params


@pytest.mark.parametrize(("share", "left"), [(0.01, 0.01), (0.99, 0.99), (1.01, 1), (1e9, 1), (0, 1)])
def test_clipping_keeps_the_direction_and_limits_the_norm(share, left):
    gradient = random_params(0).flat
    before, length = gradient.copy(), sqrt(sum(g * g for g in gradient))
    assert clip_gradient(gradient, share * length) == pytest.approx(length)
    assert_allclose(gradient, left * before)


def test_clipping_returns_a_norm_that_is_not_finite_without_a_warning():
    for value in (np.nan, np.inf, -np.inf):
        assert not np.isfinite(clip_gradient(np.array([1, value, 2], np.float32), 1.0))
    assert not np.isfinite(clip_gradient(np.full(3, 3e38, np.float32), 1.0))


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_follows_the_paper_decays_only_the_matrices_and_averages(decay):
    params = random_params(1)
    w, m, v = params.flat.copy(), np.zeros(15), np.zeros(15)
    average = 0
    adam = Adam(params, beta1=0.8, beta2=0.95, eps=1e-3)
    for k in range(1, 6):
        g, lr = np.random.default_rng(k).normal(size=15), 0.1 / k
        m = 0.8 * m + 0.2 * g
        v = 0.95 * v + 0.05 * g**2
        shrinking = w * decay * (np.arange(15) < 12)
        w = w - lr * ((m / (1 - 0.8**k)) / (np.sqrt(v / (1 - 0.95**k)) + 1e-3) + shrinking)
        adam.step(g, lr, decay)
        assert_allclose(params.flat, w, rtol=1e-12)
        average = average + (w - average) * RECENT / (k + RECENT - 1)
        assert_allclose(adam.average.flat, average, rtol=1e-12)
    assert_allclose(adam.m.flat, m, rtol=1e-12)
    assert_allclose(adam.v.flat, v, rtol=1e-12)


def test_the_first_step_has_the_size_of_the_rate_for_any_gradient():
    params = random_params(2)
    before, g = params.flat.copy(), random_params(3).flat * np.logspace(-3, 3, 15)
    Adam(params).step(g, 0.01)
    assert_allclose(before - params.flat, 0.01 * np.sign(g), rtol=1e-4)


def test_blocks_change_no_bit(monkeypatch):
    whole, parts = random_params(4), random_params(4)
    averages = []
    for params, block in [(whole, 1 << 15), (parts, 4)]:
        monkeypatch.setattr(Adam, "BLOCK", block)
        adam = Adam(params)
        for k in range(3):
            adam.step(random_params(10 + k).flat, 0.1, 0.01)
        averages.append(adam.average.flat)
    assert_array_equal(whole.flat, parts.flat)
    assert_array_equal(*averages)
