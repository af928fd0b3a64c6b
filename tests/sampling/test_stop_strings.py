"""A sample ends before the first stop string."""

from itertools import product

import numpy as np
import pytest

from charrnn.sampling.stop_strings import until_stopped

WORDS = [word for k in (1, 2, 3, 4) for word in map("".join, product("ab", repeat=k))]


def ids(text):
    return np.array([ord(c) for c in text], np.intp)


def run(texts, stops, min_length=0):
    """The pieces that come at each step of samples with the given texts, and the samples as a whole."""
    steps = (np.array(step) for step in zip(*map(ids, texts), strict=True))
    steps_out = list(until_stopped(steps, len(texts), list(map(ids, stops)), min_length))
    pieces = [["".join(map(chr, part)) for part in parts] for parts in zip(*steps_out, strict=True)]
    return pieces, ["".join(own) for own in pieces]


def naive(text, stops, min_length):
    """Search every beginning of the text, the shortest first, for one that ends with a stop string."""
    for end in range(len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop) and end - len(stop) >= min_length]
        if starts:
            return text[: min(starts)]
    return text


@pytest.mark.parametrize("stop", WORDS)
def test_a_sample_ends_right_before_the_stop_string(stop):
    """All texts of six letters, stop strings that overlap themselves, and texts that end within one."""
    texts = list(map("".join, product("ab", repeat=6)))
    for length in (1, 3, 6):
        _, samples = run([text[:length] for text in texts], [stop])
        assert samples == [text[:length].split(stop)[0] for text in texts]


@pytest.mark.parametrize("min_length", [0, 1, 3, 6, 9])
def test_the_first_complete_stop_string_ends_the_sample(min_length):
    texts = list(map("".join, product("ab", repeat=6)))
    for stops in [*product(WORDS[:6], repeat=2), ("ab", "b", "aab"), ("abba", "bb", "ba"), ("baa", "ab")]:
        _, samples = run(texts, stops, min_length)
        assert samples == [naive(text, stops, min_length) for text in texts], stops


def test_stop_strings_before_the_minimum_length_are_ordinary_text():
    for min_length, expected in enumerate(["", ".", "..x", "..x", "..x.y", "..x.y", "..x.y."]):
        assert run(["..x.y."], ["."], min_length)[1] == [expected]
    assert run(["aaaab"], ["aab"], 2)[1] == ["aa"]
    assert run(["aaaab"], ["aab"], 3)[1] == ["aaaab"]


def test_only_a_possible_beginning_of_a_stop_string_is_held_back():
    (pieces,), _ = run(["abababdg"], ["abd"])
    assert pieces == ["", "", "ab", "", "ab", "", "", ""]
    (pieces,), _ = run(["xabxxx"], ["abc", "bxxxxxx"])
    assert pieces == ["x", "", "", "a", "", "", "bxxx"]
    (pieces,), _ = run(["aaa"], ["ab"], 2)
    assert pieces == ["a", "a", "", "a"]


def test_samples_that_end_early_wait_for_the_others():
    pieces, samples = run(["abcdefg", "gabcdef", "ggggggg"], ["bc"])
    assert samples == ["a", "ga", "ggggggg"]
    assert len(pieces[0]) == 8
    pieces, _ = run(["abcdefg", "gabcdef"], ["bc"])
    assert len(pieces[0]) == 5  # four steps, and then all have ended


def test_no_steps_give_empty_samples():
    steps = list(until_stopped([], 2, [ids("a")]))
    assert [[len(part) for part in step] for step in steps] == [[0, 0]]
