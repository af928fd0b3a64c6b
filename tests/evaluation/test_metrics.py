from math import exp, inf, log

import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.errors import OptionError, TextError, UnknownCharacterError
from charrnn.evaluation import windows
from charrnn.evaluation.metrics import Metrics, evaluate, partial_metrics
from charrnn.language_model import LanguageModel
from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.text.vocab import Vocab

CHARACTERS = "abcdef"
V = len(CHARACTERS)


def model_of(cell="rnn", dtype=np.float64, scale=0.8):
    config = ModelConfig(V, cell, hidden=5, layers=2)
    params = Params(config.shapes(), dtype)
    params.flat[:] = np.random.default_rng(1).normal(0, scale, params.flat.size)
    return LanguageModel(Model(config, params), Vocab(CHARACTERS), 0)


def ids_of(length):
    return np.random.default_rng(length).integers(0, V, length).astype(np.uint8)


def text_of(length):
    return Vocab(CHARACTERS).decode(ids_of(length))


def naive(model, ids, piece, warm_up):
    """One piece after the other and one character at a time, in float64."""
    params = Params(model.network.config.shapes(), np.float64)
    params.flat[:] = model.network.params.flat
    network = Model(model.network.config, params)
    work, nats, correct = network.workspace(1, 1), 0, 0
    for start in range(0, len(ids) - 1, piece):
        state = network.zero_state(1)
        for place in range(max(0, start - warm_up), min(start + piece, len(ids) - 1)):
            state = network.forward(ids[[place], None], state, work)
            if place >= start:
                probs = np.exp(work.logits[:, 0]) / np.exp(work.logits[:, 0]).sum()
                nats -= log(probs[ids[place + 1]])
                correct += int(probs.argmax() == ids[place + 1])
    return Metrics(nats, len(ids) - 1, correct)


def assert_same(score, expected, tolerance=1e-6):
    assert (score.chars, score.correct) == (expected.chars, expected.correct)
    assert score.nats_per_char == pytest.approx(expected.nats_per_char, abs=tolerance)


@pytest.fixture
def small(monkeypatch):
    """The constants of the program made small, so that a short text is cut in every way."""

    def shrink(**constants):
        for name, value in ({"WINDOW": 10, "WARM_UP": 4, "STREAMS": 3, "CHUNK": 3} | constants).items():
            monkeypatch.setattr(windows, name, value)

    shrink()
    return shrink


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 1e-4)])
@pytest.mark.parametrize("cell", CELLS)
def test_each_piece_is_read_after_its_warm_up(small, cell, dtype, tolerance):
    model = model_of(cell, dtype)
    assert_same(evaluate(model, text_of(137)), naive(model, ids_of(137), 10, 4), tolerance)


@pytest.mark.parametrize("length", [2, 3, 9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 60, 61, 62])
@pytest.mark.parametrize(("piece", "warm_up"), [(10, 4), (4, 10), (7, 0), (5, 5)])
def test_a_text_of_any_length(small, length, piece, warm_up):
    small(WINDOW=piece, WARM_UP=warm_up)
    assert_same(evaluate(model_of(), text_of(length)), naive(model_of(), ids_of(length), piece, warm_up))


@pytest.mark.parametrize("streams", [1, 2, 5, 100])
@pytest.mark.parametrize("chunk", [1, 4, 14, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_shape_of_the_batch_changes_nothing(small, streams, chunk, threads):
    model, text = model_of("gru", np.float32), text_of(123)
    expected = evaluate(model, text)
    small(STREAMS=streams, CHUNK=chunk)
    assert_same(evaluate(model, text, threads=threads), expected)


@pytest.mark.parametrize("length", [2, 1000, 2048, 2049, 2050, 2 * 2048 + 1, 17 * 2048 + 5])
def test_every_character_after_the_first_is_scored_exactly_once(length):
    """By a model that knows spec frequent characters are and nothing else, with the constants of the program."""
    model, share = model_of(scale=0.0), np.array([0.4, 0.3, 0.15, 0.08, 0.05, 0.02])
    model.network.params["by"][:] = np.log(share)
    ids = ids_of(length)
    parts = list(partial_metrics(model.network, ids))
    assert sum(part.nats for part in parts) == pytest.approx(-np.log(share[ids[1:]]).sum(), rel=1e-12)
    assert sum(part.chars for part in parts) == length - 1
    assert sum(part.correct for part in parts) == (ids[1:] == 0).sum()


@pytest.mark.parametrize("length", [2, 3, 12, 40])
@pytest.mark.parametrize("window", [1, 2, 5, 11, 39, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_windows_are_read_from_the_zero_state(small, length, window, threads):
    score = evaluate(model_of("lstm"), text_of(length), window=window, threads=threads)
    assert_same(score, naive(model_of("lstm"), ids_of(length), window, 0))


def test_a_text_of_one_piece_is_one_pass(small):
    """As a single forward over the whole."""
    small(WINDOW=1000)
    model, ids = model_of(), ids_of(50)
    work = model.network.workspace(49, 1)
    model.network.forward(ids[:-1, None], model.network.zero_state(1), work)
    probs = np.exp(work.logits) / np.exp(work.logits).sum(axis=0)
    nats = -np.log(probs[ids[1:], np.arange(49)]).sum()
    assert evaluate(model, text_of(50)).nats == pytest.approx(nats, rel=1e-12)


def test_unknown_characters_are_counted_as_the_policy_says(small):
    model, known = model_of(), evaluate(model_of(), "abcabfed")
    with pytest.raises(UnknownCharacterError, match=r"'é'.*position 3"):
        evaluate(model, "abcéabf€ed")
    assert evaluate(model, "?abcéabf€ed", "skip") == Metrics(known.nats, 7, known.correct, 3)
    uniform = evaluate(model, "?abcéabf€ed", "uniform")
    assert (uniform.chars, uniform.correct, uniform.unknown_chars) == (10, known.correct, 3)
    assert uniform.nats == pytest.approx(known.nats + 3 * log(6), rel=1e-12)
    with pytest.raises(OptionError, match="error, skip, uniform"):
        evaluate(model, "abc", "ignore")


@pytest.mark.parametrize("text", ["", "a", "a?", "??"])
@pytest.mark.parametrize("unknown", ["skip", "uniform"])
def test_less_than_two_known_characters_are_refused(text, unknown):
    with pytest.raises(TextError, match="at least 2"):
        evaluate(model_of(), text, unknown)


def test_all_bytes_are_known_to_a_model_of_bytes():
    config = ModelConfig(256, "rnn", 3, 1)
    model = LanguageModel(Model(config, Params(config.shapes())), Vocab(of_bytes=True), 0)
    score = evaluate(model, bytes(range(256)))
    assert score.chars == 255
    assert score.bits_per_char == pytest.approx(8, rel=1e-6)
    assert score.perplexity == pytest.approx(256, rel=1e-5)


def test_a_score_tells_the_same_thing_in_other_units():
    score = Metrics(nats=6.0, chars=4, correct=1) + Metrics(nats=2.0, chars=1, correct=1, unknown_chars=7)
    assert score == Metrics(8.0, 5, 2, 7)
    assert score.nats_per_char == 1.6
    assert 2**score.bits_per_char == pytest.approx(exp(1.6))
    assert score.perplexity == exp(1.6)
    assert score.accuracy == 0.4
    assert Metrics(1e30, 1).perplexity == inf


def test_probabilities_of_all_continuations_sum_to_one(small):
    """exp(-nats) is the probability of a text after its first character: over all texts of a length it sums to 1."""
    small(WINDOW=2, WARM_UP=5)
    model = model_of("gru")
    total = sum(exp(-evaluate(model, "a" + x + y + z).nats) for x in CHARACTERS for y in CHARACTERS for z in CHARACTERS)
    assert_allclose(total, 1, rtol=1e-12)
