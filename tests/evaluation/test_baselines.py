import bz2
import gzip
import lzma
from math import log2

import numpy as np
import pytest

from charrnn.evaluation.baselines import COMPRESSORS, baselines
from charrnn.evaluation.kneser_ney import ngram_nats
from charrnn.text.vocab import Vocab

NAMES = ["uniform", "unigram", "ngram"]
NAMES += [name + suffix for name in ("gzip", "bz2", "xz") for suffix in ("", "_after_training")]


@pytest.fixture
def vocab(text):
    return Vocab(text)


def test_what_each_makes_of_a_text(vocab, text):
    """Of the characters after the first."""
    training, held_out = vocab.encode(text[:1500])[0], vocab.encode(text[1500:])[0]
    found = baselines(vocab, training, held_out)
    bits, chars = found.bits_per_char, len(held_out) - 1
    assert sorted(bits) == sorted(NAMES)
    assert bits["uniform"] == pytest.approx(log2(len(vocab)))
    losses = [nats[1:].mean() / np.log(2) for nats in ngram_nats(training, held_out, len(vocab), 9)]
    assert bits["unigram"] == pytest.approx(losses[0])
    assert bits["ngram"] == pytest.approx(losses[found.ngram_order - 1])
    assert bits["ngram"] <= min(losses) * 1.05
    before, own = text[:1501].encode(), text[1501:].encode()
    for name, compress in {"gzip": lambda data: gzip.compress(data, mtime=0), "bz2": bz2.compress}.items():
        assert bits[name] * chars == pytest.approx(8 * len(compress(own)))
        more = len(compress(before + own)) - len(compress(before))
        assert bits[f"{name}_after_training"] * chars == pytest.approx(8 * more)
    assert bits["xz_after_training"] < bits["xz"] < 1.05 * 8 * len(lzma.compress(own)) / chars


@pytest.mark.parametrize("name", COMPRESSORS)
@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)) * 300])
def test_compressors_lose_nothing(name, data):
    undo = {"gzip": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}[name]
    assert undo(COMPRESSORS[name](data)) == data


def test_unknown_characters_cost_all_the_same(vocab, text):
    training, held_out = vocab.encode(text[:1500])[0], vocab.encode(text[1500:2000])[0]
    without, charged = (baselines(vocab, training, held_out, count).bits_per_char for count in (0, 100))
    for name in NAMES:
        assert charged[name] * 599 == pytest.approx(without[name] * 499 + 100 * log2(len(vocab)))


def test_a_text_that_was_learnt_costs_next_to_nothing_once_more(vocab, text):
    ids = vocab.encode(text[:2000])[0]
    bits = baselines(vocab, ids, ids).bits_per_char
    assert max(bits["xz_after_training"], bits["gzip_after_training"]) < 0.4 < min(bits["xz"], bits["gzip"])
    assert bits["ngram"] < bits["unigram"] < bits["uniform"]


def test_bytes_and_the_shortest_texts():
    vocab = Vocab(of_bytes=True)
    ids = vocab.encode(bytes(range(256)))[0]
    bits = baselines(vocab, ids, ids).bits_per_char
    assert bits["uniform"] == pytest.approx(8)
    assert all(
        0 <= value < 1e4 for value in baselines(Vocab("ab"), *[np.array([0, 1], np.uint8)] * 2).bits_per_char.values()
    )


def test_records_are_learnt_as_records():
    """The first character of a record is predicted from its newline, whatever the record before it was."""
    rng = np.random.default_rng(0)
    lines = [rng.integers(1, 6, 9) for _ in range(2000)]
    lines = [[3 * line[0] % 5 + 1, *line, 0] for line in lines]
    ids = np.array([0, *(i for line in lines for i in line)], np.uint8)
    vocab = Vocab("\nabcde")
    as_records, as_text = (baselines(vocab, ids[:15401], ids[15400:], 0, reset_id) for reset_id in (0, None))
    assert as_records.bits_per_char["ngram"] < as_text.bits_per_char["ngram"]
