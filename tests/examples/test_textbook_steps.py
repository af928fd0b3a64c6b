"""The cells against their textbook steps: one stream and one time step at a time, in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.cells import CELLS

T, B, H, X = 5, 3, 4, 6  # X numbers in each input
CARRY_MASK = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 0], [1, 0, 1], [1, 1, 1]], np.float64)


@pytest.fixture(params=list(CELLS))
def cell(request):
    return request.param


@pytest.fixture(params=[None, CARRY_MASK], ids=["carried", "reset"])
def carry_mask(request):
    return request.param


@pytest.fixture
def step(textbook, cell):
    """(x, *state, Wxh, Whh, bh) -> the state after it, as a tuple."""
    function = getattr(textbook, f"{cell}_step")
    return function if cell == "lstm" else lambda *args: (function(*args),)


@pytest.fixture
def step_backward(textbook, cell):
    """(*dstate, x, *state, Wxh, Whh, bh) -> da, du and the gradient of the state before."""
    return getattr(textbook, f"{cell}_step_backward")


class Problem:
    """Inputs x (T, X, B), an initial state, weights, and the gradient of each h from above."""

    def __init__(self, cell):
        rng, module = np.random.default_rng(0), CELLS[cell]
        self.x = rng.normal(size=(T, X, B))
        self.state = tuple(rng.normal(size=(H, B)) for _ in module.STATE)
        self.Wxh = rng.normal(size=(module.INPUT_ROWS * H, X))
        self.Whh = rng.normal(size=(module.RECURRENT_ROWS * H, H))
        self.bh = rng.normal(size=module.INPUT_ROWS * H)
        self.dh = rng.normal(size=(T, H, B))
        self.a = np.stack([self.Wxh @ x_t + self.bh[:, None] for x_t in self.x])

    @property
    def weights(self):
        return self.Wxh, self.Whh, self.bh


@pytest.fixture
def problem(cell):
    return Problem(cell)


def carried(state, carry_mask, t, b):
    """The state that stream b starts step t from."""
    return state if carry_mask is None or carry_mask[t, b] else tuple(np.zeros_like(part) for part in state)


def loop_forward(step, problem, carry_mask):
    """For each stream the states before each step (zero where it is reset), and after the last; all h (T, H, B)."""
    before, last, h = [], [], np.empty((T, H, B))
    for b in range(B):
        state, own = tuple(part[:, b] for part in problem.state), []
        for t in range(T):
            own.append(carried(state, carry_mask, t, b))
            state = step(problem.x[t, :, b], *own[-1], *problem.weights)
            h[t, :, b] = state[0]
        before.append(own)
        last.append(state)
    return before, [np.stack(part, axis=1) for part in zip(*last, strict=True)], h


def loop_backward(step_backward, problem, before, carry_mask):
    """da, du (T, rows, B), dWhh, and the gradient of the initial state."""
    da, du, dstate = np.empty_like(problem.a), np.empty_like(problem.a), []
    dWhh = np.zeros_like(problem.Whh)
    for b in range(B):
        dnext = tuple(np.zeros(H) for _ in problem.state)
        for t in reversed(range(T)):
            dnext = (dnext[0] + problem.dh[t, :, b], *dnext[1:])
            state = before[b][t]
            da[t, :, b], du[t, :, b], *dnext = step_backward(*dnext, problem.x[t, :, b], *state, *problem.weights)
            dWhh += np.outer(du[t, :, b], state[0])
            dnext = carried(tuple(dnext), carry_mask, t, b)
        dstate.append(dnext)
    return da, du, dWhh, [np.stack(part, axis=1) for part in zip(*dstate, strict=True)]


def test_step_is_the_textbook_step(cell, step, problem):
    products = problem.Whh @ problem.state[0]
    after = CELLS[cell].step(problem.a[0], products, problem.state)
    for b in range(B):
        expected = step(problem.x[0, :, b], *(part[:, b] for part in problem.state), *problem.weights)
        for got, naive in zip(after, expected, strict=True):
            assert_allclose(got[:, b], naive, rtol=0, atol=1e-14)


def test_forward_and_backward_are_the_textbook_steps_in_a_loop(cell, step, step_backward, problem, carry_mask):
    module = CELLS[cell]
    before, expected_last, expected_h = loop_forward(step, problem, carry_mask)
    a, cache = problem.a.copy(), module.cache(T, H, B, np.float64)
    last = module.forward(a, problem.Whh, problem.state, cache, carry_mask)
    assert_allclose(cache.h[1:], expected_h, rtol=0, atol=1e-13)
    for got, expected in zip(last, expected_last, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-13)

    expected_da, expected_du, expected_dWhh, expected_dstate = loop_backward(step_backward, problem, before, carry_mask)
    da, du, dstate = module.backward(problem.dh.copy(), a, problem.Whh, cache, carry_mask)
    previous = cache.h[:-1] if carry_mask is None else cache.h[:-1] * carry_mask[:, None, :]
    assert_allclose(da, expected_da, rtol=0, atol=1e-13)
    assert_allclose(du, expected_du, rtol=0, atol=1e-13)
    assert_allclose(np.einsum("tib,tjb->ij", du, previous), expected_dWhh, rtol=0, atol=1e-12)
    for got, expected in zip(dstate, expected_dstate, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-13)


def test_the_backward_step_is_the_derivative_of_the_step(step, step_backward, problem):
    """By complex steps: f(x + ih) = f(x) + ih f'(x), exact to rounding since nothing is subtracted."""
    rng = np.random.default_rng(1)
    arrays = [problem.x[0, :, 0], *(part[:, 0] for part in problem.state), *problem.weights]
    dafter = [rng.normal(size=H) for _ in problem.state]

    def derivative(number, place):
        moved = [array.astype(complex) for array in arrays]
        moved[number][place] += 1e-30j
        return sum((part * d).sum() for part, d in zip(step(*moved), dafter, strict=True)).imag / 1e-30

    naive = [np.reshape([derivative(i, p) for p in np.ndindex(w.shape)], w.shape) for i, w in enumerate(arrays)]
    x, h = arrays[:2]
    da, du, *dbefore = step_backward(*dafter, *arrays)
    for got, expected in zip([problem.Wxh.T @ da, *dbefore, np.outer(da, x), np.outer(du, h), da], naive, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-13)


def test_backward_steps_do_not_change_their_arguments(step_backward, problem):
    rng = np.random.default_rng(2)
    dafter = [rng.normal(size=H) for _ in problem.state]
    given = [*dafter, problem.x[0, :, 0], *(part[:, 0] for part in problem.state), *problem.weights]
    copies = [array.copy() for array in given]
    step_backward(*given)
    for array, copy in zip(given, copies, strict=True):
        assert_array_equal(array, copy)
