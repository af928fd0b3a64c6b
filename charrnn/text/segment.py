"""Where the characters, words and lines of a text end."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OptionError
from .vocab import code_points

UNITS = ("char", "word", "line")
NEWLINE = 10
LAST_SPACE = 0x3000  # no code point after it is white space


def check_unit(unit: str) -> str:
    if unit not in UNITS:
        raise OptionError(f"there is no unit {unit!r}; it must be one of {', '.join(UNITS)}")
    return unit


def ends(text: str | bytes, unit: str, after_space: bool) -> npt.NDArray[np.intp]:
    """The places in a text, or a part of one, before which a character, word or line ends, in ascending order.

    A line ends with its newline. A word is the white space before it and what follows up to the next white space, so
    that every character belongs to exactly one; what is white space is said by `str.isspace` and `bytes.isspace`.
    `after_space`: did the part before end in white space, or was there none? If not, a word may end before the first
    character of this one.
    """
    points: npt.NDArray[Any] = np.frombuffer(text, np.uint8) if isinstance(text, bytes) else code_points(text)
    if unit == "char":
        return np.arange(1, len(points) + 1)
    if unit == "line":
        return np.flatnonzero(points == NEWLINE) + 1
    space = spaces(isinstance(text, bytes))[points.clip(max=LAST_SPACE + 1)]
    return np.flatnonzero(space & ~np.append(after_space, space[:-1]))


@lru_cache
def spaces(of_bytes: bool) -> npt.NDArray[np.bool_]:
    """Whether each byte is white space, or each code point up to the one after LAST_SPACE."""
    if of_bytes:
        return np.array([bytes([byte]).isspace() for byte in range(256)])
    return np.array([chr(point).isspace() for point in range(LAST_SPACE + 2)])
