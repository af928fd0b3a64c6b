"""The JSON of a checkpoint: ASCII, in bounded memory, and without what JSON allows and no two programs read alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import CheckpointError

MOST_BYTES = 1 << 24  # a vocabulary of every character there is takes 13 million
MOST_VALUES = 500_000  # lists and numbers, which take 50 MB at worst
MOST_DIGITS = 20  # of a whole number


def dump(metadata: Mapping[str, Any]) -> bytes:
    """Metadata as JSON. Raises ValueError for what JSON has no word for, CheckpointError for what `parse` would refuse.

    So nothing is ever written that cannot be read.
    """
    text = json.dumps(metadata, allow_nan=False, separators=(",", ":"))
    if len(text) > MOST_BYTES or _values(text) > MOST_VALUES:
        raise CheckpointError(f"the names, commands and validations of this run are too many ({len(text):,} bytes)")
    return text.encode("ascii")


def parse(data: bytes) -> dict[str, Any]:
    """The metadata that `dump` wrote. Raises ValueError, or RecursionError for what is nested too deep.

    They are one object in ASCII, of at most MOST_BYTES bytes and MOST_VALUES values, without NaN and Infinity, whole
    numbers longer than MOST_DIGITS, and objects with a key twice.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes of metadata are too many")
    text = data.decode("ascii")
    if _values(text) > MOST_VALUES:
        raise ValueError("metadata of too many values")
    metadata = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole)
    if not isinstance(metadata, dict):
        raise ValueError("the metadata are no object")
    return metadata


def _values(text: str) -> int:
    """At least how many values there are, found without making one of them."""
    return sum(map(text.count, ",[{"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits")
    return int(digits)
