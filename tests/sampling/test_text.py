"""Texts follow the distribution of the model, and each option does what it says."""

from itertools import islice

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.markov import NO_PRIME, markov_chain

from charrnn.errors import OptionError, UnknownCharacterError
from charrnn.language_model import LanguageModel
from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.prng import SAMPLING, generator
from charrnn.sampling.params import SamplingParams
from charrnn.sampling.text import generate_ids, gumbel_noise, sample
from charrnn.text.vocab import Vocab


@pytest.fixture(params=CELLS)
def model(request):
    """A network with random weights that knows the letters a to g."""
    config = ModelConfig(7, request.param, hidden=5, layers=2)
    params = Params(config.shapes(), np.float64)
    params.flat[:] = np.random.default_rng(1).normal(0, 1, params.flat.size)
    return LanguageModel(Model(config, params), Vocab("abcdefg"), 3)


# drawing


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_argmax_of_logits_and_noise_follows_the_probabilities(temperature):
    scores = np.log([0.5, 0.3, 0.15, 0.04, 0.01])
    noise = gumbel_noise(np.random.default_rng(3), temperature, 5, 20000, np.float32)
    drawn = (scores[:, None] + next(noise)).argmax(axis=0)
    probs = np.exp(scores / temperature)
    assert chi_square(np.bincount(drawn, minlength=5), probs / probs.sum()) < 25


def test_noise_does_not_depend_on_how_much_is_generated_at_a_time(monkeypatch):
    first = list(islice(gumbel_noise(np.random.default_rng(4), 0.7, 5, 3, np.float64), 100))
    monkeypatch.setattr("charrnn.sampling.text.NOISE", 1)
    assert_array_equal(first, list(islice(gumbel_noise(np.random.default_rng(4), 0.7, 5, 3, np.float64), 100)))


@pytest.mark.parametrize("temperature", [0.0, 1e-308, 1.0, 1e308, np.inf])
def test_noise_is_finite_at_every_temperature(temperature):
    assert np.isfinite(next(gumbel_noise(np.random.default_rng(5), temperature, 65, 64, np.float32))).all()


def test_a_huge_temperature_draws_all_characters_equally_often():
    noise = gumbel_noise(np.random.default_rng(6), 1e308, 6, 20000, np.float32)
    drawn = (np.array([[1], [3], [3], [0], [2], [-1]], np.float32) + next(noise)).argmax(axis=0)
    assert chi_square(np.bincount(drawn, minlength=6), np.full(6, 1 / 6)) < 25


def chi_square(counts, probs):
    """About the number of categories if the counts follow the probabilities; far more if they do not."""
    expected = counts.sum() * probs
    return ((counts - expected) ** 2 / expected).sum()


# one character after another


def naive_ids(model, prime, n, steps, temperature, top_k, top_p, seed):
    """Draw each character after reading the whole text again, each sample by itself, as a race of exponentials.

    The character with the earliest arrival wins; its arrival time is exponential with its probability as the rate.
    """
    times = generator(seed, SAMPLING).standard_exponential((steps, 7, n))
    texts = [list(prime) for _ in range(n)]
    for step in times:
        for text, time in zip(texts, step.T, strict=True):
            work = model.network.workspace(len(text), 1)
            model.network.forward(np.array(text)[:, None], model.network.zero_state(1), work)
            probs = np.exp(work.logits[:, -1] / temperature)
            best = sorted(range(7), key=lambda i: -probs[i])[:top_k]
            mass = np.cumsum(probs[best]) / probs[best].sum()
            best = best[: 1 + int((mass < top_p).sum())]
            text.append(min(best, key=lambda i: time[i] / probs[i]))
    return np.array(texts)[:, len(prime) :].T


@pytest.mark.parametrize("filters", [(1.0, 7, 1.0), (0.6, 7, 1.0), (1.5, 4, 1.0), (1.0, 6, 0.7)])
@pytest.mark.parametrize("prime", [[2], [0, 6, 5, 1, 1]])
def test_each_character_is_drawn_given_all_before_it(model, monkeypatch, filters, prime):
    monkeypatch.setattr("charrnn.sampling.text.PRIME_CHUNK", 2)
    temperature, top_k, top_p = filters
    params = SamplingParams(temperature=temperature, top_k=top_k, top_p=top_p, seed=5)
    drawn = list(islice(generate_ids(model, np.array(prime), params, 3), 40))
    assert_array_equal(drawn, naive_ids(model, prime, 3, 40, *filters, seed=5))


def test_without_a_prime_the_start_character_is_read(model):
    params = SamplingParams(seed=1)
    without = list(islice(generate_ids(model, NO_PRIME, params, 2), 20))
    assert_array_equal(without, list(islice(generate_ids(model, np.array([model.bos_id]), params, 2), 20)))
    assert sample(model, 20, seed=1) == sample(model, 20, "d", seed=1)
    assert len({sample(model, 20, prime, seed=1) for prime in "abcdefg"}) > 1


def test_at_temperature_zero_the_most_likely_follows(model):
    text = sample(model, 30, "abc", temperature=0)
    ids = model.vocab.encode("abc" + text)[0]
    work = model.network.workspace(len(ids), 1)
    model.network.forward(ids[:, None], model.network.zero_state(1), work)
    assert_array_equal(work.logits.argmax(axis=0)[2:-1], ids[3:])
    assert sample(model, 30, "abc", temperature=1e-308, seed=9) == text
    assert sample(model, 30, "abc", top_k=1, seed=8) == text
    assert sample(model, 30, "abc", top_p=0, seed=7) == text


def test_the_same_seed_gives_the_same_text_and_another_another(model):
    assert sample(model, 50, seed=4) == sample(model, 50, seed=4) != sample(model, 50, seed=5)
    assert sample(model, 50, seed=4).startswith(sample(model, 20, seed=4))
    assert len(sample(model, 50, temperature=1e308, seed=4)) == 50
    assert sample(model, 0) == ""


def test_each_sample_follows_its_own_text():
    """In each sample, pairs of characters appear as often as the Markov chain says."""
    table = np.array([[0.1, 0.6, 0.3], [0.5, 0.1, 0.4], [0.2, 0.75, 0.05]])
    drawn = np.array(list(islice(generate_ids(markov_chain(table), NO_PRIME, SamplingParams(seed=6), 4), 4000)))
    for text in drawn.T:
        counts = np.zeros((3, 3))
        np.add.at(counts, (text[:-1], text[1:]), 1)
        for row, probs in zip(counts, table, strict=True):
            assert chi_square(row, probs) < 20
    agreement = [(drawn[:, i] == drawn[:, j]).mean() for i in range(4) for j in range(i)]
    share = np.bincount(drawn.ravel()) / drawn.size
    assert_allclose(agreement, (share**2).sum(), atol=0.05)  # as often as by chance


# options from Python


def test_a_prime_and_a_stop_string_must_be_in_the_vocabulary(model):
    with pytest.raises(UnknownCharacterError, match=r"the prime: 'z'"):
        sample(model, 5, "az")
    with pytest.raises(OptionError, match=r"'gz'.*never writes"):
        sample(model, 5, stop="gz")


def test_ban_and_allow(model):
    assert set(sample(model, 300, seed=1)) == set("abcdefg")
    assert set(sample(model, 300, ban="aceц", seed=1)) == set("bdfg")
    assert set(sample(model, 300, allow="aceц", seed=1)) == set("ace")
    assert set(sample(model, 300, ban="cd", allow="ace", seed=1, temperature=3, top_k=9, top_p=0.99)) == set("ae")
    assert sample(model, 30, allow="f", no_repeat=1, temperature=0, seed=1) == 30 * "f"
    assert sample(model, 300, ban="ц", allow="abcdefgц", seed=1) == sample(model, 300, seed=1)


@pytest.mark.parametrize(
    "options",
    [{"ban": "abcdefg"}, {"allow": ""}, {"allow": "z"}, {"allow": "ab", "ban": "ba"}, {"ban": "b", "stop": "ab"}],
)
def test_impossible_options_are_errors_even_for_no_characters(model, options):
    with pytest.raises(OptionError):
        sample(model, 0, **options)


@pytest.mark.parametrize("wrong", [{"min_length": -1}, {"no_repeat": -1}, {"temperature": -1}, {"top_p": np.nan}])
def test_invalid_numbers(model, wrong):
    with pytest.raises(OptionError):
        sample(model, 5, stop="a", **wrong)


def test_stop_strings_end_a_sample(model):
    free = sample(model, 300, seed=2)
    assert len(set(free)) == 7
    assert sample(model, 300, seed=2, stop="a") == free[: free.index("a")]
    assert sample(model, 300, seed=2, stop=["e", "", "b"]) == free[: min(free.index("b"), free.index("e"))]
    assert sample(model, 300, seed=2, stop="a", min_length=100) == free[: free.index("a", 100)]
    assert sample(model, 300, seed=2, stop="") == sample(model, 300, seed=2, stop=["", ""]) == free


def test_a_model_of_bytes_writes_bytes():
    config = ModelConfig(256, "rnn", 2, 1)
    params = Params(config.shapes())
    params["by"][65] = 50
    params["by"][195] = 40
    model = LanguageModel(Model(config, params), Vocab(of_bytes=True), 0)
    assert sample(model, 3, b"\xff") == b"AAA"
    assert sample(model, 3, stop=b"AA") == b""
    assert sample(model, 3, ban="A") == sample(model, 3, ban=b"A") == b"\xc3\xc3\xc3"
    assert sample(model, 3, allow="é", temperature=0) == b"\xc3\xc3\xc3"  # which is C3 A9 in UTF-8
