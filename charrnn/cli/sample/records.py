"""charrnn sample with a model of records: the options that only such a model has, and one record a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ...errors import TooFewError
from ...sampling import MAX_LENGTH
from ..help_sections import options_under
from ..options import Command, flag, whole
from ..output import as_text, write

if TYPE_CHECKING:
    from ...language_model import LanguageModel
    from ...sampling.record_stream import DrawnRecord
    from .sample_options import SampleOptions

record = options_under("Records (models of train --lines)")
OPTIONS = {
    "prefix": record("--prefix", metavar="TEXT", help="Start every record with TEXT."),
    "match": record("--match", metavar="REGEX", help="Keep records that match REGEX (Python's re) as a whole."),
    "max_length": record(
        "--max-length",
        type=whole(1, 10**5),
        metavar="N",
        help=f"Discard records of more than N characters.  [default: {MAX_LENGTH}]",
    ),
    "unique": record("--unique", is_flag=True, help="Discard records that were already written."),
    "novel": record(
        "--novel",
        is_flag=True,
        help="Discard records that are in the training set. Held-out records, and those that only a model named by "
        "--init-from was trained on, are not discarded. The checkpoint keeps 32 bits per training record, so one new "
        "record in 4,300 is discarded by mistake when it keeps a million.",
    ),
    "scores": record("--scores", is_flag=True, help="Append a tab and the record's bits, including those of its end."),
}
TEXT_OPTIONS = {  # options that only models of texts have, and what to use for records instead
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


def check_options(ctx: click.Context, records: bool) -> None:
    """Raises UsageError for an explicit option that a model of this kind does not have."""
    explicit = {name for name in ctx.params if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    if not records:
        for name in OPTIONS:
            if name in explicit:
                raise click.UsageError(
                    f"{flag(name)} is for models of records (train --lines); this model writes texts."
                )
        return
    for name, instead in TEXT_OPTIONS.items():
        if name in explicit:
            hint = f"; use {instead}" if instead else ""
            raise click.UsageError(f"{flag(name)} is for models of texts, and this model writes records{hint}.")


def write_records(model: LanguageModel, encoding: str, options: SampleOptions) -> None:
    """Draw records and write them, as the options say.

    If some of the records drawn were refused, a line on standard error says how many and why.
    """
    from ...sampling.records import Tally, new_records
    from .overlap_report import finish

    prefix_ids, _ = model.vocab.encode(options.prefix or "", options.unknown, "the prefix")
    if model.bos_id in prefix_ids:
        raise click.UsageError("--prefix has a newline in it, which ends a record; leave the newline out.")
    prefix = model.vocab.decode(prefix_ids)
    params, tally = options.params_for_records(), Tally()
    drawn = new_records(model, options.num_samples, options.constraints(prefix), params, tally)
    options.show_seed(params)
    kept: list[DrawnRecord] = []
    check = options.check
    ended: TooFewError | SystemExit | None = None
    try:
        for records in drawn:
            if not options.as_json:
                lines: list[Any] = [_line(record, options.scores) for record in records]
                write(lines[0][:0].join(lines))
            if options.as_json or check:
                kept += records
    except (TooFewError, SystemExit) as error:  # raised again after the report; SystemExit comes from Ctrl-C
        ended = error
    if isinstance(ended, SystemExit):
        check = ()
    elif tally.refused and not ended:  # TooFewError has the tally in its message
        click.echo(str(tally), err=True)
    answer = None
    if options.as_json:
        rows = [{"text": as_text(record.text), "bits": record.bits} for record in kept]
        answer = {"seed": params.seed, "prefix": as_text(prefix), "records": rows}
    finish(answer, [record.text[len(prefix) :] for record in kept], check, encoding, model.vocab.unit)
    if ended:
        raise ended


def _line(record: DrawnRecord, scores: bool) -> str | bytes:
    """A record as a line of output; it is `str` or `bytes` as the record is."""
    rest = f"\t{record.bits:.4f}\n" if scores else "\n"
    return record.text + rest if isinstance(record.text, str) else record.text + rest.encode()
