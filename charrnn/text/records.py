"""A text in which each line is a record: its layout, its split into training and held-out records, its shuffling.

The layout is `newline, record, newline, record, newline ...`. Each record is read after a newline, from the zero state,
and ends with a newline, which is scored as part of it. Empty lines are left out.

Record k is `laid[ends[k] + 1 : ends[k + 1] + 1]`, its newline included, where `ends` are the indices of the newlines.
Everything here works on a piece of the text at a time, and takes about 50 bytes a record besides the ids.
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
LONG = 1 << 10  # characters; longer records are moved one by one
POSITION = 21  # bits by which a position is shifted to make room for an id


@dataclass(frozen=True)
class Records:
    """The records of a text in two parts, in the layout above. No record is in both parts."""

    training: Ids
    held_out: Ids  # empty if there are no held-out records
    count: int
    repeats: int  # records that equal an earlier one
    known: Hashes  # short hashes of the training records, sorted, without repeats


def lay_out(ids: Ids, newline: int) -> Ids:
    """The ids of a text in the layout above: a newline, then every non-empty line followed by a newline."""
    laid: Ids = np.empty(len(ids) + 2, ids.dtype)
    laid[0] = laid[-1] = newline
    laid[1:-1] = ids
    ends = laid == newline
    ends[1:] &= ends[:-1].copy()  # a newline right after another ends an empty line
    ends[0] = False
    return np.asarray(laid[~ends])


def split(ids: Ids, newline: int, val_fraction: float, seed: int) -> Records:
    """Hold out a share of the records. Equal lines are always in the same part.

    Distinct lines are ordered by a hash of the line and the seed, so the order does not depend on where a line stands
    in the text. Lines are held out in that order, each with all its copies, up to `val_fraction` of all records.
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
    """The numbers of the training and held-out records, the number of repeats, and the training records' hashes."""
    queue = random_bits(seed, SPLIT, lines)
    order = np.argsort(queue, kind="stable")
    queue = queue[order]
    firsts = np.flatnonzero(np.append(True, queue[1:] != queue[:-1])[: len(queue)])
    copies = np.diff(firsts, append=len(queue))
    room = round(val_fraction * len(lines))
    fitting = copies <= room  # a line with more copies than that cannot be held out
    out = fitting & (np.cumsum(copies * fitting) <= room)
    held_out = np.repeat(out, copies)
    known = np.unique(short(lines[order[firsts[~out]]]))
    return order[~held_out], order[held_out], len(lines) - len(firsts), known


def shuffled(laid: Ids, seed: int, epoch: int) -> Ids:
    """The same records in an order drawn from the seed and the epoch."""
    ends = np.flatnonzero(laid == laid[0])
    return arranged(laid, ends, shuffle(len(ends) - 1, seed, epoch))


def shuffle(count: int, seed: int, epoch: int) -> Places:
    """A permutation of 0 to count - 1 drawn from the seed and the epoch."""
    return np.argsort(random_bits(seed, SHUFFLE, epoch, np.arange(count)), kind="stable")


def arranged(laid: Ids, ends: Places, order: Places) -> Ids:
    """The records with these numbers, in this order, in the layout above."""
    blocks = [_side_by_side(laid, ends, order[block : block + BLOCK]) for block in range(0, len(order), BLOCK)]
    return np.concatenate([laid[:1], *blocks])


def _side_by_side(laid: Ids, ends: Places, order: Places) -> Ids:
    starts, lengths = ends[order] + 1, ends[order + 1] - ends[order]
    if lengths.max() > LONG:  # an index array over their characters would take too much memory
        return np.concatenate([laid[start : start + length] for start, length in zip(starts, lengths, strict=True)])
    places = np.cumsum(lengths) - lengths
    return np.asarray(laid[np.repeat(starts - places, lengths) + np.arange(lengths.sum())])


def hashes(laid: Ids, ends: Places) -> Words:
    """A hash of 64 bits for each record: `symbols`, summed over the record and its newline, mixed once more.

    Two different records have the same hash with a probability of about 2^-64.
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
    """What each character adds to the hash of its record, from its id and its position in the record."""
    return random_bits(positions << POSITION | ids)


def short(words: Words) -> Hashes:
    """The upper 32 bits of a hash, which are what a checkpoint stores."""
    return (words >> np.uint64(32)).astype(np.uint32)


class RecordStreams:
    """`Streams` of records in a new order in every epoch, so that each time other records are cut by chunk edges."""

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
