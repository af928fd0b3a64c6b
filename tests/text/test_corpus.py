"""Texts as ids: the vocabulary, the smallest integer type, and the held-out part."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import OptionError, TextError, UnknownCharacterError
from charrnn.text import corpus, reader
from charrnn.text.corpus import read_corpus, read_ids, training_length
from charrnn.text.vocab import Vocab


@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("data", [b"", b"a", b"aaaa"])
def test_texts_without_anything_to_learn(store, data, as_bytes):
    with pytest.raises(TextError, match=r"is empty|has a single|are the same"):
        read_corpus([store(data)], as_bytes=as_bytes)


def test_a_single_character_of_several_bytes(store):
    with pytest.raises(TextError, match="has a single character"):
        read_corpus([store(b"\xef\xbb\xbf\r\n")])
    assert len(read_corpus([store(b"\xef\xbb\xbf\r\n")], as_bytes=True).ids) == 5


@pytest.mark.parametrize(
    ("distinct", "dtype"),
    [(256, np.uint8), (257, np.uint16), (65536, np.uint16), (65537, np.uint32)],
)
def test_the_smallest_type_that_fits(store, monkeypatch, distinct, dtype):
    """The characters appear in descending order, so that every provisional id changes."""
    for module in (corpus, reader):
        monkeypatch.setattr(module, "PIECE", 1000)
    text = "".join(chr(0x10000 + i) for i in reversed(range(distinct))) + chr(0x10000)
    read = read_corpus([store(text.encode())])
    assert read.ids.dtype == dtype
    assert read.ids.tolist() == [*reversed(range(distinct)), 0]


def test_a_given_vocabulary_is_joined(store):
    read = read_corpus([store(b"bad")], vocab=Vocab("xyza"))
    assert read.vocab.characters == "abdxyz"
    assert read.vocab.decode(read.ids) == "bad"
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    read = read_corpus([store("一丁🙂".encode())], vocab=Vocab(many))
    assert read.ids.tolist() == [0, 1, 300]
    assert read.ids.dtype == np.uint16


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
def test_an_unknown_character_is_named_with_its_position(store, monkeypatch, piece):
    """The position counts the characters of its file after newlines are translated."""
    monkeypatch.setattr(reader, "PIECE", piece)
    known, names = Vocab("abc\n"), [store(b"abc" * 9, "1"), store("\ufeffab\r\n世\r\n\u200b".encode(), "2")]
    with pytest.raises(UnknownCharacterError, match=r"2: '世' \(U\+4E16, CJK .*\) at position 3 .* 4 characters"):
        read_ids(names, known)
    with pytest.raises(UnknownCharacterError, match=r"2: \(U\+200B, ZERO WIDTH SPACE\) at position 5 "):
        read_ids(names, Vocab("abc\n世"))
    ids, missing = read_ids(names, known, unknown="skip")
    assert (known.decode(ids), missing) == ("abc" * 9 + "ab\n\n", 2)


@given(characters=st.integers(2, 10**6), val_fraction=st.floats(0, 1, exclude_max=True))
def test_the_split(characters, val_fraction):
    """The held-out part is the share asked for to within a character, or empty if that is under two characters."""
    held_out = characters - training_length(characters, val_fraction)
    assert held_out == 0 or held_out >= 2
    if held_out:
        assert abs(held_out - characters * val_fraction) < 1 + 1e-9 * characters
    else:
        assert characters * val_fraction < 2


def test_the_parts_of_a_split_are_the_text(store):
    read = read_corpus([store(b"0123456789")])
    training, held_out = read.split(0.3)
    assert read.vocab.decode(training) == "0123456"
    assert read.vocab.decode(held_out) == "789"
    with pytest.raises(TextError, match=r"leaves 1 of 10 characters"):
        read.split(0.85)
    for wrong in (1.0, -0.1, float("nan")):
        with pytest.raises(OptionError, match="validation fraction"):
            read.split(wrong)


MEMORY = """
import resource, sys
from charrnn.text.corpus import read_corpus
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
read_corpus([sys.argv[1]])
before = peak()
N = len(read_corpus([sys.argv[2]]).ids)
print(N, peak() - before)
"""


def test_a_character_takes_a_byte_of_memory(store):
    """Reading N characters takes N bytes and a few megabytes, even if one of them is an emoji."""
    small, large = store(b"ab" * 2**20, "small"), store("🙂\n".encode() + b"some words\n" * 3_000_000, "large")
    run = subprocess.run([sys.executable, "-c", MEMORY, small, large], capture_output=True, text=True, check=True)
    N, taken = map(int, run.stdout.split())
    assert N == 33_000_002
    assert taken < N + 16_000_000
