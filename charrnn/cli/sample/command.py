"""charrnn sample"""

from __future__ import annotations

from typing import Any

import click

from ..help_sections import Sectioned, options_under
from ..options import checkpoint_option, json_option, weights_option, whole
from .options import drawing_options
from .records import check_options, record_options

begin, output = options_under("Where to begin"), options_under("What to print")


@click.command("sample", cls=Sectioned, short_help="Write text like the text the model was trained on.")
@begin("--prime", metavar="TEXT", help="Text to begin with.")
@begin("--prime-file", metavar="FILE", help="File with the text to begin with; - is standard input.")
@begin(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="What to do with characters of the prime or prefix that the model does not know.",
)
@begin(
    "--interactive",
    is_flag=True,
    help="Type a beginning, see it continued, again and again; from a pipe, each line is a beginning. "
    "Characters that the model does not know are left out.",
)
@drawing_options
@output(
    "-n",
    "--num-samples",
    type=whole(1, 10**9),
    default=1,
    show_default=True,
    metavar="N",
    help="How many samples to draw, side by side; an empty line separates them. Records come one a line.",
)
@output("-0", "--null", is_flag=True, help="Separate samples by a NUL character instead of an empty line.")
@output("--no-echo", is_flag=True, help="Do not print the prime.")
@output(
    "--check",
    multiple=True,
    metavar="CORPUS",
    help="Tell on stderr how much was copied from this text: the longest stretch that stands there word for word, and "
    "the share of all 8 and all 32 characters in a row that is new. The prime is left out. May be given several times.",
)
@record_options
@json_option
@checkpoint_option
@weights_option
@click.option("--encoding", metavar="NAME", help="That of the files to read.  [default: that of the training text]")
@click.pass_context
def sample_command(
    ctx: click.Context, /, checkpoint: str, weights: str | None, encoding: str | None, **chosen: Any
) -> None:
    """Write text like the text the model was trained on.

    Standard output gets the prime, then --length drawn characters, and nothing else. Without a prime the model
    begins after a line's end. With --json it gets one object with the seed, the prime, the samples without it, and what
    --check found.

    A model of records (train --lines) writes -n new ones, one a line, all of them whole: exactly so many or, where what
    is asked for is too rare, an error that says how many there were. With --json the object has their texts and bits.

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
    standard_input = (chosen["prime_file"] == "-") + chosen["check"].count("-") + chosen["interactive"]
    if chosen["prime"] is not None and chosen["prime_file"] is not None:
        raise click.UsageError("--prime and --prime-file both say what to begin with; give one of them.")
    if standard_input > 1:
        raise click.UsageError("standard input can be read once only.")
    if encoding and chosen["prime_file"] is None and not chosen["check"]:
        raise click.UsageError("--encoding belongs to --prime-file or --check; there is neither.")

    from ...checkpoint.load import load
    from .overlap_report import check_readable
    from .records import write_records
    from .text import write_texts

    run = load(checkpoint)
    model = run.model(weights)
    check_options(ctx, model.records)
    encoding = encoding or run.corpus.encoding or "utf-8"
    check_readable(chosen["check"], encoding, model.vocab.of_bytes)
    (write_records if model.records else write_texts)(model, encoding, **chosen)
