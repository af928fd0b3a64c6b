import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.cells import CELLS, gates, lstm, matmul

T, B, H = 4, 3, 5
KEEP = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]], np.float64)


@pytest.fixture(params=[None, KEEP], ids=["carried", "reset"])
def carry_mask(request):
    return request.param


@pytest.fixture
def inputs(cell):
    """a, Whh and the initial state."""
    module, rng = CELLS[cell], np.random.default_rng(0)
    a = rng.normal(size=(T, module.INPUT_ROWS * H, B))
    Whh = rng.normal(size=(module.RECURRENT_ROWS * H, H))
    return a, Whh, tuple(rng.normal(size=(H, B)) for _ in module.STATE)


def naive_forward(step, a, Whh, state, carry_mask):
    """Every hidden state (T, H, B) and the last state, one stream and one time step at a time."""
    hidden, last = [], []
    for b in range(B):
        own = tuple(part[:, b] for part in state)
        for t in range(T):
            if carry_mask is not None and carry_mask[t, b] == 0:
                own = tuple(np.zeros_like(part) for part in own)
            own = step(a[t, :, b], Whh, *own)
            hidden.append(own[0])
        last.append(own)
    return np.reshape(hidden, (B, T, H)).transpose(1, 2, 0), [
        np.stack(part, axis=1) for part in zip(*last, strict=True)
    ]


def test_forward_follows_the_textbook(cell, naive_step, inputs, carry_mask):
    a, Whh, state = inputs
    cache = CELLS[cell].cache(T, H, B, np.float64)
    last = CELLS[cell].forward(a.copy(), Whh, state, cache, carry_mask)
    naive_hidden, naive_last = naive_forward(naive_step, a, Whh, state, carry_mask)
    assert_allclose(cache.h[1:], naive_hidden, rtol=0, atol=1e-12)
    assert_allclose(last, naive_last, rtol=0, atol=1e-12)
    assert_array_equal(cache.h[0], state[0])


def test_backward_is_the_derivative_of_the_textbook(cell, naive_step, inputs, carry_mask):
    """By complex steps: f(x + ih) = f(x) + ih f'(x), exact to rounding since nothing is subtracted."""
    a, Whh, state = inputs
    dh = np.random.default_rng(1).normal(size=(T, H, B))
    arrays = [a, Whh, *state]

    def derivative(array, place):
        moved = [x.astype(complex) for x in arrays]
        moved[array][place] += 1e-30j
        hidden, _ = naive_forward(naive_step, moved[0], moved[1], moved[2:], carry_mask)
        return (hidden * dh).sum().imag / 1e-30

    naive = [np.reshape([derivative(i, p) for p in np.ndindex(x.shape)], x.shape) for i, x in enumerate(arrays)]

    cache = CELLS[cell].cache(T, H, B, np.float64)
    work = a.copy()
    CELLS[cell].forward(work, Whh, state, cache, carry_mask)
    da, drecurrent, dstate = CELLS[cell].backward(dh, work, Whh, cache, carry_mask)
    previous = cache.h[:-1] if carry_mask is None else cache.h[:-1] * carry_mask[:, None, :]
    dWhh = sum(d @ h.T for d, h in zip(drecurrent, previous, strict=True))
    for got, expected in zip([da, dWhh, *dstate], naive, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_only_the_forget_gate_starts_with_a_bias(cell):
    bias = CELLS[cell].initial_bias(H)
    expected = np.zeros(CELLS[cell].INPUT_ROWS * H)
    if cell == "lstm":
        expected[H : 2 * H] = 1
    assert_array_equal(bias, expected)


def test_an_lstm_with_an_open_forget_gate_and_a_closed_input_gate_keeps_c():
    a = np.zeros((T, 4 * H, B))
    a[:, :H], a[:, H : 2 * H] = -1000, 1000
    c = np.random.default_rng(2).normal(size=(H, B))
    last = lstm.forward(a, np.zeros((4 * H, H)), (np.zeros((H, B)), c), lstm.cache(T, H, B, np.float64))
    assert_array_equal(last[1], c)


@pytest.mark.parametrize("unpacked", [True, False])
@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ((6, 4, 3), [6]),
        ((512, 256, 32), [64]),
        ((100, 2048, 8), [50]),
        ((512, 512, 32), [60, 32]),  # 64 rows are too many, and no smaller number divides 512
        ((33 * 64, 500, 1), [33 * 32]),
        ((512, 2048, 32), 4 * [60, 32]),  # in four parts of 512 columns
        ((97, 1531, 32), [97]),  # too long, and 1531 is a prime number: left whole
        ((200, 150, 300), [200]),
    ],
    ids=str,
)
def test_a_step_product_is_the_matrix_product_however_it_is_split(shape, rows, unpacked, monkeypatch):
    M, K, N = shape
    rng = np.random.default_rng(4)
    W, h, out = rng.normal(size=(M, K)), rng.normal(size=(K, N)), np.empty((M, N))
    made = []
    monkeypatch.setattr(matmul, "UNPACKED", unpacked)
    monkeypatch.setattr(np, "matmul", lambda W, *args, f=np.matmul, **out: made.append(W) or f(W, *args, **out))
    assert matmul.step_product(W, N)(h, out) is out
    assert_allclose(out, np.einsum("mk,kn->mn", W, h), rtol=0, atol=1e-10)
    assert [each.shape[-2] for each in made] == (rows if unpacked else [M])


@pytest.mark.parametrize("shape", [(3, 5), (70, 33), (64, 1)], ids=str)
def test_transposed_is_a_contiguous_copy_of_the_transpose(shape):
    W = np.random.default_rng(5).normal(size=shape)
    WT = matmul.transposed(W)
    assert WT.flags.c_contiguous
    assert WT.base is None
    assert_array_equal(WT, W.T)


def test_mask_state_zeroes_the_columns_that_are_reset():
    previous, out = np.random.default_rng(3).normal(size=(H, B)), np.empty((H, B))
    assert_array_equal(gates.mask_state(previous, KEEP, 0, out), previous * [1, 0, 1])
    assert gates.mask_state(previous, KEEP, 1, out) is previous
    assert gates.mask_state(previous, None, 0, out) is previous
