"""charrnn.copied: the files of a corpus, and what is said of them."""

import gzip

import pytest

from charrnn import copied
from charrnn.errors import OptionError, TextError
from charrnn.evaluation.overlap import CopiedSpan


@pytest.fixture
def corpus(tmp_path):
    def corpus(data, name="corpus.txt"):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return corpus


def test_places_are_those_of_the_text_as_it_is_read(corpus):
    """After a byte-order mark, with newlines translated, in characters."""
    name = corpus("\ufeffnaïf\r\ncœur 世界\r\n".encode())
    result = copied(["xyz", "a cœur!"], [name])
    assert result.longest == CopiedSpan("cœur", name, 5, 2, 1, 2)
    assert (result.new_8, result.grams_8) == (None, 0)
    assert copied("\ncœur 世界\n", [name]).longest == CopiedSpan("\ncœur 世界\n", name, 4, 1, 0, 0)


def test_a_span_does_not_go_from_file_to_file_or_from_sample_to_sample(corpus):
    names = [corpus(b"ab", "a.txt"), corpus(b"cd", "b.txt"), corpus(b"xx\nabc", "c.txt")]
    assert copied("abcd", names[:2]).longest == CopiedSpan("ab", names[0], 0, 1, 0, 0)
    assert copied(["cd", "abcd"], names).longest == CopiedSpan("abc", names[2], 3, 2, 1, 0)
    assert copied(["ab", "cd"], [corpus(b"abcd")]).longest.text == "ab"


def test_the_share_of_new_grams_counts_every_place(corpus):
    name = corpus(b"01234567")
    result = copied(["0123456701234567", "x"], [name])  # nine 8-grams, two of which are in the corpus
    assert (result.new_8, result.grams_8) == (pytest.approx(7 / 9), 9)
    assert (result.new_32, result.grams_32) == (None, 0)
    assert copied("x" * 40, [name]).new_32 == 1
    assert copied("x" * 40, [corpus(b"x" * 33)]).new_32 == 0


def test_bytes_are_looked_for_in_bytes(corpus):
    name = corpus(b"\xff\x00\r\n\xfe")
    assert copied([b"\x00\r\n", b"q"], [name]).longest == CopiedSpan(b"\x00\r\n", name, 1, 1, 0, 0)
    with pytest.raises(OptionError):
        copied([b"a", "a"], [name])


def test_what_there_is_to_read(corpus, tmp_path):
    packed = corpus(gzip.compress("naïve".encode("latin-1")), "corpus.txt.gz")
    assert copied("naïf", [packed], "latin-1").longest.text == "naï"
    with pytest.raises(TextError, match="not utf-8"):
        copied("naïf", [packed])
    with pytest.raises(TextError, match="no such file"):
        copied("x", [str(tmp_path / "nowhere")])


@pytest.mark.parametrize("samples", ["", [], ["", ""], "z"])
@pytest.mark.parametrize("data", [b"", b"abc"])
def test_nothing_in_common(corpus, samples, data):
    result = copied(samples, [corpus(data)])
    assert (result.longest, result.new_8, result.new_32) == (None, None, None)
