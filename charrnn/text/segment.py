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
LAST_SPACE = 0x3000  # the highest code point that is white space


def check_unit(unit: str) -> str:
    if unit not in UNITS:
        raise OptionError(f"per: {unit!r} is not a unit; use one of {', '.join(UNITS)}")
    return unit


def ends(text: str | bytes, unit: str, after_space: bool) -> npt.NDArray[np.intp]:
    """The indices just after the last character of each character, word or line that ends in `text`, ascending.

    A line ends after its newline. A word is the white space before it and everything up to the next white space, so
    every character belongs to exactly one word. White space is what `str.isspace` and `bytes.isspace` say it is.
    `text` may be a part of a longer one. `after_space` is true if the part before it ended in white space, or if there
    was none; otherwise a word may end at index 0.
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
    """Whether each byte, or each code point up to LAST_SPACE + 1, is white space."""
    if of_bytes:
        return np.array([bytes([byte]).isspace() for byte in range(256)])
    return np.array([chr(point).isspace() for point in range(LAST_SPACE + 2)])
