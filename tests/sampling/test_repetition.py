"""The model leaves loops, and new text costs nothing."""

import random
from itertools import islice

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.markov import NO_PRIME, markov_chain

from charrnn.sampling import repetition
from charrnn.sampling.params import SamplingParams
from charrnn.sampling.repetition import RATE, RepetitionPenalty
from charrnn.sampling.text import generate_ids, sample


def naive(text, V, free, memory):
    """The penalty of each next character: compare the end of the text with every earlier place."""
    costs = np.zeros(V)
    for place in range(max(0, len(text) - memory), len(text)):
        length = 0
        while length < place and text[place - 1 - length] == text[len(text) - 1 - length]:
            length += 1
        if length >= free:
            costs[text[place]] = max(costs[text[place]], RATE * (length + 1 - free))
    return costs


@pytest.mark.parametrize("free", [1, 2, 5])
@pytest.mark.parametrize("memory", [7, 4096])
def test_penalties_of_repetitions(monkeypatch, free, memory):
    monkeypatch.setattr(repetition, "MEMORY", memory)
    rng = random.Random(free)
    texts = [rng.choices(range(V), k=60) for V in (1, 2, 3)] + [[0, 1, 2] * 20]
    written = RepetitionPenalty(3, 4, free)
    for length in range(60):
        costs = np.transpose([naive(text[:length], 3, free, memory) for text in texts])
        assert_allclose(written.penalties(), costs)
        written.add(np.array([text[length] for text in texts]))
    assert costs.max() > 10 * RATE


def test_a_loop_is_left_where_that_costs_least():
    """After a comes b, after b almost always c, after c almost always a; d is likelier after c than after b."""
    table = np.array([[1, 997, 1, 1], [1, 1, 997, 1], [950, 1, 1, 48], [250, 250, 250, 250]]) / 1000
    model = markov_chain(table)
    assert sample(model, 30, temperature=0, prime="a") == "bca" * 10
    text = "a" + sample(model, 300, temperature=0, prime="a", no_repeat=6)
    first = text.index("d")
    assert text[:first] == ("abc" * 10)[:first]
    assert text[first - 1] == "c"
    assert 6 < first < 6 + 3 + 3 * (np.log(950 / 48) / RATE)
    longest = max(n for n in range(1, 150) for i in range(300 - n) if text[i : i + n] in text[i + 1 :])
    assert longest < 60


def test_the_prime_counts_as_written():
    model = markov_chain(np.array([[0.1, 0.9], [0.9, 0.1]]))
    assert sample(model, 1, "abababab", temperature=0) == "a"
    assert sample(model, 1, "ababababababab", temperature=0, no_repeat=2) == "b"


def test_each_sample_has_its_own_penalties():
    table = np.random.default_rng(3).dirichlet([0.1] * 4, 4)
    model = markov_chain((table + 1e-3) / (1 + 4e-3))
    params = SamplingParams(temperature=0.3, no_repeat=4, seed=1)
    together = np.array(list(islice(generate_ids(model, NO_PRIME, params, 3), 200)))
    assert len({tuple(text) for text in together.T}) == 3
    for text in together.T:
        written = RepetitionPenalty(4, 1, 4)
        for place in range(200):
            assert_array_equal(written.penalties()[:, 0], naive(text[:place].tolist(), 4, 4, 4096))
            written.add(text[place : place + 1])


def test_without_repetition_nothing_changes():
    model = markov_chain(np.full((7, 7), 1 / 7))
    assert sample(model, 40, no_repeat=39, seed=1) == sample(model, 40, seed=1)
