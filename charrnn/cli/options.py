"""Options and kinds of values that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_CHECKPOINT = "charrnn.npz"
SEED = click.IntRange(0, 2**63 - 1)


class Number(click.FloatRange):
    """A float in a range, and never nan or infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def checkpoint_option(command: Command) -> Command:
    return click.option(
        "-c",
        "--checkpoint",
        metavar="FILE",
        default=DEFAULT_CHECKPOINT,
        show_default=True,
        help="The checkpoint that holds the model.",
    )(command)


def weights_option(command: Command) -> Command:
    return click.option(
        "--weights",
        type=click.Choice(["best", "last"]),
        help="Which weights: the best by validation or the last.  [default: best, or last if none was validated]",
    )(command)


def threads_option(command: Command) -> Command:
    return click.option(
        "--threads",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Threads to compute on.  [default: the physical cores this process may use]",
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def checkpoint_words(checkpoint: str) -> list[str]:
    """The words that name a checkpoint in a command; none for the default one."""
    return [] if checkpoint == DEFAULT_CHECKPOINT else ["-c", checkpoint]
