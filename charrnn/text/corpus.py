"""Files, standard input, encodings: reading a text into ids, in pieces, without ever holding it as one `str`."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from ..errors import OptionError, TextError
from .vocab import CODE_POINTS, Ids, Vocab, code_points, id_type

PIECE = 1 << 20  # bytes read at a time
OPENERS: dict[str, Callable[[str, str], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
STDIN = "-"


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True)
class Corpus:
    """A text as ids, its vocabulary, and what it takes to know it again."""

    ids: Ids
    vocab: Vocab
    names: tuple[str, ...]  # the files as they were named
    encoding: str | None  # None when it was read as bytes
    sha256: str  # of the bytes as read (after decompression), all files joined

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


def training_length(characters: int, val_fraction: float) -> int:
    """How many of so many characters are for training; all, where the held-out part would have less than two."""
    cut = int(characters * (1 - val_fraction))
    return cut if characters - cut >= 2 else characters


def read_corpus(
    names: Sequence[str], encoding: str = "utf-8", as_bytes: bool = False, vocab: Vocab | None = None
) -> Corpus:
    """Read files (`-` is standard input; .gz, .bz2, .xz are decompressed), joined as they stand, into ids.

    Text is decoded strictly, `\\r\\n` becomes `\\n`, a leading byte-order mark is dropped; with `as_bytes` every byte
    is a symbol. The vocabulary is that of the whole text, joined with `vocab` if given. N characters take N bytes (2N
    if there are more than 256 distinct ones) and a few megabytes while reading.
    Raises TextError for what cannot be read, and for a text that has nothing to learn: under two characters, or a
    single distinct one.
    """
    digest = hashlib.sha256()
    encoder = _Encoder(Vocab(of_bytes=True) if as_bytes else None)
    for name in names:
        for piece in read_pieces(name, None if as_bytes else encoding, digest):
            encoder.add(piece)
    ids, own = encoder.finish(vocab)
    label = ", ".join("standard input" if name == STDIN else name for name in names)
    if len(ids) < 2:
        raise TextError(f"{label}: {len(ids)} {own.unit}s are too few to learn from; give a longer text")
    if ids.min() == ids.max():
        raise TextError(f"{label}: all {len(ids)} {own.unit}s are the same one; there is nothing to learn")
    return Corpus(ids, own, tuple(names), None if as_bytes else encoding, digest.hexdigest())


def read_ids(names: Sequence[str], vocab: Vocab, encoding: str = "utf-8", unknown: str = "error") -> tuple[Ids, int]:
    """Read files as `read_corpus` does, with a vocabulary that is given: the ids and the number of unknown characters.

    Unknown characters are left out, or with "error" raise UnknownCharacterError with file and position.
    """
    parts: list[Ids] = []
    missing = 0
    for name in names:
        position = 0
        for piece in read_pieces(name, None if vocab.of_bytes else encoding):
            ids, left_out = vocab.encode(piece, unknown, "standard input" if name == STDIN else name, position)
            parts.append(ids)
            position += len(piece)
            missing += left_out
    return _join(parts, id_type(len(vocab))), missing


def read_pieces(name: str, encoding: str | None, digest: _Hash | None = None) -> Iterator[str | bytes]:
    """The text of one file (or `-`), a piece at a time: `bytes` where `encoding` is None, else `str`.

    Newlines are translated and a byte-order mark dropped in a `str`. The bytes as read go to `digest`.
    """
    if encoding is None:
        yield from _read_bytes(name, digest)
        return
    decoder = _decoder(encoding)
    offset = 0  # of the first byte that the decoder has not seen
    first, held = True, ""
    for data in chain(_read_bytes(name, digest), [b""]):
        pending = len(decoder.getstate()[0])
        try:
            text = held + decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise _bad_byte(name, encoding, offset - pending + error.start, error) from None
        offset += len(data)
        if first and text:
            first, text = False, text.removeprefix("\ufeff")
        held = "\r" if data and text.endswith("\r") else ""
        text = text.removesuffix("\r") if held else text
        yield text.replace("\r\n", "\n")


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        if isinstance(decoder.decode(b"", final=False), str):
            return decoder
    except (LookupError, UnicodeError, TypeError, ValueError):
        pass
    raise OptionError(f"{encoding!r} is not a text encoding that Python knows; try utf-8, latin-1, utf-16 or cp1252")


def _bad_byte(name: str, encoding: str, offset: int, error: UnicodeDecodeError) -> TextError:
    label = "standard input" if name == STDIN else name
    byte = f"0x{error.object[error.start]:02x}" if error.start < len(error.object) else "the end"
    return TextError(
        f"{label}: not {encoding} at byte offset {offset} ({byte}: {error.reason}); "
        "name its encoding with --encoding (latin-1, cp1252, utf-16 ...) or read any file with --bytes"
    )


def _read_bytes(name: str, digest: _Hash | None) -> Iterator[bytes]:
    label = "standard input" if name == STDIN else name
    try:
        with _open(name) as file:
            while piece := file.read(PIECE):
                if digest:
                    digest.update(piece)
                yield piece
    except FileNotFoundError:
        raise TextError(f"{label}: no such file") from None
    except IsADirectoryError:
        raise TextError(f"{label}: is a directory; name the text files in it") from None
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise TextError(f"{label}: its compressed data are damaged or of another kind ({error})") from None
    except OSError as error:
        raise TextError(f"{label}: cannot be read ({error.strerror or error})") from None


def _open(name: str) -> IO[bytes]:
    if name == STDIN:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    opener: Callable[[str, str], IO[bytes]] = OPENERS.get(Path(name).suffix.lower(), open)
    return opener(name, "rb")


class _Encoder:
    """Gives characters provisional ids in the order they appear; sorts the vocabulary when all have been seen."""

    def __init__(self, vocab: Vocab | None) -> None:
        self.fixed = vocab
        self.parts: list[Ids] = []
        self.places = np.full(0 if vocab else CODE_POINTS, -1, np.int32)
        self.points: list[int] = []

    def add(self, piece: str | bytes) -> None:
        if self.fixed:
            self.parts.append(self.fixed.encode(piece)[0])
            return
        assert isinstance(piece, str)
        points = code_points(piece)
        places = self.places[points]
        if len(places) and places.min() < 0:
            new = np.unique(points[places < 0])
            self.places[new] = np.arange(len(self.points), len(self.points) + len(new))
            self.points.extend(new.tolist())
            places = self.places[points]
        self.parts.append(places.astype(id_type(len(self.points))))

    def finish(self, extra: Vocab | None) -> tuple[Ids, Vocab]:
        """The ids and the vocabulary, sorted, together with the characters of `extra`."""
        if self.fixed:
            return _join(self.parts, np.uint8), self.fixed
        characters = "".join(map(chr, self.points))
        vocab = Vocab(characters + (extra.characters if extra else ""))
        final = vocab.encode(characters)[0]
        return _join(self.parts, id_type(len(vocab)), final), vocab


def _join(parts: list[Ids], dtype: type, final: Ids | None = None) -> Ids:
    """The parts in one array, each id v replaced by final[v]; a part is let go as soon as it is copied."""
    joined: Ids = np.empty(sum(map(len, parts)), dtype)
    end = len(joined)
    while parts:
        part = parts.pop()
        joined[end - len(part) : end] = part if final is None else final[part]
        end -= len(part)
    return joined
