"""A text as parallel streams: inputs, targets, and the characters left over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.batches import Streams, epoch_chunks, shrink_to_text

ASKED = {"characters": st.integers(2, 300), "batch_size": st.integers(1, 40), "seq_length": st.integers(1, 40)}


@given(**ASKED)
def test_the_batch_never_exceeds_what_was_asked_for_or_the_text(characters, batch_size, seq_length):
    batch, length = shrink_to_text(characters, batch_size, seq_length)
    assert 1 <= batch <= batch_size
    assert 1 <= length <= seq_length
    assert batch * length <= characters - 1


@given(**ASKED)
def test_the_batch_is_as_large_as_the_text_allows(characters, batch_size, seq_length):
    """The batch size is reduced first. One more of either would not fit or was not asked for."""
    batch, length = shrink_to_text(characters, batch_size, seq_length)
    assert batch == batch_size or (batch + 1) * seq_length > characters - 1
    assert length == seq_length or (batch == 1 and length == characters - 1)


@given(**ASKED)
def test_the_chunks_of_an_epoch(characters, batch_size, seq_length):
    """With ids equal to positions: each target is the next id, and each stream continues where it stopped."""
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
