"""Dataclasses from JSON, the type of every field checked."""

from __future__ import annotations

from dataclasses import MISSING, fields
from reprlib import repr as short
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def from_json(kind: type[Record], value: Any) -> Record:
    """A dataclass from a JSON object. Raises ValueError for a field that is missing, or not of its type.

    A field with a default may be missing, as one is that an older version did not know; what the class does not know,
    as a field of a later version, is left out.
    """
    if not isinstance(value, dict):
        raise ValueError(f"its {kind.__name__} is no object")
    hints = get_type_hints(kind)
    known = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in value:
            if field.default is MISSING and field.default_factory is MISSING:
                raise ValueError(f"its {kind.__name__} lacks {field.name}")
            continue
        if not has_type(value[field.name], hints[field.name]):
            raise ValueError(f"its {field.name} is {short(value[field.name])}")
        known[field.name] = _as(value[field.name], hints[field.name])
    return kind(**known)


def has_type(value: Any, hint: Any) -> bool:
    """Is a JSON value of this type? Lists stand for tuples, whole numbers for floats, and no float is infinite."""
    if isinstance(hint, UnionType):
        return any(has_type(value, option) for option in get_args(hint))
    if get_origin(hint) in (list, tuple):
        kinds = get_args(hint)
        if not isinstance(value, list):
            return False
        if len(kinds) == 1 or kinds[-1] is Ellipsis:
            return all(has_type(item, kinds[0]) for item in value)
        return len(value) == len(kinds) and all(map(has_type, value, kinds))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    return type(value) is hint


def _as(value: Any, hint: Any) -> Any:
    """A checked JSON value as the type says: lists that are tuples, whole numbers that are floats."""
    if isinstance(hint, UnionType):
        return _as(value, next(option for option in get_args(hint) if has_type(value, option)))
    if get_origin(hint) is tuple:
        return tuple(value)
    if get_origin(hint) is list:
        return [_as(item, get_args(hint)[0]) for item in value]
    return float(value) if hint is float else value
