"""What stands in a corpus, against looking for every stretch everywhere; also where hashes tell nothing apart."""

import random
from itertools import pairwise

import numpy as np
import pytest

from charrnn.evaluation import gram_index, overlap_search
from charrnn.evaluation.gram_index import JoinedTexts, RollingHash
from charrnn.evaluation.overlap_search import OverlapSearch
from charrnn.text.vocab import code_points

SIZES = (2, 5)


@pytest.fixture(params=[gram_index.BASE, 3, 1], ids=["good hashes", "poor hashes", "sums of the characters"])
def base(request, monkeypatch):
    monkeypatch.setattr(gram_index, "BASE", request.param)


@pytest.fixture(params=[1, 7, 1 << 16])
def block(request, monkeypatch):
    monkeypatch.setattr(overlap_search, "BLOCK", request.param)


def search(texts, corpus, part=1000):
    found = OverlapSearch(JoinedTexts([code_points(text) for text in texts]), SIZES)
    for number, text in enumerate(corpus):
        if number:
            found.begin_text()
        for start in range(0, len(text), part):
            found.add(code_points(text[start : start + part]))
    match = found.longest
    place = match and (match.length, match.corpus, match.corpus_offset, match.corpus_line, match.place)
    return place, [grams.new for grams in found.coverage.values()]


def naive(texts, corpus):
    """Every stretch of every text, looked for with `in` and `find`."""
    stretches = {text[i:j] for text in texts for i in range(len(text)) for j in range(i + 1, len(text) + 1)}
    length = max((len(s) for s in stretches if any(s in text for text in corpus)), default=0)
    longest = None
    if length:
        number = min(n for n, text in enumerate(corpus) if any(len(s) == length and s in text for s in stretches))
        text = corpus[number]
        offset = min(text.find(s) for s in stretches if len(s) == length and s in text)
        laid, starts = "".join(texts), np.cumsum([0, *map(len, texts)])
        inside = [i for a, b in pairwise(starts) for i in range(a, b - length + 1)]
        place = min(i for i in inside if laid[i : i + length] == text[offset : offset + length])
        longest = (length, number, offset, text.count("\n", 0, offset) + 1, place)
    shares = []
    for m in SIZES:
        own = [text[i : i + m] for text in texts for i in range(len(text) - m + 1)]
        shares.append(sum(not any(gram in text for text in corpus) for gram in own) / len(own) if own else None)
    return longest, shares


@pytest.mark.parametrize("alphabet", ["a", "ab\n", "a\nbcd", "aж世🙂\n"])
def test_the_same_as_looking_everywhere(base, block, alphabet):
    rng = random.Random(alphabet)

    def text(most):
        return "".join(rng.choices(alphabet, k=rng.randrange(most)))

    for _ in range(12):
        texts, corpus = [text(20) for _ in range(rng.randint(1, 3))], [text(50) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.5:
            corpus[-1] += texts[0]
        longest, shares = search(texts, corpus, rng.choice([1, 3, 100]))
        expected, expected_shares = naive(texts, corpus)
        assert longest == expected, (texts, corpus)
        assert shares == pytest.approx(expected_shares), (texts, corpus)


@pytest.mark.parametrize("length", [100, 100_000])
def test_a_copy_longer_than_a_block_is_found_whole(length):
    rng = np.random.default_rng(1)
    corpus = rng.integers(97, 123, 200_000).astype(np.uint32)
    found = OverlapSearch(JoinedTexts([np.array([1], np.uint32), corpus[50_000 : 50_000 + length]]), (8, 32))
    for start in range(0, len(corpus), 77_777):
        found.add(corpus[start : start + 77_777])
    assert (found.longest.length, found.longest.corpus_offset, found.longest.place) == (length, 50_000, 1)
    assert [grams.new for grams in found.coverage.values()] == [0, 0]


def test_one_character_over_and_over():
    """Every place of the corpus is like every place of the text."""
    found = OverlapSearch(JoinedTexts([np.full(30_000, 97, np.uint8)]), (8, 32))
    for _ in range(20):
        found.add(np.full(1 << 17, 97, np.uint8))
    assert (found.longest.length, found.longest.corpus_offset, found.longest.place) == (30_000, 0, 0)
    found = OverlapSearch(JoinedTexts([np.full(30_000, 97, np.uint8)]), (8, 32))
    found.add(np.tile(np.frombuffer(b"ab", np.uint8), 1 << 19))
    assert found.longest.length == 1
    assert [grams.new for grams in found.coverage.values()] == [1, 1]


def test_hashes_are_those_of_each_gram_alone(base):
    points = np.random.default_rng(2).integers(0, 0x110000, 50).astype(np.uint32)
    for m in (1, 2, 7, 50, 51):
        alone = [
            sum(int(c) * pow(gram_index.BASE, k, 1 << 64) for k, c in enumerate(points[i : i + m])) % 2**64
            for i in range(51 - m)
        ]
        assert RollingHash(points).grams(m).tolist() == alone
