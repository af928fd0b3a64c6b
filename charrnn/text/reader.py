"""From a file name (or `-`, standard input) to text in pieces: decompression, decoding, newlines."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, cast

from ..errors import OptionError, TextError
from .live_input import available_bytes

PIECE = 1 << 20  # bytes read at a time
OPENERS: dict[str, Callable[[str, str], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
STDIN = "-"

Piece = TypeVar("Piece", bound=str | bytes)


class Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def with_final_newline(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces of a text, and a newline if the text does not end with one."""
    last: str | bytes = "\n"
    for piece in pieces:
        last = piece or last
        yield piece
    newline = "\n" if isinstance(last, str) else b"\n"
    if last[-1:] != newline:
        yield cast(Piece, newline)


def display_name(name: str) -> str:
    """What a file is called in messages."""
    return "standard input" if name == STDIN else name


def read_text(name: str, encoding: str, digest: Hash | None = None) -> Iterator[str]:
    """The text of one file, a piece at a time.

    Decoding is strict, `\\r\\n` becomes `\\n`, and a byte-order mark at the start is dropped. `digest` is updated with
    the bytes as read. Raises TextError, which names the file and the byte offset, and OptionError for an encoding that
    Python does not know.
    """
    decoder = _decoder(encoding)
    offset = 0  # of the next byte to decode
    first, held = True, ""
    for data in chain(read_bytes(name, digest), [b""]):
        pending = len(decoder.getstate()[0])
        try:
            text = held + decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise _bad_byte(name, encoding, offset - pending + error.start, error) from None
        except UnicodeError as error:
            raise TextError(
                f"{display_name(name)}: not {encoding} ({error}); give its encoding with --encoding"
            ) from None
        offset += len(data)
        if first and text:
            first, text = False, text.removeprefix("\ufeff")
        held = "\r" if data and text.endswith("\r") else ""
        text = text.removesuffix("\r") if held else text
        yield text.replace("\r\n", "\n")


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        if not encoding.isprintable():  # codecs.lookup reads any punctuation as a hyphen
            raise LookupError
        name = codecs.lookup(encoding).name
        decoder = codecs.getincrementaldecoder("utf-8" if name == "utf-8-sig" else name)("strict")
        if isinstance(decoder.decode(b"", final=False), str):
            return decoder
    except (LookupError, UnicodeError, TypeError, ValueError):
        pass
    raise OptionError(f"encoding: {encoding!r} is not one that Python knows; try utf-8, latin-1, utf-16 or cp1252")


def _bad_byte(name: str, encoding: str, offset: int, error: UnicodeDecodeError) -> TextError:
    byte = f"0x{error.object[error.start]:02x}" if error.start < len(error.object) else "the end"
    return TextError(
        f"{display_name(name)}: not {encoding} at byte offset {offset} ({byte}: {error.reason}); "
        "give its encoding with --encoding (latin-1, cp1252, utf-16 ...), or train on its bytes with --bytes"
    )


def read_bytes(name: str, digest: Hash | None = None) -> Iterator[bytes]:
    """The bytes of one file, a piece at a time; files ending in .gz, .bz2 or .xz are decompressed.

    From a pipe or a terminal a piece is whatever is available. `digest` is updated with the bytes. Raises TextError.
    """
    try:
        with _open(name) as file:
            reject_endless_device(name, file)
            for piece in available_bytes(file, PIECE):
                if digest:
                    digest.update(piece)
                yield piece
    except FileNotFoundError:
        raise TextError(f"{display_name(name)}: no such file") from None
    except IsADirectoryError:
        raise TextError(f"{display_name(name)}: is a directory; name the text files in it") from None
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise TextError(
            f"{display_name(name)}: damaged, or not compressed as its name says ({error}); use another copy"
        ) from None
    except OSError as error:
        raise TextError(f"{display_name(name)}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:  # a NUL, or a character that the file system has no bytes for
        raise TextError(f"{display_name(name)!r}: not a valid file name ({error})") from None


def _open(name: str) -> AbstractContextManager[IO[bytes]]:
    if name == STDIN:
        if sys.stdin is None:
            raise TextError("standard input: it is closed; pipe a text in, or name a file")
        return nullcontext(sys.stdin.buffer)
    opener: Callable[[str, str], IO[bytes]] = OPENERS.get(Path(name).suffix.lower(), open)
    return opener(name, "rb")


def reject_endless_device(name: str, file: IO[bytes]) -> None:
    """Raises TextError for endless devices such as /dev/zero. Terminals and /dev/null are accepted."""
    with suppress(OSError, ValueError):  # a file in memory has no descriptor
        found = os.fstat(file.fileno())
        device = stat.S_ISCHR(found.st_mode) and not os.isatty(file.fileno())
        if device and found.st_rdev != os.stat(os.devnull).st_rdev:
            raise TextError(f"{display_name(name)}: an endless device; copy the part you want into a file")


def check_regular_files(names: Sequence[str]) -> None:
    """Raises TextError if one of these exists and is neither a regular file nor a directory.

    For names that come from a checkpoint and not from the user: opening a pipe would wait for a writer, and a device
    may be endless.
    """
    for name in names:
        with suppress(OSError, ValueError):  # the error comes when the file is read
            if not os.path.isdir(name) and not stat.S_ISREG(os.stat(name).st_mode):
                raise TextError(f"{name}: a device or a pipe, which cannot be read again")
