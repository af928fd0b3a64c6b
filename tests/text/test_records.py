"""Records: layout, split and shuffling, compared with plain Python, whatever the size of the pieces."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from charrnn.errors import TextError
from charrnn.prng import random_bits
from charrnn.text import records
from charrnn.text.batches import Streams
from charrnn.text.corpus import read_corpus
from charrnn.text.records import RecordStreams, arranged, hashes, lay_out, short, shuffled, split
from charrnn.text.vocab import Vocab

VOCAB = Vocab("\nabc世")
NEWLINE = 0
texts = st.text("\nabc世", max_size=60)


def ids_of(text):
    return VOCAB.encode(text)[0]


def lines_of(laid):
    """The records in a layout, as a list of strings."""
    text = VOCAB.decode(laid)
    assert text[:1] == text[-1:] == "\n"
    return text[1:].split("\n")[:-1]


def lines_in(text):
    return [line for line in text.split("\n") if line]


def hash_of(text):
    laid = lay_out(ids_of(text), NEWLINE)
    return hashes(laid, np.flatnonzero(laid == NEWLINE))


@pytest.fixture(params=[(1, 1, 0), (3, 2, 4), (1 << 15, 1 << 12, 1 << 10)], ids=["one", "few", "as it is"])
def pieces(request, monkeypatch):
    for name, value in zip(("PIECE", "BLOCK", "LONG"), request.param, strict=True):
        monkeypatch.setattr(records, name, value)


@given(texts)
def test_the_layout_puts_every_non_empty_line_between_newlines(text):
    assert VOCAB.decode(lay_out(ids_of(text), NEWLINE)) == "\n" + "".join(line + "\n" for line in lines_in(text))


@given(texts, st.floats(0, 0.99), st.integers(0, 5))
def test_equal_records_are_in_the_same_part(text, val_fraction, seed):
    parts = split(ids_of(text), NEWLINE, val_fraction, seed)
    training = lines_of(parts.training)
    held_out = lines_of(parts.held_out) if len(parts.held_out) else []
    lines = lines_in(text)
    assert Counter(training) + Counter(held_out) == Counter(lines)
    assert not set(training) & set(held_out)
    assert len(held_out) <= round(val_fraction * len(lines))
    assert (parts.count, parts.repeats) == (len(lines), len(lines) - len(set(lines)))
    assert_array_equal(parts.known, np.unique(short(hash_of("\n".join(training)))))


@given(st.lists(st.text("abc世", min_size=1, max_size=9), unique=True, min_size=1), st.floats(0, 0.99))
def test_without_repeated_lines_the_share_is_exact(lines, val_fraction):
    parts = split(ids_of("\n".join(lines)), NEWLINE, val_fraction, 1)
    assert len(lines_of(parts.training)) == len(lines) - round(val_fraction * len(lines))


@given(st.lists(st.text("abc世", min_size=1, max_size=5), min_size=4), st.randoms())
def test_the_held_out_lines_do_not_depend_on_the_order(lines, rng):
    shuffled_lines = rng.sample(lines, len(lines))
    one, other = (split(ids_of("\n".join(some)), NEWLINE, 0.4, 3) for some in (lines, shuffled_lines))
    assert sorted(lines_of(one.training)) == sorted(lines_of(other.training))


def test_the_seed_decides_what_is_held_out():
    text = "\n".join(a + b + c for a in "abc世" for b in "abc世" for c in "abc世")
    sides = {seed: set(lines_of(split(ids_of(text), NEWLINE, 0.25, seed).held_out)) for seed in range(40)}
    assert len(set(map(frozenset, sides.values()))) == 40
    times = Counter(line for side in sides.values() for line in side)
    assert len(times) == 64  # every line is held out by some seed
    assert max(times.values()) < 25  # and none by most


def test_a_line_that_is_most_of_the_text_is_in_the_training_part():
    for seed in range(20):
        parts = split(ids_of("a\n" * 90 + "b\nc\nab\nac\nbc\nba\nca\ncb\naa\nbb\n"), NEWLINE, 0.1, seed)
        assert Counter(lines_of(parts.training))["a"] == 90
        assert len(lines_of(parts.held_out)) == 10


@given(text=texts)
def test_hashes_against_plain_python(text):
    def naive(line):
        symbols = [random_bits(place << 21 | drawn)[0] for place, drawn in enumerate(ids_of(line + "\n").tolist())]
        return int(random_bits(sum(map(int, symbols)) % 2**64)[0])

    assert hash_of(text).tolist() == [naive(line) for line in lines_in(text)]


@pytest.mark.usefixtures("pieces")
def test_the_size_of_the_pieces_does_not_matter():
    rng = np.random.default_rng(1)
    lines = ["abc世"[n % 4] * n + "a" * (n % 3) for n in rng.integers(1, 30, 50)] + ["b" * 3000]
    laid = lay_out(ids_of("\n".join(lines)), NEWLINE)
    ends = np.flatnonzero(laid == NEWLINE)
    order = rng.permutation(len(lines))
    assert lines_of(arranged(laid, ends, order)) == [lines[place] for place in order]
    alone = np.concatenate([hash_of(line) for line in lines])
    assert_array_equal(hashes(laid, ends), alone)
    assert len(np.unique(alone)) == len(set(lines))


@given(text=texts, seed=st.integers(0, 3), epoch=st.integers(0, 3))
def test_shuffled_records_are_the_same_in_another_order(text, seed, epoch):
    laid = lay_out(ids_of(text), NEWLINE)
    assert Counter(lines_of(shuffled(laid, seed, epoch))) == Counter(lines_in(text))


def test_every_epoch_and_every_seed_has_its_own_order():
    laid = lay_out(ids_of("\n".join("a" * n for n in range(1, 30))), NEWLINE)
    orders = {tuple(lines_of(shuffled(laid, seed, epoch))) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_streams_of_records_are_streams_of_each_epoch():
    laid = lay_out(ids_of("\n".join("abc"[n % 3] * (n % 7 + 1) for n in range(40))), NEWLINE)
    streams = RecordStreams(laid, 3, 8, seed=5)
    assert streams.step_characters == Streams(laid, 3, 8).step_characters
    orders = [laid, shuffled(laid, 5, 1), shuffled(laid, 5, 2)]
    for step in [*range(3 * streams.chunks), 1, streams.chunks, 0]:  # in any order: a run may begin anywhere
        expected = Streams(orders[step // streams.chunks], 3, 8).chunk(step)
        for got, want in zip(streams.chunk(step), expected, strict=True):
            assert_array_equal(got, want)


# from files


def write(folder, **contents):
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


def records_of(names, val_fraction=0.0, **how):
    corpus = read_corpus(names, lines=True, **how)
    return corpus.vocab.decode(corpus.records(val_fraction, 1).training)


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_file_without_a_final_newline(tmp_path, as_bytes):
    names = write(tmp_path, one=b"anna\nbob", none=b"", two=b"cy\n", three=b"dora")
    text = records_of(names, as_bytes=as_bytes)
    lines = (text if as_bytes else text.encode()).split(b"\n")
    assert sorted(lines) == [b"", b"", b"anna", b"bob", b"cy", b"dora"]


def test_line_ends_of_other_systems(tmp_path):
    names = write(tmp_path, dos=b"\xef\xbb\xbfab\r\n\r\nc\rd\r\n")
    assert sorted(records_of(names).split("\n")) == ["", "", "ab", "c\rd"]
    assert sorted(records_of(names, as_bytes=True).split(b"\n")) == [b"", b"", b"\r", b"c\rd\r", b"\xef\xbb\xbfab\r"]


def test_a_single_record(tmp_path):
    (name,) = write(tmp_path, one=b"a world of its own")
    assert records_of([name], 0.1) == "\na world of its own\n"


def test_no_record_to_learn_from(tmp_path):
    (name,) = write(tmp_path, two=b"a\nb\n")
    with pytest.raises(TextError, match="leaves none of 2 records"):
        records_of([name], 0.9)
    with pytest.raises(TextError, match="are the same"):
        records_of(write(tmp_path, empty=b"\n\n\n"))


def test_a_text_without_newlines_that_was_not_read_as_lines(tmp_path):
    (name,) = write(tmp_path, one=b"a world of its own")
    with pytest.raises(TextError, match="lines=True"):
        read_corpus([name]).records(0.1, 1)


def test_the_split_is_computed_once(tmp_path):
    corpus = read_corpus(write(tmp_path, names=b"anna\nbob\ncy\n"), lines=True)
    assert corpus.records(0.3, 1) is corpus.records(0.3, 1)
    assert corpus.records(0.3, 2) is corpus.records(0.3, 2)
