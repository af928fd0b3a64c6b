"""A training text as ids. The text is encoded piece by piece and never held as one `str`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from reprlib import repr as short
from typing import Any

import numpy as np

from ..checks import instance, invalid
from ..errors import TextError
from ..system.memory import machine_memory
from .reader import PIECE, Hash, display_name, read_bytes, read_text, with_final_newline
from .records import Records, split
from .vocab import CODE_POINTS, Ids, Vocab, code_points, id_type

Names = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

MEMORY_SHARE = 0.75  # of the machine's memory that the ids may take


@dataclass(frozen=True, repr=False)
class Corpus:
    """A training text as ids, with its vocabulary and what identifies it.

        >>> charrnn.read_corpus("corpus.txt")

    Two corpora are equal if they were read from the same names, as the same bytes, with the same encoding and
    vocabulary. A corpus can be hashed, and `copy` shares the ids.
    """

    ids: Ids = field(compare=False)
    vocab: Vocab
    names: tuple[str, ...]  # of the files, as they were given
    encoding: str | None  # None when it was read as bytes
    sha256: str  # of the bytes of all files joined, after decompression

    def __repr__(self) -> str:
        size = f"{len(self.ids):,} {self.vocab.unit}s, {len(self.vocab):,} distinct"
        return f"Corpus({short(', '.join(self.names))}, {size})"

    def split(self, val_fraction: float) -> tuple[Ids, Ids]:
        """The training part, and the held-out part at the end, which is empty if it would be under two characters."""
        if not 0 <= val_fraction < 1:
            raise invalid("val_fraction", val_fraction, "a number from 0 to below 1")
        cut = training_length(len(self.ids), val_fraction)
        if cut < 2:
            raise TextError(
                f"val_fraction: {val_fraction} leaves {cut} of {len(self.ids)} {self.vocab.unit}s to train on, "
                "and at least 2 are needed; choose a smaller one"
            )
        return self.ids[:cut], self.ids[cut:]

    def records(self, val_fraction: float, seed: int) -> Records:
        """The lines as records, in a training part and a held-out part drawn by the seed.

        Raises TextError if the text has no newline to end a record with, or if no record is left to train on.
        """
        newline, missing = self.vocab.encode("\n", "skip")
        if missing:
            raise TextError("the text: it has no newline, so no records; read it with lines=True")
        records = split(self.ids, int(newline[0]), val_fraction, seed)
        if len(records.training) < 2:
            raise TextError(
                f"val_fraction: {val_fraction} leaves none of {records.count} records to train on; choose a smaller one"
            )
        return records


def training_length(characters: int, val_fraction: float) -> int:
    """How many characters of a text are for training: all, if the held-out part would have fewer than two."""
    cut = int(characters * (1 - val_fraction))
    return cut if characters - cut >= 2 else characters


def file_names(names: Names) -> tuple[str, ...]:
    """One or several file names as a tuple. Raises OptionError if there is none, or if one is not a file name."""
    several = [names] if isinstance(names, str | os.PathLike) else list(names) if isinstance(names, Iterable) else []
    if not several or not all(isinstance(name, str | os.PathLike) and os.fspath(name) for name in several):
        raise invalid("names", names, "a file name or several")
    return tuple(str(os.fspath(name)) for name in several)


def read_corpus(
    names: Names,
    encoding: str = "utf-8",
    as_bytes: bool = False,
    vocab: Vocab | None = None,
    lines: bool = False,
    most: int | None = None,
) -> Corpus:
    """Read a training text from one or more files, joined, into ids.

    `names` is a file name or several; `-` is standard input, and .gz, .bz2 and .xz files are decompressed. Text is
    decoded strictly, `\\r\\n` becomes `\\n`, and a byte-order mark at the start of a file is dropped. With `as_bytes`
    the symbols are bytes instead of characters. With `lines` each line is a record, and a newline is added to a file
    that does not end with one. The vocabulary is that of the whole text, together with the characters of `vocab` if
    given.
    Memory: one byte per character, or two if there are more than 256 distinct characters.

        >>> corpus = charrnn.read_corpus(["corpus.txt"])

    Raises TextError if a file cannot be read, if the text has more than `most` characters, or if there is nothing to
    learn because it has fewer than two characters or only one distinct character. Raises OptionError for an unknown
    encoding.
    """
    names = file_names(names)
    instance("encoding", encoding, str, "the name of an encoding")
    if vocab is not None:
        instance("vocab", vocab, Vocab, "the vocab of a model")
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
    text = ", ".join(map(display_name, names))
    if len(ids) < 2:
        what = "is empty" if not len(ids) else f"has a single {own.unit}"
        raise TextError(f"{text}: {what}; give a text of at least 2 {own.unit}s")
    if ids.min() == ids.max():
        raise TextError(f"{text}: all {len(ids):,} {own.unit}s are the same; give a text with 2 or more different ones")
    return Corpus(ids, own, names, None if as_bytes else encoding, digest.hexdigest())


def read_ids(
    names: Sequence[str],
    vocab: Vocab,
    encoding: str = "utf-8",
    unknown: str = "error",
    digest: Hash | None = None,
    lines: bool = False,
    most: int | None = None,
) -> tuple[Ids, int]:
    """Read files as `read_corpus` does, with a given vocabulary: the ids, and the number of unknown characters.

    Unknown characters are left out; with `unknown="error"` they raise UnknownCharacterError, which names the file and
    the position.
    """
    grown = _GrowingIds(id_type(len(vocab)), most)
    missing = 0
    for name in names:
        position = 0
        read: Iterator[str | bytes] = read_bytes(name, digest) if vocab.of_bytes else read_text(name, encoding, digest)
        for piece in with_final_newline(read) if lines else read:
            ids, left_out = vocab.encode(piece, unknown, display_name(name), position)
            grown.append(ids, ids.dtype.type)
            position += len(piece)
            missing += left_out
    return grown.finish(), missing


class _GrowingIds:
    """An array of ids that grows in place and widens its integer type when needed, so the ids are never held twice."""

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
            raise TextError(f"the text has more than {self.most:,} characters, so it is not the text it was")
        if end * self.ids.itemsize > self.most_bytes:
            raise TextError(f"the text: too large for this machine's memory ({end:,} characters so far); use less text")
        if end > len(self.ids):
            self.ids.resize(end + end // 4, refcheck=False)
        self.ids[self.size : end] = part
        self.size = end

    def finish(self) -> Ids:
        self.ids.resize(self.size, refcheck=False)
        return self.ids


class _Encoder:
    """Gives characters provisional ids in order of appearance, and final ids once the whole vocabulary is known."""

    def __init__(self, most: int | None) -> None:
        self.ids = _GrowingIds(np.uint8, most)
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
        """The final ids, and the vocabulary of the text together with the characters of `extra`."""
        characters = "".join(map(chr, self.points))
        vocab = Vocab(characters + (extra.characters if extra else ""))
        final, _ = vocab.encode(characters)
        self.ids.append(final[:0], id_type(len(vocab)))
        ids = self.ids.finish()
        for start in range(0, len(ids), PIECE):
            part = slice(start, start + PIECE)
            ids[part] = final[ids[part]]
        return ids, vocab
