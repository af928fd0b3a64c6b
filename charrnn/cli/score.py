"""charrnn score"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..system.cores import physical_cores
from .options import checkpoint_option, real, threads_option, weights_option, whole
from .output import wants_colour
from .score_rows import Output, columns, jsonl, legend, shaded, tsv

if TYPE_CHECKING:
    from ..evaluation.scoring import ScoredUnit
    from ..training.run import Run

COLOUR = ("--colour", "--color")
WHEN = ("auto", "always", "never")
SLICE = 1 << 20  # characters


class ScoreCommand(click.Command):
    """Lets --colour stand alone, whatever follows it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        for i, (word, following) in enumerate(zip(args[:end], [*args[1:], ""], strict=False)):
            if word in COLOUR and following not in WHEN:
                args[i] = f"{word}=auto"
        return super().parse_args(ctx, args)


@click.command("score", cls=ScoreCommand, short_help="Tell how many bits each line, word or character takes.")
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@checkpoint_option
@click.option(
    "--per",
    type=click.Choice(["char", "word", "line"]),
    help="What gets a row.  [default: line; with --colour: char]",
)
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each row, with the same names.")
@click.option(
    "--top",
    type=whole(1, 10**7),
    metavar="K",
    help="Only the K top_units rows, the top_units first: by bits / (chars + 16), since a few characters prove little. "
    "They come at the text's end, or with Ctrl-C.",
)
@click.option(
    "--threshold", type=real(-1e9, 1e9), metavar="BITS", help="Only rows that take at least BITS bits per character."
)
@click.option(
    "--against",
    metavar="FILE",
    help="Another checkpoint: adds the bits that its model takes (other_bits), and ratio = other_bits - bits, the "
    "log-likelihood ratio: above 0 where the text is more like this model's. --top and --threshold then go by ratio.",
)
@click.option(
    *COLOUR,
    "colour",
    type=click.Choice(WHEN),
    default="never",
    metavar="[auto|always|never]",
    help="Show the text instead, on a background that is the redder the more bits it takes: alone or with auto, if "
    "it goes to a terminal and NO_COLOR is not set.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip", "uniform"]),
    default="uniform",
    show_default=True,
    help="Characters that the model does not know: an error; left out; or charged log2 V bits each.",
)
@click.option("--encoding", metavar="NAME", help="The texts' encoding.  [default: that of the training text]")
@threads_option
@weights_option
def score_command(
    texts: tuple[str, ...],
    checkpoint: str,
    per: str | None,
    as_jsonl: bool,
    top: int | None,
    threshold: float | None,
    against: str | None,
    colour: str,
    unknown: str,
    encoding: str | None,
    threads: int | None,
    weights: str | None,
) -> None:
    """Tell how many bits the model takes for each line, word or character: the odd ones take many.

    Without TEXT it is the held-out part of the training text. Several texts are joined; - is standard input, which is
    read as it comes. Every character after the first is scored once, as by `charrnn eval`, so the bits add up to its
    figure; they are rounded to a millionth for each character, and the sums over words and lines are exact.

    Columns: its number, from 1; start and end, characters from the beginning of the text (bytes for a model of
    bytes); how many of them are scored; bits; bits per character; for a character its rank among all that could have
    come, 1 for the most likely (none if the model does not know it); the text. In the text a tab is \\t, a newline
    \\n, a backslash \\\\, and whatever else cannot be printed is like \\x1b or \\u2028, so that a row is one line. The
    first line names the columns. What has nothing to score, as the first character, has no row.

    A line includes its newline, which is not shown. A word is the white space before it and what follows up to the
    next white space, of any kind in Unicode. In a model of lines each line is scored by itself, its first character
    too, and empty lines are left out.

    \b
    Examples:
      charrnn score other.txt
      charrnn score other.txt --per word --top 20
      charrnn score other.txt --threshold 4
      charrnn score other.txt --per char --jsonl > chars.jsonl
      charrnn score other.txt --against other.npz --top 20
      charrnn score other.txt --unknown skip > lines.tsv
      charrnn score other.txt --colour
      charrnn score - --threshold 3 < other.txt
    """
    if colour != "never" and (as_jsonl or top or threshold is not None or against):
        raise click.UsageError("--colour shows the text; --jsonl, --top, --threshold and --against are about rows.")
    if encoding and not texts:
        raise click.UsageError("--encoding belongs to a TEXT; there is none.")
    from ..checkpoint.load import load, load_model
    from ..evaluation.scoring import scored_units, threshold_value, top_units
    from ..text.reader import label

    run = load(checkpoint)
    other = load_model(against) if against else None
    shows_text = wants_colour(colour)
    per = per or ("char" if shows_text else "line")
    output = Output("" if shows_text or as_jsonl else "\t".join(columns(per, against is not None)) + "\n")
    parts = output.flushed_before(read(run, texts, encoding))
    where = ", ".join(map(label, texts)) or "the held-out part"
    rows = scored_units(run.model(weights), parts, per, unknown, other, threads or physical_cores(), where)
    if shows_text:
        click.echo(legend(), err=True)
        line = shaded
    else:
        rows = (row for row in rows if row.chars and (threshold is None or threshold_value(row) >= threshold))
        line = jsonl if as_jsonl else tsv
    stops: list[SystemExit] = []
    for row in top_units(until_stopped(rows, stops), top) if top else rows:
        output.add(line(row, per))
    output.flush()
    for stop in stops:
        raise stop


def until_stopped(rows: Iterable[ScoredUnit], stops: list[SystemExit]) -> Iterator[ScoredUnit]:
    """The rows up to Ctrl-C, which is noted: where a text has no end, that is when the top_units are wanted."""
    try:
        yield from rows
    except SystemExit as stop:
        stops.append(stop)


def read(run: Run, names: Sequence[str], encoding: str | None) -> Iterator[str | bytes]:
    """Files as they come or, without any, the part of the training text that was held out."""
    from ..text.reader import read_bytes, read_text, with_final_newline
    from ..training.reread import reread_held_out

    if not names:
        ids, decode = reread_held_out(run), run.vocab.decode
        ids = ids[1:] if run.options.lines else ids  # the newline that the first record begins after
        yield from (decode(ids[i : i + SLICE]) for i in range(0, len(ids), SLICE))
    encoding = encoding or run.corpus.encoding or "utf-8"
    for name in names:
        pieces: Iterator[str | bytes] = read_bytes(name) if run.vocab.of_bytes else read_text(name, encoding)
        yield from with_final_newline(pieces) if run.options.lines else pieces
