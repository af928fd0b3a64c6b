"""Characters to ids and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..checks import invalid
from ..errors import OptionError, UnknownCharacterError

Ids = npt.NDArray[Any]  # of the smallest unsigned integer type that can hold every id

UNKNOWN_POLICIES = ("error", "skip", "uniform")
CODE_POINTS = 0x110000


def id_type(V: int) -> type[np.unsignedinteger[Any]]:
    """The smallest unsigned integer type that can hold ids from 0 to V - 1."""
    return np.uint8 if V <= 1 << 8 else np.uint16 if V <= 1 << 16 else np.uint32


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The Unicode code points of a text, (len(text),). Lone surrogates are kept as they are."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


class Vocab:
    """The characters a model knows. The id of a character is its index in `characters`, which are sorted.

    Characters are Unicode code points, and texts are `str`. With `of_bytes` the symbols are the 256 bytes instead,
    and texts are `bytes`. Vocabularies compare equal if they have the same symbols, and can be hashed.

        >>> vocab = Vocab("hello")
        >>> vocab.characters
        'ehlo'
        >>> vocab.decode(vocab.encode("hole")[0])
        'hole'
    """

    def __init__(self, characters: Iterable[str] = (), of_bytes: bool = False) -> None:
        self.of_bytes = of_bytes
        points = np.sort(code_points(characters if isinstance(characters, str) else "".join(characters)))
        distinct = points[np.diff(points, prepend=CODE_POINTS) != 0]  # np.unique takes twenty times as long
        self.characters = "" if of_bytes else distinct.tobytes().decode("utf-32-le", "surrogatepass")

    def __len__(self) -> int:
        return 256 if self.of_bytes else len(self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and (self.of_bytes, self.characters) == (other.of_bytes, other.characters)

    def __hash__(self) -> int:
        return hash((self.of_bytes, self.characters))

    def __repr__(self) -> str:
        return f"Vocab({'of_bytes=True' if self.of_bytes else repr(self.characters)})"

    @property
    def unit(self) -> str:
        """What one symbol is called in messages."""
        return "byte" if self.of_bytes else "character"

    @cached_property
    def _points(self) -> npt.NDArray[np.uint32]:
        return code_points(self.characters)

    @cached_property
    def _places(self) -> npt.NDArray[np.int32]:
        """The id of every code point; -1 for those outside the vocabulary."""
        table = np.full(CODE_POINTS, -1, np.int32)
        table[self._points] = np.arange(len(self), dtype=np.int32)
        return table

    def encode(
        self, text: str | bytes, unknown: str = "error", where: str = "the text", start: int = 0
    ) -> tuple[Ids, int]:
        """The ids of a text without its unknown characters, and the number of unknown characters.

        With `unknown="error"` an unknown character raises UnknownCharacterError, which names the character and its
        position in the text. `where` is the name of the text in that message, and `start` the position of its first
        character. With any other value unknown characters are left out.
        """
        if not isinstance(text, str | bytes):
            raise invalid(where, text, "a str or, for a model of bytes, bytes")
        if self.of_bytes:
            data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
            return np.frombuffer(data, np.uint8), 0
        if isinstance(text, bytes):
            raise OptionError(f"{where}: it is bytes, and this model reads characters; give a str")
        places = self._places[code_points(text)]
        known = places >= 0
        if not known.all():
            if unknown == "error":
                position = int(np.argmin(known))
                raise UnknownCharacterError(
                    f"{where}: {describe(text[position])} at position {start + position} is not one of the "
                    f"{len(self)} characters that this model knows; use --unknown skip to leave such characters out"
                )
            places = places[known]
        return places.astype(id_type(len(self))), len(known) - len(places)

    def known(self, text: str | bytes) -> npt.NDArray[np.bool_]:
        """Whether each character of a text is in the vocabulary, (len(text),)."""
        return np.ones(len(text), np.bool_) if isinstance(text, bytes) else self._places[code_points(text)] >= 0

    def decode(self, ids: Ids) -> str | bytes:
        """The text of these ids: `bytes` for a vocabulary of bytes, else `str`."""
        if self.of_bytes:
            return bytes(np.asarray(ids, np.uint8))
        return self._points[ids].tobytes().decode("utf-32-le", "surrogatepass")


def describe(character: str) -> str:
    """A character for a message: the character itself if it is printable, its code point and its Unicode name."""
    name = unicodedata.name(character, "no name")
    shown = f"{character!r} " if character.isprintable() else ""
    return f"{shown}(U+{ord(character):04X}, {name})"
