"""How to sample, as typed records: `SamplingParams` and, for models of records, `RecordConstraints`.

Both are checked once, when they are made, and cannot be changed afterwards. Like the command line, which builds them,
this module imports no NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import Any, TypeVar

from ..checks import invalid, real, switch, whole
from ..errors import OptionError
from . import MAX_LENGTH

Text = str | bytes


AnyParams = TypeVar("AnyParams", "SamplingParams", "RecordConstraints")


@dataclass(frozen=True, kw_only=True)
class SamplingParams:
    """How the next character is drawn, and where a text ends.

    `temperature`: divides the logits. 0 always takes the most likely character, 1 draws from the model's distribution;
        lower is safer and more repetitive, higher is wilder.
    `top_k`: draw from the k most likely characters only; 0 for all.
    `top_p`: then draw from the most likely characters that together have this probability; 1 for all.
    `ban`: characters that are never drawn.
    `allow`: the only characters that are drawn; None for all.
    `no_repeat`: discourage loops once this many characters repeat; 0 for never.
    `seed`: the same seed gives the same text.
    `length`: characters to draw.
    `stop`: end a text before the first of these strings: one string, several, or None.
    `min_length`: a stop string that begins before this many characters does not end the text.

    Records have an end of their own: for them use `RecordConstraints` instead of `length`, `stop` and `min_length`.
    Whole numbers and floats may be NumPy scalars. Raises OptionError for a value that is not valid.

    >>> params = SamplingParams(temperature=0.7, top_p=0.95, stop="THE END", seed=1)
    >>> params.stop
    ('THE END',)
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    ban: Text = ""
    allow: Text | None = None
    no_repeat: int = 0
    seed: int = 0
    length: int = 200
    stop: Text | Sequence[Text] | None = ()
    min_length: int = 0

    def __post_init__(self) -> None:
        _normalise(self, "temperature", real("temperature", self.temperature, highest=inf))
        _normalise(self, "top_p", real("top_p", self.top_p, highest=1))
        for name in ("top_k", "no_repeat", "length", "min_length"):
            _normalise(self, name, whole(name, getattr(self, name), 0))
        _normalise(self, "seed", whole("seed", self.seed, 0, inf))
        _check_text("ban", self.ban)
        _check_text("allow", self.allow, or_none=True)
        _normalise(self, "stop", _strings("stop", self.stop))


@dataclass(frozen=True, kw_only=True)
class RecordConstraints:
    """What every new record must satisfy.

    `prefix`: start every record with this text.
    `min_length`, `max_length`: characters of a record, the prefix included and the newline at its end not. An empty
        record is never drawn.
    `match`: a regular expression (Python's `re`) that the whole record must match; None for any record.
    `novel`: reject records that are in the training set.
    `unique`: reject records that have been drawn already.

    Whole numbers may be NumPy scalars. Raises OptionError for a value that is not valid; `match` is compiled later,
    since a model of bytes reads it as bytes.

    >>> constraints = RecordConstraints(prefix="mar", max_length=8, novel=True, unique=True)
    >>> constraints.min_length
    1
    """

    prefix: Text = ""
    min_length: int = 1
    max_length: int = MAX_LENGTH
    match: str | None = None
    novel: bool = False
    unique: bool = False

    def __post_init__(self) -> None:
        _normalise(self, "min_length", whole("min_length", self.min_length, 0))
        _normalise(self, "max_length", whole("max_length", self.max_length, 1))
        for name in ("novel", "unique"):
            _normalise(self, name, switch(name, getattr(self, name)))
        _check_text("prefix", self.prefix)
        if not isinstance(self.match, str | None):
            raise invalid("match", self.match, "a string")
        if self.min_length > self.max_length:
            raise OptionError(
                f"min_length: {self.min_length} is more than max_length, which is {self.max_length}; change one of them"
            )


def either(name: str, params: AnyParams | None, keywords: AnyParams) -> AnyParams:
    """`params`, or if that is None the same record made of a function's keywords.

    Raises OptionError if `params` is given and a keyword is not at its default.
    """
    if params is None:
        return keywords
    if not isinstance(params, type(keywords)):
        raise invalid(name, params, f"a {type(keywords).__name__}")
    extra = not_default(keywords)
    if extra:
        raise OptionError(f"{name}: {extra[0]} is given beside it; set {extra[0]} in {name}")
    return params


def not_default(params: SamplingParams | RecordConstraints) -> list[str]:
    """The names of the fields whose values are not their defaults."""
    return [field.name for field in fields(params) if getattr(params, field.name) != field.default]


def _normalise(params: Any, name: str, value: Any) -> None:
    object.__setattr__(params, name, value)  # a frozen dataclass has no other way


def _check_text(name: str, value: Any, or_none: bool = False) -> None:
    if not (isinstance(value, str | bytes) or (or_none and value is None)):
        raise invalid(name, value, "a string")


def _strings(name: str, value: Any) -> tuple[Text, ...]:
    try:
        strings = (value,) if isinstance(value, str | bytes) else () if value is None else tuple(value)
    except TypeError:
        raise invalid(name, value, "a string or several strings") from None
    if not all(isinstance(string, str | bytes) for string in strings):
        raise invalid(name, value, "a string or several strings")
    return strings
