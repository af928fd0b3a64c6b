"""Characters <-> ids."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, UnknownCharacterError

Ids = npt.NDArray[Any]  # of the smallest unsigned type that holds every id

UNKNOWN_POLICIES = ("error", "skip", "uniform")
CODE_POINTS = 0x110000


def id_type(V: int) -> type[np.unsignedinteger[Any]]:
    """The smallest unsigned type for ids below V."""
    return np.uint8 if V <= 1 << 8 else np.uint16 if V <= 1 << 16 else np.uint32


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The Unicode code points of a text; a lone surrogate (an undecodable byte of a command line) stays one."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


class Vocab:
    """The characters a model knows; a character's id is its place among them.

    Characters are Unicode code points in ascending order or, in a vocabulary `of_bytes`, all 256 bytes. A text is then
    a `str` or a `bytes`.
    """

    def __init__(self, characters: Iterable[str] = (), of_bytes: bool = False) -> None:
        self.of_bytes = of_bytes
        points = np.sort(code_points(characters if isinstance(characters, str) else "".join(characters)))
        distinct = points[np.diff(points, prepend=CODE_POINTS) != 0]  # np.unique is twenty times as slow
        self.characters = "" if of_bytes else distinct.tobytes().decode("utf-32-le", "surrogatepass")

    def __len__(self) -> int:
        return 256 if self.of_bytes else len(self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and (self.of_bytes, self.characters) == (other.of_bytes, other.characters)

    def __hash__(self) -> int:
        return hash((self.of_bytes, self.characters))

    @property
    def unit(self) -> str:
        """What one symbol is called."""
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
        """The ids of a text, without its unknown characters, and how many of those there were.

        `unknown`: "error" raises UnknownCharacterError, which names the first one and its position (counted from
        `start`) in `where`; anything else leaves them out.
        """
        if self.of_bytes:
            data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
            return np.frombuffer(data, np.uint8), 0
        if isinstance(text, bytes):
            raise OptionError("this model reads characters, not bytes: give it a str")
        places = self._places[code_points(text)]
        known = places >= 0
        if not known.all():
            if unknown == "error":
                position = int(np.argmin(known))
                raise UnknownCharacterError(
                    f"{describe(text[position])} at position {start + position} of {where} is not among the "
                    f"{len(self)} characters this model knows; to leave such characters out, use --unknown skip"
                )
            places = places[known]
        return places.astype(id_type(len(self))), len(known) - len(places)

    def known(self, text: str | bytes) -> npt.NDArray[np.bool_]:
        """Whether each character of a text is in the vocabulary."""
        return np.ones(len(text), np.bool_) if isinstance(text, bytes) else self._places[code_points(text)] >= 0

    def decode(self, ids: Ids) -> str | bytes:
        """The text whose ids these are: `bytes` for a vocabulary of bytes, else `str`."""
        if self.of_bytes:
            return bytes(np.asarray(ids, np.uint8))
        return self._points[ids].tobytes().decode("utf-32-le", "surrogatepass")


def describe(character: str) -> str:
    """A character as a person can find it: itself if it can be shown, its code point and its name."""
    name = unicodedata.name(character, "no name")
    shown = f"{character!r} " if character.isprintable() else ""
    return f"{shown}(U+{ord(character):04X}, {name})"
