"""The gradient of the whole network against finite differences of its loss, in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.nn.dropout import Dropout
from charrnn.nn.loss import nats, nats_and_gradient

KEY = (11, 3)


@pytest.fixture(params=[Dropout(), Dropout(0.4), Dropout(0, 0.3), Dropout(0.4, 0.3)], ids=str)
def dropout(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["carried", "reset"])
def resets(request):
    return request.param


class Problem:
    """A model with inputs, targets and a mask: its loss as a function of parameters and initial state."""

    def __init__(self, model, state, T, B, dropout, resets):
        rng = np.random.default_rng(4)
        self.model, self.state, self.dropout = model, state, dropout
        self.x, self.y = rng.integers(0, model.config.vocab_size, (2, T, B))
        self.carry_mask = (rng.random((T, B)) < 0.7).astype(np.float64) if resets else None
        self.work = model.workspace(T, B, dropout)

    def forward(self):
        self.model.forward(self.x, self.state, self.work, self.carry_mask, self.dropout, KEY)

    def loss(self):
        self.forward()
        return nats(self.work.logits, self.y.ravel()).mean()

    def gradient(self):
        """Of the parameters and of the initial state. The buffers still hold values of an earlier pass."""
        self.forward()
        nats_and_gradient(self.work.logits, self.y.ravel(), 1 / self.y.size)
        grads = self.model.params.zeros_like()
        grads.flat[:] = np.nan
        return grads, self.model.backward(self.x, self.work, grads, self.carry_mask)


def central_differences(loss, array, eps=1e-5):
    numeric = np.empty_like(array)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + eps
        above = loss()
        array[place] = value - eps
        numeric[place] = (above - loss()) / (2 * eps)
        array[place] = value
    return numeric


def test_every_parameter_and_the_initial_state(make_model, random_state, dropout, resets):
    T, B, H, V = 3, 2, 5, 7
    model = make_model(V, H)
    problem = Problem(model, random_state(model, B), T, B, dropout, resets)
    if resets:
        problem.carry_mask[:] = [[1, 0], [0, 1], [1, 1]]
    grads, dstate = problem.gradient()
    for name, view in model.params.items():
        assert_allclose(grads[name], central_differences(problem.loss, view), rtol=1e-6, atol=1e-9, err_msg=name)
    for layer, dlayer in zip(problem.state, dstate, strict=True):
        for part, dpart in zip(layer, dlayer, strict=True):
            assert_allclose(dpart, central_differences(problem.loss, part), rtol=1e-6, atol=1e-9)


def test_one_direction_in_a_network_of_realistic_size(make_model, random_state, dropout, resets):
    T, B, H, V = 16, 11, 32, 40
    model = make_model(V, H)
    problem = Problem(model, random_state(model, B), T, B, dropout, resets)
    grads, dstate = problem.gradient()
    moved = [model.params.flat, *(part for layer in problem.state for part in layer)]
    slopes = [grads.flat, *(part for layer in dstate for part in layer)]
    for array, slope in zip(moved, slopes, strict=True):
        start, direction = array.copy(), np.random.default_rng(6).normal(size=array.shape)
        direction /= np.linalg.norm(direction)
        losses = []
        for eps in (2e-4, 1e-4, -1e-4, -2e-4):
            array[...] = start + eps * direction
            losses.append(problem.loss())
        array[...] = start
        numeric = (-losses[0] + 8 * losses[1] - 8 * losses[2] + losses[3]) / 12e-4  # error of the fourth order
        assert_allclose(numeric, (slope * direction).sum(), rtol=1e-8, atol=1e-11)
