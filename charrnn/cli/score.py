"""charrnn score: the bits that each line, word or character of a text takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..system.cores import physical_cores
from .options import checkpoint_option, real, threads_option, weights_option, whole
from .output import wants_colour
from .score_rows import RowWriter, columns, jsonl, legend, shaded, tsv

if TYPE_CHECKING:
    from ..evaluation.scoring import ScoredUnit
    from ..training.run import Run

COLOUR_OPTIONS = ("--colour", "--color")
COLOUR_VALUES = ("auto", "always", "never")
SLICE = 1 << 20  # characters of a training text that are decoded at a time


class ScoreCommand(click.Command):
    """Makes the value of --colour optional: without one it is auto."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        for i, (word, following) in enumerate(zip(args[:end], [*args[1:], ""], strict=False)):
            if word in COLOUR_OPTIONS and following not in COLOUR_VALUES:
                args[i] = f"{word}=auto"
        return super().parse_args(ctx, args)


@click.command("score", cls=ScoreCommand, short_help="Score each line, word or character in bits.")
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@checkpoint_option
@click.option(
    "--per",
    type=click.Choice(["char", "word", "line"]),
    help="Print a row for each of these.  [default: line; with --colour: char]",
)
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON object for each row, with the same fields.")
@click.option(
    "--top",
    type=whole(1, 10**7),
    metavar="K",
    help="Print only the K most surprising rows, the most surprising first: by bits / (chars + 16), since a few "
    "characters prove little. They are printed at the end of the text, or on Ctrl-C.",
)
@click.option(
    "--threshold", type=real(-1e9, 1e9), metavar="BITS", help="Print only rows with at least BITS bits per character."
)
@click.option(
    "--against",
    metavar="FILE",
    help="Compare with the model of another checkpoint: adds its bits (other_bits) and the log likelihood ratio, "
    "ratio = other_bits - bits, above 0 where this model predicts the text better. --top and --threshold then use it.",
)
@click.option(
    *COLOUR_OPTIONS,
    "colour",
    type=click.Choice(COLOUR_VALUES),
    default="never",
    metavar="[auto|always|never]",
    help="Show the text instead of rows, on a background that gets redder with more bits. auto, which --colour alone "
    "means: in a terminal, unless NO_COLOR is set.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip", "uniform"]),
    default="uniform",
    show_default=True,
    help="What to do with characters that the model does not know: stop with an error, leave them out, or charge log2 V"
    " bits for each (V is the size of the vocabulary).",
)
@click.option("--encoding", metavar="NAME", help="Encoding of the texts.  [default: that of the training text]")
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
    """Score each line, word or character of a text: its surprisal in bits. More bits: the model expects it less.

    Without TEXT, the held-out part of the training text is scored. Several texts are joined; - is standard input,
    which is scored as it arrives. Every character after the first is scored once, as in `charrnn eval`, so the bits add
    up to its figure. They are rounded to a millionth for each character, and the sums over words and lines are exact.

    Columns: the number of the line, word or character, from 1; start and end, in characters from the beginning of the
    text (bytes for a model of bytes); chars, the characters scored; bits; bits_per_char; rank (characters only), 1 for
    the most likely one, empty if the model does not know it; text. The first line names the columns. In the text a tab
    is written \\t, a newline \\n, a backslash \\\\, and what cannot be printed like \\x1b or \\u2028, so that each row
    is one line. There is no row where nothing is scored, as for the first character.

    A line includes its newline, which is not shown. A word is the white space before it (of any kind in Unicode) and
    the characters up to the next white space. A model of lines (train --lines) scores each line by itself, with its
    first character, and leaves empty lines out.

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
        raise click.UsageError(
            "--colour shows the text instead of rows; leave out --jsonl, --top, --threshold and --against."
        )
    if encoding and not texts:
        raise click.UsageError("--encoding is for a TEXT, and none is given; name a TEXT, or leave --encoding out.")
    from ..checkpoint.load import load, load_model
    from ..evaluation.scoring import scored_units, threshold_value, top_units
    from ..text.reader import display_name

    run = load(checkpoint)
    other = load_model(against) if against else None
    shows_text = wants_colour(colour)
    per = per or ("char" if shows_text else "line")
    writer = RowWriter("" if shows_text or as_jsonl else "\t".join(columns(per, against is not None)) + "\n")
    parts = writer.flush_after_each(text_to_score(run, texts, encoding))
    where = ", ".join(map(display_name, texts)) or "the held-out part"
    units = scored_units(run.model(weights), parts, per, unknown, other, threads or physical_cores(), where)
    if shows_text:
        click.echo(legend(), err=True)
        format_row = shaded
    else:
        units = (unit for unit in units if unit.chars and (threshold is None or threshold_value(unit) >= threshold))
        format_row = jsonl if as_jsonl else tsv
    interrupts: list[SystemExit] = []
    for unit in top_units(until_interrupted(units, interrupts), top) if top else units:
        writer.add(format_row(unit, per))
    writer.flush()
    for interrupt in interrupts:
        raise interrupt


def until_interrupted(units: Iterable[ScoredUnit], interrupts: list[SystemExit]) -> Iterator[ScoredUnit]:
    """The units up to Ctrl-C, which goes to `interrupts` to be raised later.

    So --top prints what it has: the only way to get the top rows of a stream without an end.
    """
    try:
        yield from units
    except SystemExit as interrupt:
        interrupts.append(interrupt)


def text_to_score(run: Run, names: Sequence[str], encoding: str | None) -> Iterator[str | bytes]:
    """The files of these names, part by part, or the held-out part of the training text if there are none."""
    from ..text.reader import read_bytes, read_text, with_final_newline
    from ..training.reread import reread_held_out

    if not names:
        ids, decode = reread_held_out(run), run.vocab.decode
        ids = ids[1:] if run.options.lines else ids  # without the newline that the first record begins after
        yield from (decode(ids[i : i + SLICE]) for i in range(0, len(ids), SLICE))
    encoding = encoding or run.corpus.encoding or "utf-8"
    for name in names:
        pieces: Iterator[str | bytes] = read_bytes(name) if run.vocab.of_bytes else read_text(name, encoding)
        yield from with_final_newline(pieces) if run.options.lines else pieces
