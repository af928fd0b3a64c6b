from itertools import islice, product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn import sampling
from charrnn.errors import OptionError, UnknownCharacterError
from charrnn.language_model import LanguageModel
from charrnn.nn.cells import CELLS
from charrnn.nn.chance import SAMPLING, generator
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.sampling import (
    generate,
    generate_ids,
    gumbel_noise,
    keep_top_k,
    keep_top_p,
    possible,
    sample,
    softmax,
    temper,
)
from charrnn.text.vocab import Vocab

NO_PRIME = np.zeros(0, np.intp)


@pytest.fixture(params=CELLS)
def model(request):
    """A network with random weights that knows the letters a to g."""
    config = ModelConfig(7, request.param, hidden=5, layers=2)
    params = Params(config.shapes(), np.float64)
    params.flat[:] = np.random.default_rng(1).normal(0, 1, params.flat.size)
    return LanguageModel(Model(config, params), Vocab("abcdefg"), 3)


def markov_chain(table):
    """A network whose next character depends on the last one alone: table[i, j] is the probability of j after i.

    With Wxh = 100 and no recurrence h is 1 at the place of the last character and 0 elsewhere.
    """
    V = len(table)
    config = ModelConfig(V, "rnn", hidden=V, layers=1)
    params = Params(config.shapes(), np.float64)
    params["Wxh0"][...] = 100 * np.eye(V)
    params["Why"][...] = np.log(table).T
    return LanguageModel(Model(config, params), Vocab("abcdefgh"[:V]), 0)


@pytest.fixture
def logits():
    """Of four samples, with equals among the first one's."""
    logits = np.random.default_rng(0).normal(0, 2, (6, 4))
    logits[:, 0] = [1, 3, 3, 0, 3, -1]
    return logits


# filters


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_divides_the_scores(logits, temperature):
    naive = [np.exp(column / temperature) / sum(np.exp(column / temperature)) for column in logits.T]
    assert_allclose(softmax(temper(logits, temperature)).T, naive, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 1e-308, 5e-324])
def test_a_temperature_of_almost_nothing_leaves_the_most_likely(logits, temperature):
    probs = softmax(temper(logits[:, 1:], temperature))
    assert_array_equal(probs, np.eye(6)[:, logits[:, 1:].argmax(axis=0)])


def test_at_temperature_zero_the_first_of_equals_is_left(logits):
    assert_array_equal(softmax(temper(logits, 0))[:, 0], [0, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("temperature", [1e12, 1e308, np.inf])
def test_a_huge_temperature_makes_all_alike(logits, temperature):
    assert_allclose(softmax(temper(logits, temperature)), 1 / 6, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_no_scores_overflow(logits, scale):
    for temperature in (0, 1e-308, 1, 1e308):
        assert_allclose(softmax(temper(logits * scale, temperature)).sum(axis=0), 1)


@pytest.mark.parametrize("k", range(1, 9))
def test_top_k_leaves_the_k_most_likely(logits, k):
    kept = keep_top_k(logits, k)
    for before, after in zip(logits.T, kept.T, strict=True):
        best = sorted(range(6), key=lambda i: -before[i])[:k]  # stable: of equals, the first
        assert_array_equal(after, [before[i] if i in best else -np.inf for i in range(6)])


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.1, 0.35, 0.5, 0.77, 0.9, 0.999, 1.0])
def test_top_p_leaves_the_fewest_whose_probability_reaches_p(p):
    logits = np.random.default_rng(1).normal(0, 2, (9, 50))
    for before, after in zip(logits.T, keep_top_p(logits, p).T, strict=True):
        probs, mass, left = np.exp(before) / np.exp(before).sum(), 0.0, []
        for i in sorted(range(9), key=lambda i: -probs[i]):
            if not left or mass < p:
                left.append(i)
                mass += probs[i]
        assert_array_equal(after, [before[i] if i in left else -np.inf for i in range(9)])


def test_top_p_takes_the_first_of_equals():
    kept = keep_top_p(np.zeros((8, 1)), 0.5)
    assert_array_equal(kept[:, 0], [0] * 4 + [-np.inf] * 4)


def test_top_p_after_top_k_looks_at_what_is_left():
    """Of 0.4, 0.3, 0.2, 0.1 the first two become 4/7 and 3/7."""
    kept = keep_top_k(np.log([[0.3], [0.4], [0.1], [0.2]]), 2)
    assert_array_equal(np.isfinite(keep_top_p(kept, 0.57))[:, 0], [False, True, False, False])
    assert_array_equal(np.isfinite(keep_top_p(kept, 0.58))[:, 0], [True, True, False, False])


def test_filters_leave_what_they_are_given(logits):
    before = logits.copy()
    for new in (temper(logits, 0.5), keep_top_k(logits, 2), keep_top_p(logits, 0.5)):
        new += 1
    assert_array_equal(logits, before)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_largest_of_scores_and_noise_follows_the_probabilities(temperature):
    scores = np.log([0.5, 0.3, 0.15, 0.04, 0.01])
    noise = gumbel_noise(np.random.default_rng(3), temperature, 5, 20000, np.float32)
    drawn = (scores[:, None] + next(noise)).argmax(axis=0)
    probs = np.exp(scores / temperature)
    assert chi_square(np.bincount(drawn, minlength=5), probs / probs.sum()) < 25


def test_noise_does_not_depend_on_how_much_is_made_at_a_time(monkeypatch):
    first = list(islice(gumbel_noise(np.random.default_rng(4), 0.7, 5, 3, np.float64), 100))
    monkeypatch.setattr(sampling, "NOISE", 1)
    assert_array_equal(first, list(islice(gumbel_noise(np.random.default_rng(4), 0.7, 5, 3, np.float64), 100)))


@pytest.mark.parametrize("temperature", [0.0, 1e-308, 1.0, 1e308, np.inf])
def test_noise_is_finite_at_every_temperature(temperature):
    assert np.isfinite(next(gumbel_noise(np.random.default_rng(5), temperature, 65, 64, np.float32))).all()


def test_a_huge_temperature_draws_all_alike(logits):
    noise = gumbel_noise(np.random.default_rng(6), 1e308, 6, 20000, np.float32)
    drawn = (logits.astype(np.float32)[:, [1]] + next(noise)).argmax(axis=0)
    assert chi_square(np.bincount(drawn, minlength=6), np.full(6, 1 / 6)) < 25


def test_only_what_both_filters_leave_is_possible(logits):
    """Top-p looks at the temperature: the bolder, the fewer characters make up the mass."""
    assert possible(logits, 1.0, 0, 1.0) is logits
    for temperature, k, p in [(1.0, 3, 1.0), (0.5, 0, 0.8), (2.0, 0, 0.8), (1.5, 4, 0.6)]:
        kept = keep_top_p(temper(keep_top_k(logits, k or 6), temperature), p)
        assert_array_equal(possible(logits, temperature, k, p), np.where(np.isfinite(kept), logits, -np.inf))


def chi_square(counts, probs):
    """About the number of kinds where the counts follow the probabilities; far more where they do not."""
    expected = counts.sum() * probs
    return ((counts - expected) ** 2 / expected).sum()


# one character after another


def naive_ids(model, prime, n, steps, temperature, top_k, top_p, seed):
    """Every character drawn after reading the whole text again, each sample on its own, as a race.

    Whoever arrives first wins, and arrives after an exponential time at a rate of its probability.
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
    monkeypatch.setattr(sampling, "PRIME_CHUNK", 2)
    drawn = list(islice(generate_ids(model, np.array(prime), 3, *filters, seed=5), 40))
    assert_array_equal(drawn, naive_ids(model, prime, 3, 40, *filters, seed=5))


def test_without_a_prime_the_start_character_is_read(model):
    without = list(islice(generate_ids(model, NO_PRIME, 2, seed=1), 20))
    assert_array_equal(without, list(islice(generate_ids(model, np.array([model.start]), 2, seed=1), 20)))
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


def test_samples_side_by_side_each_follow_their_own_text():
    """Each pair of characters appears in each of them as often as the chain says."""
    table = np.array([[0.1, 0.6, 0.3], [0.5, 0.1, 0.4], [0.2, 0.75, 0.05]])
    drawn = np.array(list(islice(generate_ids(markov_chain(table), NO_PRIME, 4, seed=6), 4000)))
    for text in drawn.T:
        counts = np.zeros((3, 3))
        np.add.at(counts, (text[:-1], text[1:]), 1)
        for row, probs in zip(counts, table, strict=True):
            assert chi_square(row, probs) < 20
    agreement = [(drawn[:, i] == drawn[:, j]).mean() for i in range(4) for j in range(i)]
    share = np.bincount(drawn.ravel()) / drawn.size
    assert_allclose(agreement, (share**2).sum(), atol=0.05)  # as often as by chance


def test_a_prime_and_a_stop_string_must_be_in_the_vocabulary(model):
    with pytest.raises(UnknownCharacterError, match=r"'z'.*the prime"):
        sample(model, 5, "az")
    with pytest.raises(OptionError, match=r"'gz'.*never writes"):
        sample(model, 5, stop="gz")


def test_a_model_of_bytes_writes_bytes():
    config = ModelConfig(256, "rnn", 2, 1)
    params = Params(config.shapes())
    params["by"][65] = 50
    model = LanguageModel(Model(config, params), Vocab(of_bytes=True), 0)
    assert sample(model, 3, b"\xff") == b"AAA"
    assert sample(model, 3, stop=b"AA") == b""


# where a sample ends


@pytest.fixture
def scripted(monkeypatch):
    """The pieces and the whole of samples whose characters are known beforehand."""
    model = markov_chain(np.full((7, 7), 1 / 7))

    def run(texts, length, stop):
        steps = zip(*(model.vocab.encode(text)[0] for text in texts), strict=True)
        monkeypatch.setattr(sampling, "generate_ids", lambda *args: (np.array(ids) for ids in steps))
        stop_ids = model.vocab.encode(stop)[0] if stop else None
        steps_out = list(generate(model, length, n=len(texts), stop=stop_ids))
        pieces = [[model.vocab.decode(part) for part in parts] for parts in zip(*steps_out, strict=True)]
        return pieces, ["".join(own) for own in pieces]

    return run


@pytest.mark.parametrize("stop", [s for k in (1, 2, 3, 4) for s in map("".join, product("ab", repeat=k))])
def test_nothing_of_the_stop_string_comes_out_and_nothing_after_it(scripted, stop):
    """Every text of six letters, stop strings that overlap themselves, and every length to end in the middle of one."""
    texts = list(map("".join, product("ab", repeat=6)))
    for length in (1, 3, 6):
        _, samples = scripted(texts, length, stop)
        assert samples == [text[:length].split(stop)[0] for text in texts]


def test_no_more_is_held_back_than_could_be_the_beginning_of_the_stop_string(scripted):
    (pieces,), _ = scripted(["abababdg"], 8, "abd")
    assert pieces == ["", "", "a", "b", "a", "b", "", ""]
    (pieces,), _ = scripted(["abc"], 3, None)
    assert pieces == ["a", "b", "c"]


def test_samples_that_end_early_wait_for_the_others(scripted):
    pieces, samples = scripted(["abcdefg", "gabcdef", "ggggggg"], 7, "bc")
    assert samples == ["a", "ga", "ggggggg"]
    assert len(pieces[0]) == 8
    pieces, _ = scripted(["abcdefg", "gabcdef"], 7, "bc")
    assert len(pieces[0]) == 5  # four steps, and then all have ended


def test_an_empty_stop_string_is_none(model):
    assert sample(model, 20, stop="", seed=1) == sample(model, 20, seed=1)
