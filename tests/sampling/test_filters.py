"""Each filter does what its rule says, leaves its arguments unchanged, and composes with the others."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from charrnn.nn.loss import softmax
from charrnn.sampling.filters import apply_temperature, forbid, keep_top_k, keep_top_p, penalise, top_k_top_p
from charrnn.sampling.params import SamplingParams


@pytest.fixture
def logits():
    """Logits of four samples; some of the first sample's are equal."""
    logits = np.random.default_rng(0).normal(0, 2, (6, 4))
    logits[:, 0] = [1, 3, 3, 0, 3, -1]
    return logits


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_divides_the_logits(logits, temperature):
    naive = [np.exp(column / temperature) / sum(np.exp(column / temperature)) for column in logits.T]
    assert_allclose(softmax(apply_temperature(logits, temperature)).T, naive, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 1e-308, 5e-324])
def test_a_tiny_temperature_keeps_only_the_most_likely(logits, temperature):
    probs = softmax(apply_temperature(logits[:, 1:], temperature))
    assert_array_equal(probs, np.eye(6)[:, logits[:, 1:].argmax(axis=0)])


def test_temperature_zero_keeps_the_first_of_equals(logits):
    assert_array_equal(softmax(apply_temperature(logits, 0))[:, 0], [0, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("temperature", [1e12, 1e308, np.inf])
def test_a_huge_temperature_makes_all_equally_likely(logits, temperature):
    assert_allclose(softmax(apply_temperature(logits, temperature)), 1 / 6, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_no_logits_overflow(logits, scale):
    for temperature in (0, 1e-308, 1, 1e308):
        assert_allclose(softmax(apply_temperature(logits * scale, temperature)).sum(axis=0), 1)


@pytest.mark.parametrize("k", range(1, 9))
def test_top_k_keeps_the_k_most_likely(logits, k):
    kept = keep_top_k(logits, k)
    for before, after in zip(logits.T, kept.T, strict=True):
        best = sorted(range(6), key=lambda i: -before[i])[:k]  # stable: of equals, the first
        assert_array_equal(after, [before[i] if i in best else -np.inf for i in range(6)])


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.1, 0.35, 0.5, 0.77, 0.9, 0.999, 1.0])
def test_top_p_keeps_the_fewest_whose_probability_reaches_p(p):
    logits = np.random.default_rng(1).normal(0, 2, (9, 50))
    for before, after in zip(logits.T, keep_top_p(logits, p).T, strict=True):
        probs, mass, left = np.exp(before) / np.exp(before).sum(), 0.0, []
        for i in sorted(range(9), key=lambda i: -probs[i]):
            if not left or mass < p:
                left.append(i)
                mass += probs[i]
        assert_array_equal(after, [before[i] if i in left else -np.inf for i in range(9)])


def test_top_p_keeps_the_first_of_equals():
    kept = keep_top_p(np.zeros((8, 1)), 0.5)
    assert_array_equal(kept[:, 0], [0] * 4 + [-np.inf] * 4)


def test_top_p_after_top_k_uses_the_probabilities_of_the_rest():
    """Of 0.4, 0.3, 0.2, 0.1 the first two become 4/7 and 3/7."""
    kept = keep_top_k(np.log([[0.3], [0.4], [0.1], [0.2]]), 2)
    assert_array_equal(np.isfinite(keep_top_p(kept, 0.57))[:, 0], [False, True, False, False])
    assert_array_equal(np.isfinite(keep_top_p(kept, 0.58))[:, 0], [True, True, False, False])


def test_filters_do_not_change_their_arguments(logits):
    before = logits.copy()
    some = np.arange(6) < 2
    new_ones = (
        forbid(logits, some),
        penalise(logits, some[:, None]),
        apply_temperature(logits, 0.5),
        keep_top_k(logits, 2),
    )
    for new in (*new_ones, keep_top_p(logits, 0.5)):
        new += 1
    assert_array_equal(logits, before)


def test_forbidden_characters_are_impossible_and_the_others_keep_their_odds(logits):
    forbidden = np.array([True, False, False, True, False, True])
    before, after = softmax(logits), softmax(forbid(logits, forbidden))
    assert_array_equal(after[forbidden], 0)
    assert_allclose(after[~forbidden], before[~forbidden] / before[~forbidden].sum(axis=0))
    assert_array_equal(forbid(forbid(logits, forbidden), ~forbidden), np.full((6, 4), -np.inf))


def test_a_penalty_divides_the_odds(logits):
    """A penalty in nats divides the odds by e^penalty; nothing becomes impossible."""
    penalties = np.random.default_rng(2).uniform(0, 3, (6, 4))
    odds = softmax(logits) * np.exp(-penalties)
    assert_allclose(softmax(penalise(logits, penalties)), odds / odds.sum(axis=0))
    assert penalise(logits.astype(np.float32), penalties).dtype == np.float32
    assert forbid(logits.astype(np.float32), np.arange(6) < 1).dtype == np.float32


@pytest.mark.parametrize("temperature", [0.0, 1e-308, 0.7, 1e308, np.inf])
@pytest.mark.parametrize(("k", "p"), [(0, 1.0), (1, 1.0), (5, 1.0), (0, 1e-9), (0, 0.9), (0, 1 - 1e-16), (4, 0.8)])
def test_filters_compose(logits, temperature, k, p):
    """Forbidden characters stay impossible after the other filters, and some character always stays possible."""
    forbidden = np.array([True, True, False, True, False, False])
    params = SamplingParams(temperature=temperature, top_k=k, top_p=p)
    left = top_k_top_p(penalise(forbid(logits, forbidden), np.full((6, 4), 2.0)), params)
    assert not np.isfinite(left[forbidden]).any()
    assert np.isfinite(left).any(axis=0).all()
    assert (np.isfinite(left).sum(axis=0) <= (k or 6)).all()
    assert_array_equal(np.isfinite(left), np.isfinite(top_k_top_p(forbid(logits, forbidden), params)))
    assert_allclose(softmax(apply_temperature(left, temperature)).sum(axis=0), 1)


def test_only_characters_that_both_filters_keep_are_possible(logits):
    """Top-p uses the temperature: the lower it is, the fewer characters make up the probability."""
    assert top_k_top_p(logits, SamplingParams()) is logits
    for temperature, k, p in [(1.0, 3, 1.0), (0.5, 0, 0.8), (2.0, 0, 0.8), (1.5, 4, 0.6)]:
        kept = keep_top_p(apply_temperature(keep_top_k(logits, k or 6), temperature), p)
        params = SamplingParams(temperature=temperature, top_k=k, top_p=p)
        assert_array_equal(top_k_top_p(logits, params), np.where(np.isfinite(kept), logits, -np.inf))
