"""The JSON of a checkpoint: ASCII, read in bounded memory, without what different programs read differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import CheckpointError

MAX_BYTES = 1 << 24  # a vocabulary of all characters of Unicode takes 13 million
MAX_VALUES = 500_000  # lists and numbers, which take 50 MB at worst
MAX_DIGITS = 20  # of a whole number


def dump(metadata: Mapping[str, Any]) -> bytes:
    """Metadata as JSON.

    Raises ValueError for values that JSON cannot express (NaN, infinity), and CheckpointError for metadata that `parse`
    would refuse as too large, so that nothing is written that cannot be read.
    """
    text = json.dumps(metadata, allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_BYTES or _count_values(text) > MAX_VALUES:
        raise CheckpointError(
            f"the names, commands and validations of this run are too many to be saved ({len(text):,} bytes)"
        )
    return text.encode("ascii")


def parse(data: bytes) -> dict[str, Any]:
    """The metadata that `dump` wrote.

    Raises ValueError unless it is one object in ASCII of at most MAX_BYTES bytes and MAX_VALUES values, without NaN,
    Infinity, whole numbers of more than MAX_DIGITS digits, and objects with a key twice. Raises RecursionError for an
    object that is nested too deeply.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"{len(data):,} bytes of metadata are too many")
    text = data.decode("ascii")
    if _count_values(text) > MAX_VALUES:
        raise ValueError("the metadata has too many values")
    metadata = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole_number)
    if not isinstance(metadata, dict):
        raise ValueError("the metadata is not a JSON object")
    return metadata


def _count_values(text: str) -> int:
    """A lower bound on the number of values, found before any of them is created."""
    return sum(map(text.count, ",[{"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits is too long")
    return int(digits)
