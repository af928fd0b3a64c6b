"""A training text as B contiguous streams, read a chunk at a time."""

from __future__ import annotations

from .vocab import Ids


def shrink_to_text(characters: int, batch_size: int, seq_length: int) -> tuple[int, int]:
    """The batch size and sequence length that a training text is long enough for: what was asked, or less.

    The batch gives way first, since every stream should be at least one sequence long.
    """
    targets = characters - 1
    batch_size = max(1, min(batch_size, targets // seq_length))
    return batch_size, min(seq_length, targets // batch_size)


def epoch_chunks(characters: int, batch_size: int, seq_length: int) -> int:
    """Into how many chunks of at most `seq_length` a training text falls: the steps of an epoch."""
    return -(-((characters - 1) // batch_size) // seq_length)


class Streams:
    """B streams of S = (N-1) // B characters each, cut into chunks of at most T.

    Stream b reads characters bS to (b+1)S - 1, and its targets are the characters one further on, which exist for
    every one of them: nothing wraps around. All chunks have the same length or one less, so none is a mere remnant. At
    most B - 1 characters at the end of the text are not used.
    """

    def __init__(self, ids: Ids, batch_size: int, seq_length: int) -> None:
        B, S = batch_size, (len(ids) - 1) // batch_size
        self.x = ids[: B * S].reshape(B, S)
        self.y = ids[1 : B * S + 1].reshape(B, S)
        self.chunks = epoch_chunks(len(ids), batch_size, seq_length)

    def chunk(self, step: int) -> tuple[Ids, Ids, bool]:
        """The ids x and targets y (T, B) of a step, counted from 0 through all epochs; is it an epoch's first?"""
        number = step % self.chunks
        S = self.x.shape[1]
        part = slice(S * number // self.chunks, S * (number + 1) // self.chunks)
        return self.x[:, part].T, self.y[:, part].T, number == 0

    @property
    def step_characters(self) -> int:
        """The characters that a step reads, in the mean over an epoch."""
        return self.x.size // self.chunks
