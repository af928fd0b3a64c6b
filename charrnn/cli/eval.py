"""charrnn eval"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from .options import checkpoint_option, json_option, threads_option, weights_option, whole
from .output import harmless
from .threads import physical_cores

if TYPE_CHECKING:
    from ..run import Run
    from ..text.vocab import Ids


@click.command("eval", short_help="Tell how well the model predicts a text.")
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@checkpoint_option
@json_option
@click.option(
    "--window",
    type=whole(1),
    metavar="N",
    help="Score windows of N characters, each from the zero state, as papers on transformers do.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip", "uniform"]),
    default="error",
    show_default=True,
    help="Characters that the model does not know: an error; left out; or charged ln V nats each.",
)
@click.option("--encoding", metavar="NAME", help="The texts' encoding.  [default: that of the training text]")
@threads_option
@weights_option
def eval_command(
    texts: tuple[str, ...],
    checkpoint: str,
    as_json: bool,
    window: int | None,
    unknown: str,
    encoding: str | None,
    threads: int | None,
    weights: str | None,
) -> None:
    """Tell how well the model predicts a text: every character after the first is scored exactly once.

    Without TEXT it evaluates the held-out part of the training text. Several texts are joined; - is standard input.
    A model of records (train --lines) reads every line by itself and is scored on all of it, its end included.

    \b
    Examples:
      charrnn eval
      charrnn eval other.txt
      charrnn eval other.txt --unknown skip --json
      charrnn eval --window 256
    """
    from ..checkpoint import load
    from ..evaluation import scores, unknown_score
    from ..text.corpus import label, read_ids
    from .progress import scoring_bar

    run = load(checkpoint)
    model = run.model(weights)
    if texts:
        encoding = encoding or run.corpus.encoding or "utf-8"
        ids, missing = read_ids(texts, model.vocab, encoding, unknown, lines=model.lines)
        ids = model.lay_out(ids)
        what = ", ".join(map(label, texts))
    elif encoding:
        raise click.UsageError("--encoding belongs to a TEXT; there is none.")
    else:
        ids, missing = held_out(run), 0
        what = f"the held-out part of {', '.join(run.corpus.names)}"

    score = unknown_score(model, missing, unknown)
    with scoring_bar(len(ids)) as bar:
        for part in scores(model.network, ids, window, threads or physical_cores(), model.restart):
            score += part
            bar.update(part.chars)

    if as_json:
        result = {
            "nats_per_char": score.nats_per_char,
            "bits_per_char": score.bits_per_char,
            "perplexity": score.perplexity if score.perplexity < float("inf") else None,
            "accuracy": score.accuracy,
            "chars": score.chars,
            "unknown_chars": score.unknown_chars,
        }
        if model.lines:
            result["records"] = count_records(ids)
        click.echo(json.dumps(result))
        return
    click.echo(harmless(what))
    click.echo(f"  nats per {model.vocab.unit:9}    {score.nats_per_char:.4f}")
    click.echo(f"  bits per {model.vocab.unit:9}    {score.bits_per_char:.4f}")
    click.echo(f"  perplexity            {score.perplexity:.3f}")
    click.echo(f"  accuracy              {score.accuracy:.2%}")
    click.echo(f"  {model.vocab.unit + 's scored':20}  {score.chars:,}")
    click.echo(f"  {'unknown ' + model.vocab.unit + 's':20}  {score.unknown_chars:,}")
    if model.lines:
        click.echo(f"  {'records':20}  {count_records(ids):,}")


def count_records(laid: Ids) -> int:
    """How many records there are in a text that is laid out: it begins with a newline, and each ends with one."""
    return int((laid == laid[0]).sum()) - 1


def held_out(run: Run) -> Ids:
    """The part of the training text that the run did not train on, read again from where it was."""
    from ..errors import CheckpointError, TextError
    from ..run import split
    from ..text.corpus import STDIN, read_corpus

    record = run.corpus
    if STDIN in record.names:
        raise CheckpointError("the training text came from standard input and cannot be read again; name a TEXT")
    try:
        as_bytes = record.encoding is None
        corpus = read_corpus(record.names, record.encoding or "utf-8", as_bytes, run.vocab, run.options.lines)
    except TextError as error:
        raise TextError(f"the training text cannot be read again: {error}; name a TEXT") from None
    run.check(corpus)
    _, ids = split(corpus, run.options)
    if not len(ids):
        raise TextError("this model was trained without a held-out part; name a TEXT")
    return ids
