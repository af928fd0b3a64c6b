"""Help text with options under headings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from .options import Command


class _Option(click.Option):
    def __init__(self, *args: Any, section: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section = section


def options_under(section: str) -> Callable[..., Callable[[Command], Command]]:
    """Like `click.option`, for an option that the help lists under this heading."""
    return partial(click.option, cls=_Option, section=section)


class Sectioned(click.Command):
    """A command whose help lists options under headings, in order of appearance; the others come last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in sorted(self.get_params(ctx), key=lambda option: not isinstance(option, _Option)):
            record = option.get_help_record(ctx)
            if record:
                sections.setdefault(getattr(option, "section", "Options"), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)
