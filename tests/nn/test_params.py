import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.nn.config import ModelConfig
from charrnn.nn.params import Params

SHAPES = {"bh": (3,), "Wxh": (3, 4), "by": (2,), "Why": (2, 3)}


@pytest.fixture
def params():
    params = Params(SHAPES, np.float64)
    params.flat[:] = np.arange(params.flat.size)
    return params


def test_every_number_belongs_to_one_view(params):
    assert {name: view.shape for name, view in params.items()} == SHAPES
    numbers = np.concatenate([view.ravel() for view in params.values()])
    assert sorted(numbers) == list(range(3 + 12 + 2 + 6))


def test_a_view_shares_memory_with_the_vector(params):
    params["by"][...] = -1
    params["Wxh"][1, 2] = -2
    assert sorted(params.flat)[:3] == [-2, -1, -1]
    params.flat *= 2
    assert_array_equal(params["by"], [-2, -2])
    with pytest.raises(TypeError):
        params["by"] = np.zeros(2)


def test_matrices_come_first(params):
    assert_array_equal(params.matrices, [np.concatenate([params["Wxh"].ravel(), params["Why"].ravel()])])
    params.matrices[:] = 0
    assert not params["Wxh"].any()
    assert not params["Why"].any()
    assert params["bh"].all()
    assert params["by"].all()


def test_copies_share_no_memory(params):
    copy, zeros = params.copy(), params.zeros_like()
    assert_array_equal(copy.flat, params.flat)
    assert_array_equal(copy["Why"], params["Why"])
    assert not zeros.flat.any()
    params.flat[:] = 9
    assert copy.flat.max() == 22
    assert copy.flat.dtype == zeros.flat.dtype == np.float64


def test_each_of_several_networks_has_its_own_part():
    params = Params(SHAPES, np.float64, networks=3)
    params.flat[:] = 1 + np.arange(params.flat.size)
    assert {name: view.shape for name, view in params.items()} == {name: (3, *shape) for name, shape in SHAPES.items()}
    for number in range(3):
        own = params.network(number)
        assert_array_equal(own.flat, 1 + np.arange(23) + 23 * number)
        for name, view in own.items():
            assert_array_equal(view, params[name][number])
    params["by"][1] = -1
    params.network(2)["by"][...] = -2
    assert sorted(params.flat)[:4] == [-2, -2, -1, -1]
    params.matrices[1:] = 0
    assert params["Wxh"][0].all()
    assert not params["Wxh"][1:].any()
    assert not params["Why"][1:].any()
    assert params["bh"].all()
    assert_array_equal(params.copy().matrices, params.matrices)


def test_the_number_of_parameters_follows_from_the_equations(cell):
    """G (HV + HH + H) for the first layer, G (2HH + H) for each other layer, VH + V for the logits."""
    G, V, H = {"rnn": 1, "gru": 3, "lstm": 4}[cell], 7, 5
    size = Params(ModelConfig(V, cell, H, 3).shapes()).flat.size
    assert size == G * (H * V + H * H + H) + 2 * G * (2 * H * H + H) + V * H + V
