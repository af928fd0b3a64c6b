"""charrnn sample with a model of records: the options that only such a model has, and one record a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .options import Command, whole, words
from .output import harmless, write

if TYPE_CHECKING:
    from ..language_model import LanguageModel
    from ..record_drawing import Drawn

SHOWN, SHOWN_LENGTH = 5, 80  # records and their characters, at a validation
MAX_LENGTH = 1000  # that of record_sampling, which would import NumPy
OPTIONS = {
    "prefix": click.option("--prefix", metavar="TEXT", help="Records: all begin with this."),
    "match": click.option("--match", metavar="REGEX", help="Records: the whole of each matches this (Python's re)."),
    "min_length": click.option(
        "--min-length", type=whole(1), metavar="N", help="Records: the fewest characters.  [default: 1]"
    ),
    "max_length": click.option(
        "--max-length",
        type=whole(1, 10**5),
        metavar="N",
        help=f"Records: the most characters; one that grows longer is thrown away.  [default: {MAX_LENGTH}]",
    ),
    "unique": click.option("--unique", is_flag=True, help="Records: no two are alike."),
    "novel": click.option(
        "--novel",
        is_flag=True,
        help="Records: none is a line that the model learnt from; held-out lines may be. The checkpoint keeps 32 bits "
        "of each: none slips through, and of new ones one in 4,300 is refused where a million are kept.",
    ),
    "scores": click.option(
        "--scores", is_flag=True, help="Records: behind each a tab and its bits, those of its end included."
    ),
}
FOR_TEXTS = {  # what only texts have a use for, and what to say instead
    "length": "--max-length",
    "prime": "--prefix",
    "prime_file": "--prefix",
    "no_echo": None,
    "stop": None,
    "null": None,
}


def record_options(command: Command) -> Command:
    for option in reversed(OPTIONS.values()):
        command = option(command)
    return command


def check_options(ctx: click.Context, lines: bool) -> None:
    """Raises UsageError for an option that was given and that a model of this kind has no use for."""
    given = {name for name in ctx.params if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    if not lines:
        for name in OPTIONS:
            if name in given:
                raise click.UsageError(f"{words(name)} is for models of records (train --lines); this is one of texts.")
        return
    for name, instead in FOR_TEXTS.items():
        if name in given:
            hint = f"; use {instead}" if instead else ""
            raise click.UsageError(f"{words(name)} is for models of texts, and this one writes records{hint}.")


def begin_records(
    model: LanguageModel, n: int, unknown: str, chosen: Mapping[str, Any], sampling: Mapping[str, Any]
) -> Callable[[], None]:
    """What writes n records to standard output, one a line, after everything has been checked.

    If some that were drawn had to be refused, it tells on standard error how many.
    """
    from ..record_sampling import Tally, new_records

    prefix, _ = model.vocab.encode(chosen["prefix"] or "", unknown, "the prefix")
    shortest, longest = chosen["min_length"] or 1, chosen["max_length"] or MAX_LENGTH
    if model.start in prefix:
        raise click.UsageError("--prefix has a newline in it, and that ends a record.")
    if max(shortest, len(prefix)) > longest:
        what = "--min-length" if shortest > longest else "the length of --prefix"
        raise click.UsageError(f"{what} is more than --max-length, which is {longest}.")
    filters = {name: chosen[name] for name in ("match", "novel", "unique")}
    tally = Tally()
    lists = new_records(model, n, prefix, shortest, longest, tally=tally, **filters, **sampling)

    def write_records() -> None:
        for records in lists:
            lines: list[Any] = [_line(drawn, chosen["scores"]) for drawn in records]
            write(lines[0][:0].join(lines))
        if tally.refused:
            click.echo(str(tally), err=True)

    return write_records


def _line(drawn: Drawn, scored: bool) -> str | bytes:
    """A record as a line of output, `str` or `bytes` as it is itself."""
    rest = f"\t{drawn.bits:.4f}\n" if scored else "\n"
    return drawn.text + rest if isinstance(drawn.text, str) else drawn.text + rest.encode()


def glimpse(model: LanguageModel, temperature: float, seed: int) -> str:
    """A few new records, one a line, whether they come to their end or not: quick even where none does."""
    from ..record_drawing import draw_records

    records = draw_records(model, model.vocab.encode("")[0], SHOWN_LENGTH, temperature, seed=seed, streams=SHOWN)
    return "\n".join(harmless(drawn.text) for drawn in islice(chain.from_iterable(records), SHOWN))
