"""charrnn sample with a model of records: the options that only such a model has, and one record a line."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..help_sections import options_under
from ..options import Command, whole, words
from ..output import as_text, strip_control, write
from .options import resolve_seed

if TYPE_CHECKING:
    from ...language_model import LanguageModel
    from ...sampling.record_stream import DrawnRecord

SHOWN, SHOWN_LENGTH = 5, 80  # records and their characters, at a validation
MAX_LENGTH = 1000  # that of sampling.records, which would import NumPy
record = options_under("Records (models of train --lines)")
OPTIONS = {
    "prefix": record("--prefix", metavar="TEXT", help="All begin with this."),
    "match": record("--match", metavar="REGEX", help="The whole of each matches this (Python's re)."),
    "max_length": record(
        "--max-length",
        type=whole(1, 10**5),
        metavar="N",
        help=f"The most characters; one that grows longer is thrown away.  [default: {MAX_LENGTH}]",
    ),
    "unique": record("--unique", is_flag=True, help="No two are alike."),
    "novel": record(
        "--novel",
        is_flag=True,
        help="None is a line of the text that the model learnt from (of that of an --init-from before it they may be); "
        "held-out lines may be. The checkpoint keeps 32 bits of each: none slips through, and of new ones one in 4,300 "
        "is refused where a million are kept.",
    ),
    "scores": record("--scores", is_flag=True, help="Behind each a tab and its bits, those of its end included."),
}
FOR_TEXTS = {  # what only texts have a use for, and what to say instead
    "length": "--max-length",
    "prime": "--prefix",
    "prime_file": "--prefix",
    "no_echo": None,
    "stop": "--match",
    "no_repeat": None,
    "null": None,
    "interactive": None,
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


def write_records(
    model: LanguageModel,
    encoding: str,
    *,
    prefix: str | None,
    unknown: str,
    num_samples: int,
    check: tuple[str, ...],
    as_json: bool,
    seed: int | None,
    min_length: int,
    max_length: int | None,
    ban: str,
    allow: str | None,
    top_k: int | None,
    temperature: float,
    top_p: float,
    scores: bool,
    match: str | None,
    novel: bool,
    unique: bool,
    **of_texts: Any,
) -> None:
    """Draw and write what the options of `charrnn sample` say; they are those of its help.

    If some records that were drawn had to be refused, it tells on standard error how many.
    """
    from ...sampling.constraints import matching
    from ...sampling.records import Tally, TooFewError, new_records
    from ...sampling.text import forbidden_characters
    from .overlap_report import finish

    prefix_ids, _ = model.vocab.encode(prefix or "", unknown, "the prefix")
    shortest, longest = max(1, min_length), max_length or MAX_LENGTH
    if model.bos_id in prefix_ids:
        raise click.UsageError("--prefix has a newline in it, and that ends a record.")
    if max(shortest, len(prefix_ids)) > longest:
        what = "--min-length" if shortest > longest else "the length of --prefix"
        raise click.UsageError(f"{what} is more than --max-length, which is {longest}.")
    forbidden = forbidden_characters(model.vocab, ban, allow, model.bos_id)
    if match is not None:
        matching(match, model.vocab.of_bytes)  # what is no regular expression is told before a seed is
    seed, tally = resolve_seed(seed), Tally()
    kept: list[DrawnRecord] = []
    lists = new_records(
        model,
        num_samples,
        prefix_ids,
        shortest,
        longest,
        match,
        novel,
        unique,
        temperature,
        top_k or 0,
        top_p,
        forbidden,
        seed,
        tally,
    )
    ended: TooFewError | SystemExit | None = None
    try:
        for records in lists:
            if not as_json:
                lines: list[Any] = [_line(drawn, scores) for drawn in records]
                write(lines[0][:0].join(lines))
            if as_json or check:
                kept += records
    except (TooFewError, SystemExit) as error:  # which has to wait for what there is to be told; the latter is Ctrl-C
        ended = error
    if isinstance(ended, SystemExit):
        check = ()
    elif tally.refused and not ended:  # else the error has the tally in it
        click.echo(str(tally), err=True)
    answer = None
    if as_json:
        drawn_records = [{"text": as_text(drawn.text), "bits": drawn.bits} for drawn in kept]
        answer = {"seed": seed, "prefix": as_text(model.vocab.decode(prefix_ids)), "records": drawn_records}
    finish(answer, [drawn.text[len(prefix_ids) :] for drawn in kept], check, encoding, model.vocab.unit)
    if ended:
        raise ended


def _line(drawn: DrawnRecord, scored: bool) -> str | bytes:
    """A record as a line of output, `str` or `bytes` as it is itself."""
    rest = f"\t{drawn.bits:.4f}\n" if scored else "\n"
    return drawn.text + rest if isinstance(drawn.text, str) else drawn.text + rest.encode()


def preview_records(model: LanguageModel, temperature: float, seed: int) -> str:
    """A few new records, one a line, whether they come to their end or not: quick even where none does."""
    from ...sampling.record_stream import draw_records

    records = draw_records(model, model.vocab.encode("")[0], SHOWN_LENGTH, temperature, seed=seed, streams=SHOWN)
    return "\n".join(strip_control(drawn.text) for drawn in islice(chain.from_iterable(records), SHOWN))
