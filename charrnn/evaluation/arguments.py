"""Checks of the arguments that `evaluate`, `score` and `copied` take. Each raises OptionError, in one line."""

from __future__ import annotations

from operator import index
from typing import Any

from ..errors import OptionError
from ..language_model import LanguageModel
from ..text.vocab import UNKNOWN_POLICIES


def check_model(model: Any, name: str = "model") -> None:
    """The model must be a LanguageModel: that of a Run is run.model()."""
    if not isinstance(model, LanguageModel):
        kind = type(model).__name__
        raise OptionError(f"{name}: a {kind} is not a LanguageModel; use charrnn.load_model(...) or run.model()")


def check_count(value: Any, name: str) -> int:
    """A whole number, 1 or more, also one of NumPy's, as an int."""
    try:
        count = index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise OptionError(f"{name}: {value!r} is not a whole number above 0; give 1 or more")
    return count


def check_unknown(unknown: Any) -> None:
    """`unknown` must be one of the policies for unknown characters."""
    if unknown not in UNKNOWN_POLICIES:
        raise OptionError(f"unknown: there is no policy {unknown!r}; give one of {', '.join(UNKNOWN_POLICIES)}")
