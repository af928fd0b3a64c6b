import re
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import OptionError
from charrnn.text.segment import LAST_SPACE, check_unit, ends

TEXT = st.text(st.sampled_from("ab \n\t\u3000\x85é世🙂"), max_size=30)


def split(text, unit):
    edges = [0, *ends(text, unit, True).tolist(), len(text)] if text else [0]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    return [piece for piece in pieces if piece]


@given(TEXT)
def test_units_are_those_of_python(text):
    assert split(text, "char") == list(text)
    assert split(text, "line") == re.findall(r"[^\n]*\n|[^\n]+", text)
    assert [word.split() for word in split(text.rstrip(), "word")] == [[word] for word in text.split()]


@given(TEXT)
def test_a_word_begins_with_its_white_space(text):
    for word in split(text, "word")[:-1]:
        assert not word[-1].isspace()
        assert not re.search(r"\S\s", word)


@given(TEXT, st.integers(0, 30), st.sampled_from(["char", "word", "line"]))
def test_parts_of_a_text_have_the_same_ends_as_the_whole(text, cut, unit):
    head, tail = text[:cut], text[cut:]
    if not head or not tail:
        return
    first, second = ends(head, unit, True), ends(tail, unit, head[-1].isspace()) + len(head)
    assert sorted({*first.tolist(), *second.tolist()}) == ends(text, unit, True).tolist()


@given(TEXT)
def test_bytes_are_segmented_like_their_characters(text):
    data = text.encode("ascii", "replace")
    for unit in ("char", "word", "line"):
        assert ends(data, unit, True).tolist() == ends(data.decode(), unit, True).tolist()


def test_the_last_white_space():
    spaces = [point for point in range(sys.maxunicode + 1) if chr(point).isspace()]
    assert max(spaces) == LAST_SPACE
    assert ends("".join(f"a{chr(point)}" for point in spaces), "word", True).tolist() == [
        2 * i + 1 for i in range(len(spaces))
    ]


def test_an_unknown_unit():
    with pytest.raises(OptionError, match="char, word, line"):
        check_unit("token")
