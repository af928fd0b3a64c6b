"""A training text as B parallel streams, read in chunks of T characters: truncated back-propagation through time."""

from __future__ import annotations

from .vocab import Ids


def shrink_to_text(characters: int, batch_size: int, seq_length: int) -> tuple[int, int]:
    """The batch size and sequence length to use for a training text: those asked for, or less if the text is short.

    The batch size is reduced first, because every stream should be at least one sequence long.
    """
    targets = characters - 1
    batch_size = max(1, min(batch_size, targets // seq_length))
    return batch_size, min(seq_length, targets // batch_size)


def epoch_chunks(characters: int, batch_size: int, seq_length: int) -> int:
    """The number of chunks of at most `seq_length` in a training text, which is the number of steps in an epoch."""
    return -(-((characters - 1) // batch_size) // seq_length)


class Streams:
    """B streams of S = (N - 1) // B characters each, cut into chunks of at most T characters.

    Stream b reads the characters bS to (b+1)S - 1. Its targets are the characters one position later; each of them
    exists, so nothing wraps around. Chunk lengths differ by at most one, so there is no short chunk at the end. Up to
    B - 1 characters at the end of the text are not used.
    """

    def __init__(self, ids: Ids, batch_size: int, seq_length: int) -> None:
        B, S = batch_size, (len(ids) - 1) // batch_size
        self.x = ids[: B * S].reshape(B, S)
        self.y = ids[1 : B * S + 1].reshape(B, S)
        self.chunks = epoch_chunks(len(ids), batch_size, seq_length)

    def chunk(self, step: int) -> tuple[Ids, Ids, bool]:
        """The ids x and targets y, each (T, B), of a step counted from 0, and whether it is the first of an epoch."""
        number = step % self.chunks
        S = self.x.shape[1]
        part = slice(S * number // self.chunks, S * (number + 1) // self.chunks)
        return self.x[:, part].T, self.y[:, part].T, number == 0

    @property
    def step_characters(self) -> int:
        """The mean number of characters that a step reads."""
        return self.x.size // self.chunks
