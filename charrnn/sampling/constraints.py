"""The constraints on a new record: small tests, each with the name of the fault it finds.

Their order does not matter, except that `not_repeated` comes last, since it remembers every record it has seen.
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
    """A test that a drawn record passes or fails; `fault` says in one or two words why a record fails."""

    fault: str
    passes: Callable[[DrawnRecord], bool]


def complete() -> Constraint:
    """Passes records that ended within the maximum length."""
    return Constraint("too long", lambda drawn: drawn.complete)


def at_least(characters: int) -> Constraint:
    """Passes records of at least so many characters, not counting the newline. Empty records always fail."""
    return Constraint("too short", lambda drawn: len(drawn.text) >= max(1, characters))


def matching(pattern: str, of_bytes: bool = False) -> Constraint:
    """Passes records that match the regular expression (Python's `re`) as a whole.

    Raises OptionError if the pattern is not a regular expression.
    """
    try:
        if of_bytes:
            match_bytes = re.compile(pattern.encode("utf-8", "surrogateescape")).fullmatch
            return Constraint("no match", lambda drawn: match_bytes(drawn.text) is not None)  # type: ignore[arg-type]
        match = re.compile(pattern).fullmatch
        return Constraint("no match", lambda drawn: match(drawn.text) is not None)  # type: ignore[arg-type]
    except (re.error, OverflowError, RecursionError) as error:
        raise OptionError(f"match: {pattern!r} is not a regular expression ({error}); correct the pattern") from None


def not_among(training_hashes: Hashes) -> Constraint:
    """Passes records that are not in the training set, given its hashes, sorted.

    A record of the training set never passes. A new one fails with probability len(training_hashes) / 2^32.
    """

    def passes(drawn: DrawnRecord) -> bool:
        place = int(np.searchsorted(training_hashes, np.uint32(drawn.hash)))
        return place == len(training_hashes) or int(training_hashes[place]) != drawn.hash

    return Constraint("not novel", passes)


def not_repeated() -> Constraint:
    """Passes records that this test has not seen before."""
    seen: set[str | bytes] = set()

    def passes(drawn: DrawnRecord) -> bool:
        before = len(seen)
        seen.add(drawn.text)
        return len(seen) > before

    return Constraint("repeated", passes)


def first_violation(drawn: DrawnRecord, constraints: Sequence[Constraint]) -> str | None:
    """The fault of the first constraint that the record fails; None if it passes all of them."""
    return next((constraint.fault for constraint in constraints if not constraint.passes(drawn)), None)
