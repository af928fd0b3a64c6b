"""Dataclasses from JSON, with the type of every field checked."""

from __future__ import annotations

from dataclasses import MISSING, fields
from reprlib import repr as short
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def from_json(kind: type[Record], value: Any) -> Record:
    """A dataclass from a JSON object. Raises ValueError for a field that is missing or has the wrong type.

    A field with a default may be missing, since an older version may not have known it. Keys that are no fields are
    ignored, since they may be fields of a later version.
    """
    if not isinstance(value, dict):
        raise ValueError(f"its {kind.__name__} is not a JSON object")
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in value:
            if field.default is MISSING and field.default_factory is MISSING:
                raise ValueError(f"its {kind.__name__} has no {field.name}")
            continue
        if not has_type(value[field.name], hints[field.name]):
            raise ValueError(f"its {field.name} is {short(value[field.name])}")
        values[field.name] = _convert(value[field.name], hints[field.name])
    return kind(**values)


def has_type(value: Any, hint: Any) -> bool:
    """Does a JSON value have this type? A list counts as a tuple, a whole number as a float; floats must be finite."""
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


def _convert(value: Any, hint: Any) -> Any:
    """A checked JSON value, converted to the type: lists to tuples, whole numbers to floats."""
    if isinstance(hint, UnionType):
        return _convert(value, next(option for option in get_args(hint) if has_type(value, option)))
    if get_origin(hint) is tuple:
        return tuple(value)
    if get_origin(hint) is list:
        return [_convert(item, get_args(hint)[0]) for item in value]
    return float(value) if hint is float else value
