"""Characters to ids and back."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charrnn.errors import OptionError, UnknownCharacterError
from charrnn.text.vocab import Vocab, code_points, id_type

ANY = st.text(st.characters(exclude_categories=()), min_size=1)  # lone surrogates, too


@given(ANY)
@example("a\ud800\udcff")
def test_there_and_back(text):
    vocab = Vocab(text)
    ids, missing = vocab.encode(text)
    assert missing == 0
    assert [vocab.characters[i] for i in ids] == list(text)
    assert vocab.decode(ids) == text


@given(ANY)
@example("\udcff\ud800🙂")
def test_ids_are_in_the_order_of_code_points(text):
    vocab = Vocab(text)
    assert list(vocab.characters) == sorted(set(text))
    assert vocab == Vocab(reversed(text))
    assert hash(vocab) == hash(Vocab(reversed(text)))
    assert code_points(text).tolist() == [ord(c) for c in text]


@given(st.binary(), st.text())
def test_bytes_there_and_back(data, text):
    vocab = Vocab(of_bytes=True)
    ids, missing = vocab.encode(data)
    assert (ids.tolist(), missing) == (list(data), 0)
    assert vocab.decode(ids) == data
    assert vocab.decode(vocab.encode(text)[0]) == text.encode()
    assert vocab.decode(vocab.encode(data.decode("utf-8", "surrogateescape"))[0]) == data


@given(st.text("abcdef"), st.sets(st.sampled_from("abcdef"), min_size=1), st.integers(0, 100))
def test_unknown_characters(text, known, start):
    vocab = Vocab(known)
    kept = [c for c in text if c in known]
    ids, missing = vocab.encode(text, "skip")
    assert vocab.decode(ids) == "".join(kept)
    assert missing == len(text) - len(kept)
    if missing:
        first = next(i for i, c in enumerate(text) if c not in known)
        with pytest.raises(
            UnknownCharacterError, match=rf"^the prime: '{text[first]}' .* at position {start + first} is not"
        ):
            vocab.encode(text, where="the prime", start=start)


@pytest.mark.parametrize(
    ("character", "described"),
    [("é", r"'é' \(U\+00E9, LATIN SMALL LETTER E WITH ACUTE\)"), ("\x1b", r"\(U\+001B, no name\)")],
)
def test_a_character_is_described_without_sending_it_to_the_terminal(character, described):
    with pytest.raises(UnknownCharacterError, match=f"^the text: {described}") as error:
        Vocab("a").encode(character)
    assert "\x1b" not in str(error.value)


def test_bytes_are_not_characters():
    with pytest.raises(OptionError, match="str"):
        Vocab("ab").encode(b"ab")
    assert Vocab("ab") != Vocab("ab", of_bytes=True)


@given(st.integers(1, 0x110000) | st.sampled_from([256, 257, 65536, 65537]))
def test_the_type_of_ids_is_the_smallest_that_holds_them(count):
    size = np.dtype(id_type(count)).itemsize
    assert count <= 256**size
    assert size == 1 or count > 256 ** (size // 2)
