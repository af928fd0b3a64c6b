"""What may be asked of a drawn record: small tests, each with a name, that a record passes or not.

The order does not matter but for `unlike_others`, which comes last, since it remembers what it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import OptionError
from ..text.records import Hashes
from .record_stream import DrawnRecord


class Constraint(NamedTuple):
    """A test that a drawn record passes or not, and in one or two words what is wrong with one that does not."""

    fault: str
    passes: Callable[[DrawnRecord], bool]


def complete() -> Constraint:
    """Has it ended within the greatest length?"""
    return Constraint("too long", lambda drawn: drawn.complete)


def at_least(characters: int) -> Constraint:
    """Has it so many characters, the newline not counted? One with none is no record."""
    return Constraint("too short", lambda drawn: len(drawn.text) >= max(1, characters))


def matching(pattern: str, of_bytes: bool = False) -> Constraint:
    """Does the whole of it match the regular expression (of Python's `re`)? Raises OptionError for one that is none."""
    try:
        if of_bytes:
            fits_bytes = re.compile(pattern.encode("utf-8", "surrogateescape")).fullmatch
            return Constraint("no match", lambda drawn: fits_bytes(drawn.text) is not None)  # type: ignore[arg-type]
        fits = re.compile(pattern).fullmatch
        return Constraint("no match", lambda drawn: fits(drawn.text) is not None)  # type: ignore[arg-type]
    except (re.error, OverflowError, RecursionError) as error:
        raise OptionError(f"{pattern!r} is not a regular expression: {error}") from None


def not_among(known: Hashes) -> Constraint:
    """Is it not among the training records, of which these are the hashes, sorted?

    One that is among them never passes. One that is not fails with a chance of len(known) / 2^32.
    """

    def passes(drawn: DrawnRecord) -> bool:
        place = int(np.searchsorted(known, np.uint32(drawn.hash)))
        return place == len(known) or int(known[place]) != drawn.hash

    return Constraint("not novel", passes)


def unlike_others() -> Constraint:
    """Has it not been seen by this test before?"""
    seen: set[str | bytes] = set()

    def passes(drawn: DrawnRecord) -> bool:
        before = len(seen)
        seen.add(drawn.text)
        return len(seen) > before

    return Constraint("repeated", passes)


def first_violation(drawn: DrawnRecord, demands: Sequence[Constraint]) -> str | None:
    """The fault by the first demand that the record does not pass; None if it passes them all."""
    return next((demand.fault for demand in demands if not demand.passes(drawn)), None)
