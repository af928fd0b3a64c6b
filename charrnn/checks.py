"""Checks of single arguments. Each raises OptionError, in one line: `name: value is not valid; give what is`.

Scalars of NumPy are accepted and turned into Python's, so that they can be saved. Imports no NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from numbers import Integral, Real
from os import PathLike
from typing import Any, TypeVar

from .errors import OptionError

Kind = TypeVar("Kind")

SHOWN = 60  # characters of a value
MOST = 10**15  # more than any count of steps, characters or seconds


def invalid(name: str, value: object, wanted: str) -> OptionError:
    """The error for a value that is not valid."""
    shown = " ".join(repr(value).split())  # arrays take several lines
    shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + " ..."
    return OptionError(f"{name}: {shown} is not valid; give {wanted}")


def whole(name: str, value: Any, lowest: int = 1, highest: float = MOST) -> int:
    """The value as an `int`, if it is a whole number in this range; booleans are not."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < lowest:
        raise invalid(name, value, f"a whole number, {lowest} or more")
    if int(value) > highest:
        raise invalid(name, value, f"a whole number, {highest:,} or less")
    return int(value)


def real(name: str, value: Any, below: float = inf, highest: float | None = None) -> float:
    """The value as a `float`, if it is a number from 0 to `highest` or, if that is None, from 0 to below `below`.

    Booleans and NaN are not valid.
    """
    limit = f"below {below:g}" if highest is None else f"{highest:g}"
    wanted = "a number, 0 or more" if limit.endswith("inf") else f"a number from 0 to {limit}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise invalid(name, value, wanted)
    try:
        number = float(value)
    except OverflowError:  # a whole number that is too large
        raise invalid(name, value, "a number that fits in a float") from None
    if not (0 <= number < below if highest is None else 0 <= number <= highest):
        raise invalid(name, value, wanted)
    return number


def instance(name: str, value: Any, kind: type[Kind], wanted: str) -> Kind:
    """The value, if it is of this type."""
    if not isinstance(value, kind):
        raise invalid(name, value, wanted)
    return value


def file_name(name: str, value: Any) -> str | PathLike[str]:
    """The value, if it can be the name of a file."""
    if not isinstance(value, str | PathLike):
        raise invalid(name, value, "a file name")
    return value


def switch(name: str, value: Any) -> bool:
    """The value as a `bool`, if it is one."""
    if type(value).__name__ not in ("bool", "bool_"):  # the latter is NumPy's
        raise invalid(name, value, "True or False")
    return bool(value)


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """The value, if it is one of these strings."""
    if not (isinstance(value, str) and value in choices):
        raise invalid(name, value, f"one of {', '.join(choices)}")
    return value
