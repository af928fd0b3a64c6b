"""A text as ids, made from the pieces of its files without ever holding it as one `str`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from ..errors import OptionError, TextError
from ..system.memory import machine_memory
from .reader import PIECE, Hash, label, read_bytes, read_text, with_final_newline
from .records import Records, split
from .vocab import CODE_POINTS, Ids, Vocab, code_points, id_type

MEMORY_SHARE = 0.75  # of the machine's memory a text may take


@dataclass(frozen=True)
class Corpus:
    """A text as ids, its vocabulary, and what it takes to know it again."""

    ids: Ids
    vocab: Vocab
    names: tuple[str, ...]  # the files as they were named
    encoding: str | None  # None when it was read as bytes
    sha256: str  # of the bytes as read (after decompression), all files joined
    _records: dict[tuple[float, int], Records] = field(default_factory=dict, init=False, repr=False, compare=False)

    def split(self, val_fraction: float) -> tuple[Ids, Ids]:
        """The training part and the held-out part at the end, which is empty if it would be under two characters."""
        if not 0 <= val_fraction < 1:
            raise OptionError(f"the validation fraction must be at least 0 and below 1, not {val_fraction}")
        cut = training_length(len(self.ids), val_fraction)
        if cut < 2:
            raise TextError(
                f"a validation fraction of {val_fraction} leaves {cut} of {len(self.ids)} {self.vocab.unit}s "
                "to train on; it must leave at least 2"
            )
        return self.ids[:cut], self.ids[cut:]

    def records(self, val_fraction: float, seed: int) -> Records:
        """The lines as records, in a training part and a held-out part; worked out once.

        Raises TextError if the text has no newline to end a record with, or if no record is left to train on.
        """
        key = (val_fraction, seed)
        if key not in self._records:
            newline, missing = self.vocab.encode("\n", "skip")
            if missing:
                raise TextError("the text has no newline; read it with lines=True, which adds one to its end")
            self._records.clear()
            self._records[key] = split(self.ids, int(newline[0]), val_fraction, seed)
        parts = self._records[key]
        if len(parts.training) < 2:
            raise TextError(
                f"a validation fraction of {val_fraction} leaves none of {parts.count} records to train on; "
                "choose a smaller one"
            )
        return parts


def training_length(characters: int, val_fraction: float) -> int:
    """How many of so many characters are for training; all, where the held-out part would have less than two."""
    cut = int(characters * (1 - val_fraction))
    return cut if characters - cut >= 2 else characters


def read_corpus(
    names: Sequence[str],
    encoding: str = "utf-8",
    as_bytes: bool = False,
    vocab: Vocab | None = None,
    lines: bool = False,
    most: int | None = None,
) -> Corpus:
    """Read files (`-` is standard input; .gz, .bz2, .xz are decompressed), joined as they stand, into ids.

    Text is decoded strictly, `\\r\\n` becomes `\\n`, a leading byte-order mark is dropped; with `as_bytes` every byte
    is a symbol. With `lines` a file whose last line has no end gets one. The vocabulary is that of the whole text,
    joined with `vocab` if given. N characters take N bytes (2N if there are more than 256 distinct ones) and a few
    megabytes while reading.
    Raises TextError for what cannot be read, for a text of more than `most` characters, as soon as there are more, and
    for one that has nothing to learn: under two characters, or a single distinct one.
    """
    digest = hashlib.sha256()
    if as_bytes:
        own = Vocab(of_bytes=True)
        ids, _ = read_ids(names, own, digest=digest, lines=lines, most=most)
    else:
        encoder = _Encoder(most)
        for name in names:
            pieces = read_text(name, encoding, digest)
            for piece in with_final_newline(pieces) if lines else pieces:
                encoder.add(piece)
        ids, own = encoder.finish(vocab)
    text = ", ".join(map(label, names))
    if len(ids) < 2:
        raise TextError(f"{text}: {len(ids)} {own.unit}s are too few to learn from; give a longer text")
    if ids.min() == ids.max():
        raise TextError(f"{text}: all {len(ids)} {own.unit}s are the same one; there is nothing to learn")
    return Corpus(ids, own, tuple(names), None if as_bytes else encoding, digest.hexdigest())


def read_ids(
    names: Sequence[str],
    vocab: Vocab,
    encoding: str = "utf-8",
    unknown: str = "error",
    digest: Hash | None = None,
    lines: bool = False,
    most: int | None = None,
) -> tuple[Ids, int]:
    """Read files as `read_corpus` does, with a vocabulary that is given: the ids and the number of unknown characters.

    Unknown characters are left out, or with "error" raise UnknownCharacterError with file and position.
    """
    grown = _Growing(id_type(len(vocab)), most)
    missing = 0
    for name in names:
        position = 0
        read: Iterator[str | bytes] = read_bytes(name, digest) if vocab.of_bytes else read_text(name, encoding, digest)
        for piece in with_final_newline(read) if lines else read:
            ids, left_out = vocab.encode(piece, unknown, label(name), position)
            grown.append(ids, ids.dtype.type)
            position += len(piece)
            missing += left_out
    return grown.finish(), missing


class _Growing:
    """Ids that are appended, of the smallest type so far; grown in place, so that they are never held twice."""

    def __init__(self, dtype: type[np.unsignedinteger[Any]], most: int | None) -> None:
        self.most = most
        self.most_bytes = MEMORY_SHARE * (machine_memory() or inf)
        self.size = 0
        self.ids: Ids = np.empty(PIECE, dtype)

    def append(self, part: Ids, dtype: type[np.unsignedinteger[Any]]) -> None:
        if np.dtype(dtype).itemsize > self.ids.itemsize:
            self.ids = self.ids.astype(dtype)
        end = self.size + len(part)
        if self.most is not None and end > self.most:
            raise TextError(f"the text has more than the {self.most:,} characters that it should have")
        if end * self.ids.itemsize > self.most_bytes:
            raise TextError(f"the text is more than this machine's memory can hold ({end:,} characters so far)")
        if end > len(self.ids):
            self.ids.resize(end + end // 4, refcheck=False)
        self.ids[self.size : end] = part
        self.size = end

    def finish(self) -> Ids:
        self.ids.resize(self.size, refcheck=False)
        return self.ids


class _Encoder:
    """Gives characters provisional ids in the order they appear; sorts the vocabulary when all have been seen."""

    def __init__(self, most: int | None) -> None:
        self.ids = _Growing(np.uint8, most)
        self.places = np.full(CODE_POINTS, -1, np.int32)
        self.points: list[int] = []

    def add(self, piece: str) -> None:
        points = code_points(piece)
        places = self.places[points]
        if len(places) and places.min() < 0:
            new = np.unique(points[places < 0])
            self.places[new] = np.arange(len(self.points), len(self.points) + len(new))
            self.points.extend(new.tolist())
            places = self.places[points]
        self.ids.append(places, id_type(len(self.points)))

    def finish(self, extra: Vocab | None) -> tuple[Ids, Vocab]:
        """The ids and the vocabulary, sorted, together with the characters of `extra`."""
        characters = "".join(map(chr, self.points))
        vocab = Vocab(characters + (extra.characters if extra else ""))
        final, _ = vocab.encode(characters)
        self.ids.append(final[:0], id_type(len(vocab)))
        ids = self.ids.finish()
        for start in range(0, len(ids), PIECE):
            part = slice(start, start + PIECE)
            ids[part] = final[ids[part]]
        return ids, vocab
