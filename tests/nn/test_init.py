import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.config import ModelConfig
from charrnn.nn.init import INPUT_SCALE, initial_params, orthogonal
from charrnn.nn.loss import nats
from charrnn.nn.model import Model

V, H = 60, 40


@pytest.fixture
def config(cell):
    return ModelConfig(V, cell, H, 2)


def test_the_first_loss_is_ln_V(config):
    model = Model(config, initial_params(config, seed=1))
    x, y = np.random.default_rng(0).integers(0, V, (2, 9, 3))
    work = model.workspace(9, 3)
    model.forward(x, model.zero_state(3), work)
    assert_allclose(nats(work.logits, y.ravel()), np.log(V), rtol=1e-6)


def test_recurrent_weights_are_a_different_orthogonal_block_for_each_gate(config):
    params = initial_params(config, seed=1, dtype=np.float64)
    blocks = [block for layer in range(2) for block in params[f"Whh{layer}"].reshape(-1, H, H)]
    for block in blocks:
        assert_allclose(block @ block.T, np.eye(H), atol=1e-12)
    assert len(np.unique(blocks)) == len(blocks) * H * H


def test_input_weights_have_their_scale(config):
    params = initial_params(config, seed=1, dtype=np.float64)
    for name, scale in [("Wxh0", INPUT_SCALE), ("Wxh1", 1 / np.sqrt(H))]:
        assert abs(params[name].mean()) < 5 * scale / np.sqrt(params[name].size)
        assert params[name].std() == pytest.approx(scale, rel=5 / np.sqrt(2 * params[name].size))


def test_all_biases_but_the_forget_gates_are_zero(config, cell):
    params = initial_params(config, seed=1)
    for layer in range(2):
        gates = params[f"bh{layer}"].reshape(-1, H)
        assert [set(gate) for gate in gates.tolist()] == [{float(cell == "lstm" and i == 1)} for i in range(len(gates))]


def test_another_layer_or_precision_does_not_change_the_weights(config, cell):
    two = initial_params(config, seed=1, dtype=np.float64)
    three = initial_params(ModelConfig(V, cell, H, 3), seed=1, dtype=np.float32)
    for name, view in two.items():
        assert_array_equal(view.astype(np.float32), three[name])


def test_the_seed_decides(config):
    first, again, other = (initial_params(config, seed, np.float64) for seed in (1, 1, 2))
    assert_array_equal(first.flat, again.flat)
    for name in ("Wxh0", "Whh0", "Wxh1", "Whh1"):
        assert not np.any(first[name] == other[name])


def test_orthogonal_matrices_are_uniformly_distributed():
    """Plain QR is not: with Householder reflections the first entry is never positive."""
    rng = np.random.default_rng(0)
    corners = [np.diag(orthogonal(3, rng)) for _ in range(400)]
    assert np.abs(np.mean(corners, axis=0)).max() < 5 / np.sqrt(3 * 400)
