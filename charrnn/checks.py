"""Checks of single values, with one message for each kind of fault: `what: value is not possible; what to give`."""

from __future__ import annotations

from math import inf
from numbers import Real
from operator import index
from reprlib import repr as short
from typing import Any

from .errors import OptionError


def whole(name: str, value: Any, lowest: int = 1, highest: int = 10**15 - 1) -> int:
    """A value as a whole number in a range. Integers of NumPy are accepted; booleans and floats are not."""
    try:
        number = None if type(value) is bool else index(value)
    except TypeError:
        number = None
    if number is None or not lowest <= number <= highest:
        bounds = f"of {lowest} or more" if highest >= 10**12 else f"from {lowest} to {highest:,}"
        raise OptionError(f"{name}: {short(value)} is not possible; give a whole number {bounds}")
    return number


def real(name: str, value: Any, lowest: float = 0.0, below: float = inf) -> float:
    """A value as a float that is at least `lowest` and below `below`, which also excludes NaN and infinity."""
    number = float(value) if isinstance(value, Real) and value is not True and value is not False else None
    if number is None or not lowest <= number < below:
        bounds = f"{lowest:g} or more" if below == inf else f"from {lowest:g} to below {below:g}"
        raise OptionError(f"{name}: {short(value)} is not possible; give a number, {bounds}")
    return number


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """A value that is one of some strings."""
    if not (isinstance(value, str) and value in choices):
        raise OptionError(f"{name}: {short(value)} is not possible; give {' or '.join(map(repr, choices))}")
    return value
