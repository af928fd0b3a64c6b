"""A text as streams: what is read, what follows it, and what is left over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.batches import Streams, epoch_chunks, shrink_to_text

ASKED = {"characters": st.integers(2, 300), "batch_size": st.integers(1, 40), "seq_length": st.integers(1, 40)}


@given(**ASKED)
def test_fit_never_gives_more_than_was_asked_or_is_there(characters, batch_size, seq_length):
    batch, length = shrink_to_text(characters, batch_size, seq_length)
    assert 1 <= batch <= batch_size
    assert 1 <= length <= seq_length
    assert batch * length <= characters - 1


@given(**ASKED)
def test_fit_gives_all_that_is_there(characters, batch_size, seq_length):
    """The batch gives way first; of each, one more would not be had or not fit."""
    batch, length = shrink_to_text(characters, batch_size, seq_length)
    assert batch == batch_size or (batch + 1) * seq_length > characters - 1
    assert length == seq_length or (batch == 1 and length == characters - 1)


@given(**ASKED)
def test_the_chunks_of_an_epoch(characters, batch_size, seq_length):
    """Ids that are their own positions: every target is the next one, every stream goes on where it was."""
    B, T = shrink_to_text(characters, batch_size, seq_length)
    streams = Streams(np.arange(characters), B, T)
    assert streams.chunks == epoch_chunks(characters, B, T)
    chunks = [streams.chunk(step) for step in range(streams.chunks)]
    for x, y, _ in chunks:
        np.testing.assert_array_equal(y, x + 1)
    lengths = {len(x) for x, _, _ in chunks}
    assert min(lengths) >= 1
    assert max(lengths) <= T
    assert max(lengths) - min(lengths) <= 1
    assert streams.chunks == -(-sum(len(x) for x, _, _ in chunks) // T)

    read = np.concatenate([x for x, _, _ in chunks])
    np.testing.assert_array_equal(read.T.ravel(), np.arange(read.size))
    assert characters - 1 - read.size <= B - 1
    assert streams.step_characters == read.size // streams.chunks


@given(**ASKED, step=st.integers(0, 10**9))
def test_every_epoch_is_the_same(characters, batch_size, seq_length, step):
    streams = Streams(np.arange(characters), *shrink_to_text(characters, batch_size, seq_length))
    x, y, first = streams.chunk(step)
    again, targets, _ = streams.chunk(step % streams.chunks)
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(y, targets)
    assert first == (step % streams.chunks == 0) == (x[0, 0] == 0)


@pytest.mark.parametrize(
    ("characters", "asked", "got"), [(2, (32, 64), (1, 1)), (30, (32, 64), (1, 29)), (200, (32, 64), (3, 64))]
)
def test_short_texts(characters, asked, got):
    assert shrink_to_text(characters, *asked) == got
