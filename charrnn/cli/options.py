"""Options and option types that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_CHECKPOINT = "charrnn.npz"


class Number(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of Click only
    """A finite float or a whole number in a range. Unlike Click's own ranges it is not shown in the help."""

    name = "number"

    def __init__(self, bounds: click.FloatRange | click.IntRange) -> None:
        self.bounds = bounds
        bounds.name = "whole number" if isinstance(bounds, click.IntRange) else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = self.bounds.convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def real(lowest: float, highest: float | None = None, *, above: bool = False, below: bool = False) -> Number:
    """A float from `lowest` (or above it) to `highest` (or below it)."""
    return Number(click.FloatRange(lowest, highest, min_open=above, max_open=below))


def whole(lowest: int, highest: int = 10**12) -> Number:
    """A whole number from `lowest` to `highest`."""
    return Number(click.IntRange(lowest, highest))


SEED = whole(0, 2**63 - 1)


def checkpoint_option(command: Command) -> Command:
    return click.option(
        "-c",
        "--checkpoint",
        metavar="FILE",
        default=DEFAULT_CHECKPOINT,
        show_default=True,
        help="The checkpoint file of the model.",
    )(command)


def weights_option(command: Command) -> Command:
    return click.option(
        "--weights",
        type=click.Choice(["best", "last"]),
        help="The weights with the best validation loss, or the latest.  [default: best if there was a validation]",
    )(command)


def threads_option(command: Command) -> Command:
    return click.option(
        "--threads",
        type=whole(1, 1024),
        metavar="N",
        help="Number of threads.  [default: the physical cores available]",
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def checkpoint_arguments(checkpoint: str) -> list[str]:
    """The option that names a checkpoint in a command; empty for the default checkpoint."""
    return [] if checkpoint == DEFAULT_CHECKPOINT else ["-c", checkpoint]


def flag(name: str) -> str:
    """The option of a parameter, as typed: `flag("batch_size")` is "--batch-size"."""
    return "--" + name.removeprefix("as_").replace("_", "-")
