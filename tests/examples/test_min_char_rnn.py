"""min_char_rnn.py: its gradient is right, charrnn computes the same, and it runs as examples/README.md says."""

import ast
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.nn import layer_norm
from charrnn.nn.cells import CELLS, rnn
from charrnn.nn.config import ModelConfig
from charrnn.nn.loss import nats_and_gradient
from charrnn.nn.model import Model, scatter_columns
from charrnn.nn.params import Params
from charrnn.optim.adam import Adam, clip_gradient

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = EXAMPLES / "min_char_rnn.py"
SOURCE = SCRIPT.read_text(encoding="utf-8")
NAMES = "Wxh", "Whh", "bh", "Why", "by"
TEXT = "the cat sat on the mat; the dog sat on the log. " * 12

T, B, H, V = 6, 3, 5, 7


@pytest.fixture
def weights():
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in ((H, V), (H, H), (H,), (V, H), (V,))]


@pytest.fixture
def chunk():
    """Inputs and targets (T, B), and the state (H, B) before them."""
    rng = np.random.default_rng(1)
    return *rng.integers(0, V, (2, T, B)), rng.normal(size=(H, B))


def stream_by_stream(min_char_rnn, weights, chunk):
    """The example on each stream separately: the mean loss, its gradient, the last states (H, B)."""
    x, y, h = chunk
    losses, gradients, last = zip(
        *(min_char_rnn.loss_and_gradient(weights, x[:, b], y[:, b], h[:, b]) for b in range(B)), strict=True
    )
    return np.mean(losses), [sum(each) / B for each in zip(*gradients, strict=True)], np.stack(last, axis=1)


def model_of(weights):
    """A charrnn model with these weights."""
    config = ModelConfig(V, "rnn", H, layers=1)
    params = Params(config.shapes(), np.float64)
    for name, weight in zip(("Wxh0", "Whh0", "bh0", "Why", "by"), weights, strict=True):
        params[name][...] = weight
    return Model(config, params)


def gradient_of(model, x, y, state):
    """By charrnn: the mean loss, its gradient, the state after x, and the gradient of the state before x."""
    work, grads = model.workspace(*x.shape), model.params.zeros_like()
    state = model.forward(x, state, work)
    loss = nats_and_gradient(work.logits, y.ravel(), 1 / y.size) / y.size
    dstate = model.backward(x, work, grads)
    return loss, grads, state, dstate


@pytest.fixture
def without_normalisation(monkeypatch):
    """Remove layer normalisation from charrnn, because the lecture's network has none."""

    def identity(output, out):
        out[...] = output
        return np.ones(output.shape[1])

    monkeypatch.setattr(layer_norm, "normalise", identity)
    monkeypatch.setattr(layer_norm, "backward", lambda dnormal, layer_norm, scale: dnormal)


def test_charrnns_functions_combined_as_in_the_lecture_give_the_same_training_step(min_char_rnn, weights, chunk):
    Wxh, Whh, bh, Why, by = weights
    x, y, h_before = chunk
    a = Wxh[:, x].transpose(1, 0, 2) + bh[:, None]
    cache = rnn.cache(T, H, B, np.float64)
    last = rnn.forward(a, Whh, (h_before,), cache)
    h = np.hstack(list(cache.h))  # all columns side by side, the initial ones first
    logits = Why @ h[:, B:] + by[:, None]
    loss = nats_and_gradient(logits, y.ravel(), 1 / y.size) / y.size
    dh = np.stack(np.hsplit(Why.T @ logits, T))
    da, du, _ = (np.hstack(list(each)) for each in rnn.backward(dh, a, Whh, cache))
    dWxh = np.empty_like(Wxh)
    scatter_columns(da, x.ravel(), dWxh)
    gradient = [dWxh, du @ h[:, :-B].T, da.sum(axis=1), logits @ h[:, B:].T, logits.sum(axis=1)]

    expected_loss, expected, expected_last = stream_by_stream(min_char_rnn, weights, chunk)
    assert_allclose(loss, expected_loss, rtol=0, atol=1e-14)
    assert_allclose(last[0], expected_last, rtol=0, atol=1e-14)
    for name, got, dw in zip(NAMES, gradient, expected, strict=True):
        assert_allclose(got, dw, rtol=0, atol=1e-13, err_msg=name)


def test_the_model_without_its_normalisation_is_the_lectures_network(
    min_char_rnn, weights, chunk, without_normalisation
):
    x, y, h_before = chunk
    loss, grads, last, _ = gradient_of(model_of(weights), x, y, ((h_before,),))
    expected_loss, expected, expected_last = stream_by_stream(min_char_rnn, weights, chunk)
    assert_allclose(loss, expected_loss, rtol=0, atol=1e-14)
    assert_allclose(last[0][0], expected_last, rtol=0, atol=1e-14)
    for name, dw in zip(("Wxh0", "Whh0", "bh0", "Why", "by"), expected, strict=True):
        assert_allclose(grads[name], dw, rtol=0, atol=1e-13, err_msg=name)


def test_both_have_the_same_losses_and_weights_after_ten_steps(
    min_char_rnn, weights, without_normalisation, monkeypatch
):
    """With the state carried from chunk to chunk, clipping and Adam."""
    ids = np.random.default_rng(2).integers(0, V, 4 * T)  # three chunks, then the text begins again
    monkeypatch.setattr(min_char_rnn, "CLIP", 0.5)
    model = model_of(weights)
    adam, norms = Adam(model.params, min_char_rnn.BETA1, min_char_rnn.BETA2, min_char_rnn.EPS), []
    losses = islice(min_char_rnn.train(weights, ids, T), 10)
    for n, expected_loss in enumerate(losses):
        start = n % 3 * T
        if start == 0:
            state = model.zero_state(1)
        x, y = ids[start : start + T, None], ids[start + 1 : start + T + 1, None]
        loss, grads, state, _ = gradient_of(model, x, y, state)
        assert_allclose(loss, expected_loss, rtol=0, atol=1e-11)
        norms.append(clip_gradient(grads.flat, min_char_rnn.CLIP))
        adam.step(grads.flat, min_char_rnn.LR)
    assert max(norms) > min_char_rnn.CLIP
    for name, w in zip(("Wxh0", "Whh0", "bh0", "Why", "by"), weights, strict=True):
        assert_allclose(model.params[name], w, rtol=0, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("layers", [1, 2])
def test_the_whole_model_is_textbook_steps_with_residual_sums_and_layer_normalisation(textbook, cell, layers):
    """Compared with a loop: its loss, and by complex steps its gradient for every weight and the initial state."""
    T, B, H, V = 3, 2, 3, 4
    config = ModelConfig(V, cell, H, layers)
    model = Model(config, Params(config.shapes(), np.float64))
    rng = np.random.default_rng(3)
    model.params.flat[:] = rng.normal(size=model.params.flat.size)
    x, y = rng.integers(0, V, (2, T, B))
    start = tuple(tuple(rng.normal(size=part.shape) for part in layer) for layer in model.zero_state(B))
    step = getattr(textbook, f"{cell}_step")

    def naive_loss(flat, start):
        p, total = Params(config.shapes(), flat.dtype), 0
        p.flat[:] = flat
        for b in range(B):
            state = [tuple(part[:, b] for part in layer) for layer in start]
            for t in range(T):
                below, output = np.eye(V)[x[t, b]], 0
                for layer in range(layers):
                    new = step(below, *state[layer], p[f"Wxh{layer}"], p[f"Whh{layer}"], p[f"bh{layer}"])
                    state[layer] = new if cell == "lstm" else (new,)
                    output = output + state[layer][0]
                    centred = output - output.mean()
                    below = centred / np.sqrt((centred**2).mean() + 1e-5)
                scores = p["Why"] @ below + p["by"]
                total += np.log(np.exp(scores).sum()) - scores[y[t, b]]
        return total / (T * B)

    def derivative(array, place):
        """The derivative with respect to one number of an array in `moved`."""
        value, array[place] = array[place], array[place] + 1e-30j
        slope = naive_loss(moved, moved_start).imag / 1e-30
        array[place] = value
        return slope

    loss, grads, _, dstart = gradient_of(model, x, y, start)
    assert_allclose(loss, naive_loss(model.params.flat, start), rtol=0, atol=1e-14)
    moved = model.params.flat.astype(complex)
    moved_start = [[part.astype(complex) for part in layer] for layer in start]
    naive = [derivative(moved, place) for place in range(moved.size)]
    assert_allclose(grads.flat, naive, rtol=0, atol=1e-12)
    for parts, dparts in zip(moved_start, dstart, strict=True):
        for part, dpart in zip(parts, dparts, strict=True):
            naive = [derivative(part, place) for place in np.ndindex(part.shape)]
            assert_allclose(dpart.ravel(), naive, rtol=0, atol=1e-12)


def test_the_gradient_check_passes(min_char_rnn, capsys):
    assert min_char_rnn.check() is None
    said = re.findall(r"d(\w+): relative error (\S+)\n", capsys.readouterr().out)
    assert [name for name, _ in said] == list(NAMES)
    assert max(float(error) for _, error in said) < 1e-7


@pytest.mark.parametrize(
    ("right", "mistaken", "wrong"),
    [
        ("(p[t] - onehot[k]) / len(targets)", "p[t] / len(targets)", "dWxh, dWhh, dbh, dWhy, dby"),
        ("(p[t] - onehot[k]) / len(targets)", "p[t] - onehot[k]", "dWxh, dWhh, dbh, dWhy, dby"),
        ("np.outer(dy, h[t + 1])", "np.outer(dy, h[t])", "dWhy"),
        ("dby += dy\n", "dby += 2 * dy\n", "dby"),
        ("dh += Why.T @ dy", "dh = Why.T @ dy", "dWxh, dWhh, dbh"),
        ("dh * (1 - h[t + 1] ** 2)", "dh * (1 - h[t] ** 2)", "dWxh, dWhh, dbh"),
        ("np.outer(da, onehot[inputs[t]])", "np.outer(da, onehot[k])", "dWxh"),
        ("np.outer(da, h[t])", "np.outer(da, h[t + 1])", "dWhh"),
        ("dbh += da\n", "dbh += dh\n", "dbh"),
        ("dh = Whh.T @ da", "dh = Whh @ da", "dWxh, dWhh, dbh"),
    ],
)
def test_the_gradient_check_reports_a_mistake_in_any_term(right, mistaken, wrong):
    assert SOURCE.count(right) == 1
    module = ModuleType("mistaken")
    exec(SOURCE.replace(right, mistaken), vars(module))
    assert module.check() == f"wrong: {wrong}"


def test_a_lower_temperature_makes_likely_characters_likelier(min_char_rnn, weights):
    """Compares the frequency of each character with p^(1/temperature), for a network without memory."""
    for w in weights[:4]:
        w[...] = 0  # the scores are `by`, whatever it has read
    p = np.exp(weights[4]) / np.exp(weights[4]).sum()
    for temperature in (0.5, 1.0, 2.0):
        ids = min_char_rnn.sample(weights, 3, 4001, np.random.default_rng(4), temperature)
        expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
        assert ids[0] == 3
        assert_allclose(np.bincount(ids[1:], minlength=V) / 4000, expected, rtol=0, atol=0.03)


def test_it_learns(min_char_rnn):
    characters, ids = np.unique(list(TEXT), return_inverse=True)
    weights = min_char_rnn.initial_weights(len(characters), 32, np.random.default_rng(1))
    losses = list(islice(min_char_rnn.train(weights, ids, 16), 300))
    assert_allclose(losses[0], np.log(len(characters)), atol=0.5)
    assert np.mean(losses[-30:]) < 0.5


def test_each_equation_has_one_number_and_one_line_of_code(min_char_rnn):
    in_docstring = re.findall(r"^ +\((\d+)\) ", min_char_rnn.__doc__, re.M)
    in_code = re.findall(r"# \((\d+)\)$", SOURCE, re.M)
    assert in_docstring == [str(number) for number in range(1, 16)]
    assert sorted(in_code, key=int) == in_docstring
    steps = (EXAMPLES / "textbook_steps.py").read_text(encoding="utf-8")
    labels = re.findall(r"# \(([LG]\d+)\)", steps)
    assert labels == [f"L{number}" for number in range(1, 13)] + [f"G{number}" for number in range(1, 11)]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_need_only_numpy_installed(path):
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or ".").split(".")[0])
    assert "numpy" in modules
    assert modules - {"numpy"} <= sys.stdlib_module_names


def run(*arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=60
    )


def test_it_writes_text_and_its_loss_goes_down(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(TEXT, encoding="utf-8")
    result = run(corpus, "--seconds", 1)
    assert result.returncode == 0
    losses = [float(loss) for loss in re.findall(r"\d s: loss (\S+) nats per character\n", result.stderr)]
    assert len(losses) == 5
    assert losses[-1] < losses[0] < np.log(len(set(TEXT))) + 0.5
    assert len(result.stdout) == 5 * (300 + 2)
    assert set(result.stdout) <= set(TEXT) | {"\n"}


def test_check_prints_the_relative_errors_and_succeeds():
    result = run("--check")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("relative error") == 5


@pytest.mark.parametrize(
    ("content", "arguments", "status", "words"),
    [
        (None, [], 2, "name a text file"),
        (None, ["corpus.txt", "--minutes", "1"], 2, "unrecognized arguments: --minutes 1"),
        (None, ["corpus.txt", "--seconds", "soon"], 2, "invalid float value: 'soon'"),
        (None, ["corpus.txt"], 1, "No such file"),
        (b"", ["corpus.txt"], 1, "at least two characters"),
        (b"a", ["corpus.txt"], 1, "at least two characters"),
        (b"caf\xe9", ["corpus.txt"], 1, "can't decode byte 0xe9"),
    ],
    ids=["no corpus", "unknown option", "no number", "missing", "empty", "one character", "not UTF-8"],
)
def test_a_mistake_is_explained_in_one_line(content, arguments, status, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "corpus.txt").write_bytes(content)
    result = run(*arguments)
    assert result.returncode == status
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["aa", "ab", "a\nb"], ids=repr)
def test_the_shortest_texts_can_be_learnt(text, tmp_path):
    (tmp_path / "corpus.txt").write_text(text)
    result = run(tmp_path / "corpus.txt", "--seconds", "0.01")
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    assert set(result.stdout) <= set(text) | {"\n"}
