from collections import Counter, defaultdict
from math import exp, log

import numpy as np
import pytest

from charrnn.evaluation.kneser_ney import best_order, discounts, ngram_nats

NEWLINE = 0


def ids_of(text):
    return np.array(["abcdefgh".index(c) for c in text], np.uint8)


def probabilities(training, text, V, order, reset_id=None):
    """p_n of the last character of a text."""
    *_, nats = ngram_nats(training, text, V, order, reset_id)
    return exp(-nats[-1])


def test_a_case_worked_out_by_hand():
    """The training text aaab, an alphabet of abc; all discounts are 1/2.

    a occurs 3 times, b once: p_1(a) = (3 - 1/2 + 1/2 * 2 / 3) / 4, and so on. Below order 2, a counts 2 (after a, and
    as the first of all) and b counts 1 (after a): (2 - 1/2 + 1/3) / 3 = 11/18, 5/18 and 2/18. After a come a twice and
    b once: (2 - 1/2 + 11/18) / 3 and so on. Nothing comes after b.
    """
    training = ids_of("aaab")
    first = {x: probabilities(training, ids_of(x), 3, 1) for x in "abc"}
    assert first == pytest.approx({"a": 17 / 24, "b": 5 / 24, "c": 2 / 24})
    after_a = {x: probabilities(training, ids_of("a" + x), 3, 2) for x in "abc"}
    assert after_a == pytest.approx({"a": 38 / 54, "b": 14 / 54, "c": 2 / 54})
    after_b = {x: probabilities(training, ids_of("b" + x), 3, 2) for x in "abc"}
    assert after_b == pytest.approx({"a": 11 / 18, "b": 5 / 18, "c": 2 / 18})


class Naive:
    """The same with dictionaries of strings."""

    def __init__(self, training, V, reset_id):
        self.training, self.V, self.reset_id = training, V, reset_id

    def history(self, ids, place, n):
        """The n ids before a place, or None where a text begins, or a record, before them."""
        if place < n or any(ids[i] == self.reset_id for i in range(place - n + 1, place)):
            return None
        return tuple(ids[place - n : place])

    def counts(self, n, top):
        before, first = defaultdict(set), Counter()
        for place, x in enumerate(self.training):
            h = self.history(self.training, place, n - 1)
            if h is None:
                continue
            longer = self.history(self.training, place, n)
            if top or longer is None:
                first[h, x] += 1
            else:
                before[h, x].add(longer[0])
        return {gram: first[gram] + len(before[gram]) for gram in first | Counter(before.keys())}

    def probability(self, ids, place, n, top=True):
        if n == 0:
            return 1 / self.V
        counts, h = self.counts(n, top), self.history(ids, place, n - 1)
        D = discounts(np.array(list(counts.values())))
        lower = self.probability(ids, place, n - 1, False)
        following = {x: c for (g, x), c in counts.items() if g == h}
        if not following:
            return lower
        own = following.get(ids[place], 0)
        left = sum(D[min(c, 3)] for c in following.values())
        return (own - D[min(own, 3)] + left * lower) / sum(following.values())


@pytest.mark.parametrize("reset_id", [None, NEWLINE])
@pytest.mark.parametrize("length", [1, 2, 3, 40, 200])
def test_against_dictionaries_of_strings(length, reset_id):
    rng, V = np.random.default_rng(length), 4
    training, text = (rng.choice(V, size, p=[0.3, 0.4, 0.2, 0.1]).astype(np.uint8) for size in (length, 12))
    naive = Naive(training.tolist(), V, reset_id)
    for n, nats in enumerate(ngram_nats(training, text, V, 4, reset_id), 1):
        expected = [naive.probability(text.tolist(), place, n) for place in range(len(text))]
        assert np.exp(-nats) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("reset_id", [None, NEWLINE])
@pytest.mark.parametrize("context", ["", "a", "bd", "hhh", "abcabc", "aaaaaaaa"])
def test_probabilities_sum_to_one(context, reset_id):
    """Over the whole alphabet, seen or not, after any context."""
    training = ids_of("abcabdabcbbdaacbdhaaab" * 3)
    for order in range(1, 6):
        total = sum(probabilities(training, ids_of(context + x), 8, order, reset_id) for x in "abcdefgh")
        assert total == pytest.approx(1, rel=1e-12)


def test_the_alphabet_may_be_large():
    training = np.arange(0, 60000, 7).astype(np.uint16)
    *_, nats = ngram_nats(training, training, 60000, 9)
    assert np.isfinite(nats).all()
    assert nats[100:].mean() < 1


def test_discounts():
    counts = np.repeat([1, 2, 3, 4, 9], [10, 4, 2, 1, 3])
    Y = 10 / 18
    expected = [0, 1 - 2 * Y * 4 / 10, 2 - 3 * Y * 2 / 4, 3 - 4 * Y * 1 / 2]
    assert discounts(counts) == pytest.approx(expected)
    for few in ([1, 1, 1], [5, 6], [1, 2, 3, 3, 3, 3, 3, 4]):  # n_2 = 0; all but n_4; a negative D(2)
        assert discounts(np.array(few)).tolist() == [0, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("order", [2, 3])
def test_the_best_order_is_that_of_the_source(order):
    """Of a text in which the last characters say, most of the time, what follows."""
    rng = np.random.default_rng(0)
    following = rng.integers(0, 5, (5,) * (order - 1))
    text = [0, 1]
    for _ in range(5000):
        text.append(following[tuple(text[1 - order :])] if rng.random() < 0.8 else rng.integers(0, 5))
    assert best_order(np.array(text, np.uint8), 5) == order


def test_the_order_is_not_chosen_on_records_that_were_learnt():
    """Four letters at random, each such record a hundred times: only those that are new tell that order 1 is enough."""
    rng = np.random.default_rng(0)
    lines = rng.permutation(np.repeat(rng.integers(1, 6, (200, 4)), 100, axis=0))
    ids = np.append(0, np.concatenate([lines, np.zeros((len(lines), 1), np.int64)], axis=1)).astype(np.uint8)
    assert best_order(ids, 6, None) > 4
    assert best_order(ids, 6, NEWLINE) <= 2


@pytest.mark.parametrize("training", ["ab", "aab", "abcdefgh"])
def test_very_short_training_texts(training):
    order = best_order(ids_of(training), 8)
    losses = list(ngram_nats(ids_of(training), ids_of("hgab"), 8, 9))
    assert 1 <= order <= len(training)
    assert len(losses) <= len(training)
    assert all(nats.max() < log(1e6) for nats in losses)
