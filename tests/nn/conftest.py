"""What the tests of the network share: every cell in turn, its textbook equations, a model with random weights."""

import numpy as np
import pytest

from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params


@pytest.fixture(params=list(CELLS))
def cell(request):
    return request.param


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(a, Whh, h):
    return (np.tanh(a + Whh @ h),)


def lstm_step(a, Whh, h, c):
    i, f, o, g = np.split(a + Whh @ h, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(a, Whh, h):
    (a_r, a_z, a_n), (Whr, Whz, Whn) = np.split(a, 3), np.split(Whh, 3)
    r, z = sigmoid(a_r + Whr @ h), sigmoid(a_z + Whz @ h)
    n = np.tanh(a_n + r * (Whn @ h))
    return ((1 - z) * n + z * h,)


@pytest.fixture
def naive_step(cell):
    """One time step of one stream, from the textbook: (a, Whh, *state) -> state, all vectors; real or complex."""
    return {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}[cell]


@pytest.fixture
def make_model(cell):
    """A model with random weights, all of them different from zero."""

    def make(V=7, H=5, layers=2, dtype=np.float64, seed=1):
        config = ModelConfig(V, cell, H, layers)
        params = Params(config.shapes(), dtype)
        params.flat[:] = np.random.default_rng(seed).normal(0, 1.5 / np.sqrt(H), params.flat.size)
        return Model(config, params)

    return make


@pytest.fixture
def random_state():
    """A state of B streams that have read something."""

    def draw(model, B, seed=2):
        rng = np.random.default_rng(seed)
        return tuple(tuple(rng.uniform(-0.9, 0.9, part.shape) for part in layer) for layer in model.zero_state(B))

    return draw
