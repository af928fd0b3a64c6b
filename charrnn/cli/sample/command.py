"""The command `charrnn sample`."""

from __future__ import annotations

from typing import Any

import click

from ..help_sections import Sectioned, options_under
from ..options import checkpoint_option, json_option, weights_option, whole
from .options import drawing_options
from .records import check_options, record_options

begin, output = options_under("Where to begin"), options_under("What to print")


@click.command("sample", cls=Sectioned, short_help="Write text like the text the model was trained on.")
@begin("--prime", metavar="TEXT", help="Text to continue.")
@begin("--prime-file", metavar="FILE", help="File with the text to continue; - is standard input.")
@begin(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="How to treat characters of the prime or prefix that the model does not know.",
)
@begin(
    "--interactive",
    is_flag=True,
    help="Continue each line that you type, or each line of a pipe. Characters that the model does not know are left "
    "out.",
)
@drawing_options
@output(
    "-n",
    "--num-samples",
    type=whole(1, 10**9),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of samples, separated by an empty line. Records are written one per line.",
)
@output("-0", "--null", is_flag=True, help="Separate samples by a NUL character instead of an empty line.")
@output("--no-echo", is_flag=True, help="Do not print the prime.")
@output(
    "--check",
    multiple=True,
    metavar="CORPUS",
    help="Report on stderr how much was copied from this text: the longest passage copied verbatim, and the share of "
    "8-grams and of 32-grams that are new. The prime is not counted. Can be repeated.",
)
@record_options
@json_option
@checkpoint_option
@weights_option
@click.option("--encoding", metavar="NAME", help="Encoding of the files to read.  [default: that of the training text]")
@click.pass_context
def sample_command(
    ctx: click.Context, /, checkpoint: str, weights: str | None, encoding: str | None, **parameters: Any
) -> None:
    """Write text like the text the model was trained on.

    Standard output gets the prime, then --length new characters, and nothing else. Without a prime the model starts at
    the beginning of a line. With --json it gets one object with the seed, the prime, the samples (without the prime)
    and the findings of --check.

    A model of records (train --lines) writes -n new records, one per line, each of them complete. If records that meet
    the constraints are too rare, it writes those it found and fails with an error that says how many they are. With
    --json it writes one object with the texts and bits of the records.

    \b
    Examples:
      charrnn sample --temp 0.8
      charrnn sample --prime "ROMEO:" --length 300 --seed 1
      charrnn sample -n 5 --stop "." --stop "!" --min-length 40 --top-p 0.9
      charrnn sample --temp 0.2 --no-repeat 16 --ban "0123456789"
      charrnn sample --allow "abcdefghijklmnopqrstuvwxyz ,." --top-k 20
      charrnn sample --prime "To be," --unknown skip --no-echo
      charrnn sample --temp 0.5 --length 20000 > new.txt
      charrnn sample --length 2000 --check corpus.txt
      charrnn sample -n 100 --json --check corpus.txt > samples.json
      charrnn sample --interactive --temp 0.7 --length 200
      charrnn sample -c names.npz -n 1000 --unique --novel > new.txt
      charrnn sample -c names.npz -n 20 --prefix mar --match ".*a" --min-length 5 --max-length 8 --scores
    """
    from .sample_options import SampleOptions

    options = SampleOptions(**parameters)
    if options.prime is not None and options.prime_file is not None:
        raise click.UsageError("--prime and --prime-file both give the text to continue; leave out one of them.")
    if (options.prime_file == "-") + options.check.count("-") + options.interactive > 1:
        raise click.UsageError("standard input can be read only once.")
    if encoding and options.prime_file is None and not options.check:
        raise click.UsageError("--encoding is for the files of --prime-file and --check; neither is given.")

    from ...checkpoint.load import load
    from .overlap_report import check_readable
    from .records import write_records
    from .text import write_texts

    run = load(checkpoint)
    model = run.model(weights)
    check_options(ctx, model.records)
    encoding = encoding or run.corpus.encoding or "utf-8"
    check_readable(options.check, encoding, model.vocab.of_bytes)
    (write_records if model.records else write_texts)(model, encoding, options)
