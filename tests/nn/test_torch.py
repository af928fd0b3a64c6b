"""Values and gradients against PyTorch, if it is installed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.nn.loss import nats, nats_and_gradient
from charrnn.nn.params import Params
from charrnn.optim.adam import Adam, clip_gradient

torch = pytest.importorskip("torch")

T, B, H, V = 9, 4, 12, 15
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
BLOCKS = {"rnn": [0], "lstm": [0, 1, 3, 2], "gru": [0, 1, 2]}  # our number of each of torch's gates: i f g o, r z n

WEIGHTS = [("weight_ih_l0", "Wxh"), ("weight_hh_l0", "Whh"), ("bias_ih_l0", "bh")]


def reordered(array, cell):
    """Our gates in torch's order, and torch's in ours."""
    return np.concatenate([np.split(array, len(BLOCKS[cell]))[i] for i in BLOCKS[cell]])


def tensor(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("layers", [1, 2])
def test_values_and_gradients(cell, make_model, random_state, layers):
    model = make_model(V, H, layers)
    x, y = np.random.default_rng(3).integers(0, V, (2, T, B))
    start = random_state(model, B)
    work, grads = model.workspace(T, B), model.params.zeros_like()
    last = model.forward(x, start, work)
    loss = nats(work.logits, y.ravel()).mean()
    nats_and_gradient(work.logits, y.ravel(), 1 / y.size)
    dstart = model.backward(x, work, grads)

    Why, by = tensor(model.params["Why"]), tensor(model.params["by"])
    below, output, modules = torch.nn.functional.one_hot(torch.from_numpy(x), V).double(), 0, []
    for layer in range(layers):
        module = MODULES[cell](below.shape[2], H).double()
        with torch.no_grad():
            for theirs, ours in WEIGHTS:
                getattr(module, theirs).copy_(torch.from_numpy(reordered(model.params[f"{ours}{layer}"], cell)))
            module.bias_hh_l0.zero_()
        state = [tensor(part.T[None]) for part in start[layer]]
        hidden, new = module(below, tuple(state) if len(state) == 2 else state[0])
        output = output + hidden
        below = torch.nn.functional.layer_norm(output, (H,), eps=1e-5)
        modules.append((module, state, new if len(state) == 2 else [new]))
    their_loss = torch.nn.functional.cross_entropy((below @ Why.T + by).reshape(-1, V), torch.from_numpy(y.ravel()))
    their_loss.backward()

    assert loss == pytest.approx(their_loss.item(), rel=1e-12)
    for layer, (module, state, new) in enumerate(modules):
        for ours, dours, theirs, first in zip(last[layer], dstart[layer], new, state, strict=True):
            assert_allclose(ours.T, theirs[0].detach(), atol=1e-12)
            assert_allclose(dours.T, first.grad[0], atol=1e-12)
        for theirs, ours in WEIGHTS:
            gradient = reordered(getattr(module, theirs).grad.numpy(), cell)
            assert_allclose(grads[f"{ours}{layer}"], gradient, atol=1e-12, err_msg=ours)
    assert_allclose(grads["Why"], Why.grad, atol=1e-12)
    assert_allclose(grads["by"], by.grad, atol=1e-12)


@pytest.fixture
def params():
    params = Params({"W": (H, V), "b": (H,)}, np.float64)
    params.flat[:] = np.random.default_rng(0).normal(size=params.flat.size)
    return params


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam(params, decay):
    W, b = tensor(params["W"]), tensor(params["b"])
    groups = [{"params": [W], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0}]
    theirs, ours = torch.optim.AdamW(groups, lr=0.02, betas=(0.9, 0.99), eps=1e-8), Adam(params)
    for k in range(10):
        gradient = params.zeros_like()
        gradient.flat[:] = np.random.default_rng(k + 1).normal(size=gradient.flat.size)
        W.grad, b.grad = torch.tensor(gradient["W"]), torch.tensor(gradient["b"])
        theirs.step()
        ours.step(gradient.flat, 0.02, decay)
    assert_allclose(params["W"], W.detach(), rtol=1e-11)
    assert_allclose(params["b"], b.detach(), rtol=1e-11)


@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping(params, limit):
    """PyTorch adds 1e-6 to the norm before it divides."""
    W = tensor(np.zeros(params.flat.size))
    W.grad = torch.tensor(params.flat)
    length = torch.nn.utils.clip_grad_norm_([W], limit)
    assert clip_gradient(params.flat, limit) == pytest.approx(length.item(), rel=1e-12)
    assert_allclose(params.flat, W.grad, rtol=1e-6)
