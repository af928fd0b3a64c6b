"""A text whose lines are records: laid out for reading, split by record, shuffled.

Laid out, a text of records is `newline, record, newline, record, newline ...`: every record follows a newline, which is
read from the zero state, and is ended by one, which is scored. Empty lines are no records and are left out.

Record k is `laid[ends[k] + 1 : ends[k + 1] + 1]`, its newline included, where `ends` are the places of the newlines.
Besides the ids everything here takes some 50 bytes a record, and is done for a piece of the text at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..prng import SHUFFLE, SPLIT, Words, random_bits
from .batches import Streams, epoch_chunks
from .vocab import Ids

Places = npt.NDArray[np.intp]
Hashes = npt.NDArray[np.uint32]

PIECE = 1 << 15  # characters hashed at a time
BLOCK = 1 << 12  # records moved at a time
LONG = 1 << 10  # characters from which on they are moved one by one
POSITION = 21  # bits by which a position is shifted, to make room for a code point


@dataclass(frozen=True)
class Records:
    """The records of a text, in two parts that have no record in common, both laid out."""

    training: Ids
    held_out: Ids  # empty if there is no such record
    count: int
    repeats: int  # records that are like an earlier one
    known: Hashes  # short hashes of the training records, sorted, each once


def lay_out(ids: Ids, newline: int) -> Ids:
    """A text as records: a newline, then every line that is not empty with a newline after it."""
    laid: Ids = np.empty(len(ids) + 2, ids.dtype)
    laid[0] = laid[-1] = newline
    laid[1:-1] = ids
    ends = laid == newline
    ends[1:] &= ends[:-1].copy()  # a newline right after another ends nothing
    ends[0] = False
    return np.asarray(laid[~ends])


def split(ids: Ids, newline: int, val_fraction: float, seed: int) -> Records:
    """Hold out a share of the records, with the same line never on both sides.

    A line's place in the queue for being held out follows from itself and the seed, not from where it stands. Those at
    the head are held out, with all their copies, for as long as they are no more than `val_fraction` of all records.
    """
    laid = lay_out(ids, newline)
    ends = np.flatnonzero(laid == newline)
    training, held_out, repeats, known = _divided(hashes(laid, ends), val_fraction, seed)
    return Records(
        training=arranged(laid, ends, training[shuffle(len(training), seed, 0)]),
        held_out=arranged(laid, ends, held_out) if len(held_out) else laid[:0],
        count=len(training) + len(held_out),
        repeats=repeats,
        known=known,
    )


def _divided(lines: Words, val_fraction: float, seed: int) -> tuple[Places, Places, int, Hashes]:
    """The numbers of the training and the held-out records, how many repeat others, and what to know of the former."""
    queue = random_bits(seed, SPLIT, lines)
    order = np.argsort(queue, kind="stable")
    queue = queue[order]
    firsts = np.flatnonzero(np.append(True, queue[1:] != queue[:-1])[: len(queue)])
    copies = np.diff(firsts, append=len(queue))
    room = round(val_fraction * len(lines))
    fitting = copies <= room  # a line with more copies would leave no room for others
    out = fitting & (np.cumsum(copies * fitting) <= room)
    held_out = np.repeat(out, copies)
    known = np.unique(short(lines[order[firsts[~out]]]))
    return order[~held_out], order[held_out], len(lines) - len(firsts), known


def shuffled(laid: Ids, seed: int, epoch: int) -> Ids:
    """The same records in another order, which follows from the seed and the epoch."""
    ends = np.flatnonzero(laid == laid[0])
    return arranged(laid, ends, shuffle(len(ends) - 1, seed, epoch))


def shuffle(count: int, seed: int, epoch: int) -> Places:
    """The numbers from 0 to count - 1 in a random order."""
    return np.argsort(random_bits(seed, SHUFFLE, epoch, np.arange(count)), kind="stable")


def arranged(laid: Ids, ends: Places, order: Places) -> Ids:
    """The records that `order` numbers, in that order, laid out."""
    blocks = [_side_by_side(laid, ends, order[block : block + BLOCK]) for block in range(0, len(order), BLOCK)]
    return np.concatenate([laid[:1], *blocks])


def _side_by_side(laid: Ids, ends: Places, order: Places) -> Ids:
    starts, lengths = ends[order] + 1, ends[order + 1] - ends[order]
    if lengths.max() > LONG:  # an index for each of their characters would take much memory
        return np.concatenate([laid[start : start + length] for start, length in zip(starts, lengths, strict=True)])
    places = np.cumsum(lengths) - lengths
    return np.asarray(laid[np.repeat(starts - places, lengths) + np.arange(lengths.sum())])


def hashes(laid: Ids, ends: Places) -> Words:
    """64 bits for each record. Two different ones agree with a chance of about 2^-64.

    It is the sum of `symbols` over the record, its newline included, mixed once more.
    """
    starts, sums = ends[:-1] + 1, np.zeros(len(ends) - 1, np.uint64)
    for begin in range(1, len(laid), PIECE):
        end = min(begin + PIECE, len(laid))
        first, last = np.searchsorted(ends, [begin, end - 1]) - 1
        records = slice(first, last + 1)
        edges = np.maximum(starts[records], begin)
        counts = np.diff(edges, append=end)
        positions = np.arange(begin, end) - np.repeat(starts[records], counts)
        sums[records] += np.add.reduceat(symbols(positions, laid[begin:end]), edges - begin)
    return random_bits(sums)


def symbols(positions: npt.NDArray[Any], ids: Ids) -> Words:
    """What each character, at its position in its record, adds to the record's hash."""
    return random_bits(positions << POSITION | ids)


def short(words: Words) -> Hashes:
    """The 32 bits of a hash that are remembered."""
    return (words >> np.uint64(32)).astype(np.uint32)


class RecordStreams:
    """`Streams` of records, which come in another order in every epoch: so chunks cut others of them in two."""

    def __init__(self, laid: Ids, batch_size: int, seq_length: int, seed: int) -> None:
        self.laid, self.shape, self.seed = laid, (batch_size, seq_length), seed
        self.chunks = epoch_chunks(len(laid), batch_size, seq_length)
        self.epoch = 0
        self.streams = Streams(laid, batch_size, seq_length)

    def chunk(self, step: int) -> tuple[Ids, Ids, bool]:
        epoch = step // self.chunks
        if epoch != self.epoch:
            self.epoch = epoch
            self.streams = Streams(shuffled(self.laid, self.seed, epoch) if epoch else self.laid, *self.shape)
        return self.streams.chunk(step)

    @property
    def step_characters(self) -> int:
        return self.streams.step_characters
