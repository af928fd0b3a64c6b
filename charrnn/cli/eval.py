"""charrnn eval: how well a model predicts a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..system.cores import physical_cores
from .options import checkpoint_option, json_option, threads_option, weights_option, whole
from .output import print_line, strip_control

if TYPE_CHECKING:
    from ..text.vocab import Ids


@click.command("eval", short_help="Measure how well the model predicts a text.")
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@checkpoint_option
@json_option
@click.option(
    "--window",
    type=whole(1),
    metavar="N",
    help="Score the text in windows of N characters, each from the zero state, as papers on transformers do.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip", "uniform"]),
    default="error",
    show_default=True,
    help="What to do with characters that the model does not know: stop with an error, leave them out, or charge ln V "
    "nats for each (V is the size of the vocabulary).",
)
@click.option(
    "--baselines",
    "with_baselines",
    is_flag=True,
    help="Compare the model with simple ones: equal shares for all characters (uniform), their shares in the training "
    "text (unigram), the best n-gram model of it, and gzip, bz2 and xz, by themselves and after the training text (of "
    "which gzip remembers 32 kB and bz2 900 kB). They learn from the last 4 million characters of the training text.",
)
@click.option("--encoding", metavar="NAME", help="Encoding of the texts.  [default: that of the training text]")
@threads_option
@weights_option
def eval_command(
    texts: tuple[str, ...],
    checkpoint: str,
    as_json: bool,
    window: int | None,
    unknown: str,
    with_baselines: bool,
    encoding: str | None,
    threads: int | None,
    weights: str | None,
) -> None:
    """Measure how well the model predicts a text. Every character after the first is scored exactly once.

    Without TEXT, the held-out part of the training text is evaluated. Several texts are joined; - is standard input.
    A model of records (train --lines) reads each line by itself and is scored on the whole line and its end.

    \b
    Examples:
      charrnn eval
      charrnn eval other.txt
      charrnn eval other.txt --unknown skip --json
      charrnn eval --window 256
      charrnn eval --baselines
    """
    from ..checkpoint.load import load
    from ..evaluation.baselines import baselines
    from ..evaluation.metrics import partial_metrics, unknown_metrics
    from ..text.corpus import read_ids
    from ..text.reader import display_name
    from ..training.reread import NAME_A_TEXT, require_held_out, reread_corpus
    from ..training.split import split_corpus
    from .bars import scoring_bar
    from .baseline_table import table, verdict

    run = load(checkpoint)
    model = run.model(weights)
    if encoding and not texts:
        raise click.UsageError("--encoding is for a TEXT, and none is given; name a TEXT, or leave --encoding out.")
    if with_baselines or not texts:
        needed = "it is the training text, which the baselines learn from: put it back"
        split = split_corpus(reread_corpus(run, remedy=needed if with_baselines else NAME_A_TEXT), run.options)
    if texts:
        encoding = encoding or run.corpus.encoding or "utf-8"
        ids, missing = read_ids(texts, model.vocab, encoding, unknown, lines=model.records)
        ids = model.lay_out(ids)
        title = ", ".join(map(display_name, texts))
    else:
        ids, missing = require_held_out(split), 0
        title = f"the held-out part of {', '.join(run.corpus.names)}"

    metrics = unknown_metrics(model, missing, unknown)
    with scoring_bar(len(ids)) as bar:
        for part in partial_metrics(model.network, ids, window, threads or physical_cores(), model.reset_id):
            metrics += part
            bar.update(part.chars)

    unit, comparison = model.vocab.unit, None
    if with_baselines:
        comparison = baselines(model.vocab, split.training, ids, metrics.chars - len(ids) + 1, model.reset_id)
    if as_json:
        result: dict[str, Any] = {
            "nats_per_char": metrics.nats_per_char,
            "bits_per_char": metrics.bits_per_char,
            "perplexity": metrics.perplexity if metrics.perplexity < float("inf") else None,
            "accuracy": metrics.accuracy,
            "chars": metrics.chars,
            "unknown_chars": metrics.unknown_chars,
        }
        if comparison is not None:
            result["baselines"] = comparison.bits_per_char
            result["ngram_order"] = comparison.ngram_order
            result["verdict"] = verdict(comparison, metrics.bits_per_char, unit)
        if model.records:
            result["records"] = count_records(ids)
        print_line(json.dumps(result))
        return
    print_line(strip_control(title))
    print_line(f"  nats per {unit:9}    {metrics.nats_per_char:.4f}")
    print_line(f"  bits per {unit:9}    {metrics.bits_per_char:.4f}")
    print_line(f"  perplexity            {metrics.perplexity:.3f}")
    print_line(f"  accuracy              {metrics.accuracy:.2%}")
    print_line(f"  {unit + 's scored':20}  {metrics.chars:,}")
    print_line(f"  {'unknown ' + unit + 's':20}  {metrics.unknown_chars:,}")
    if model.records:
        print_line(f"  {'records':20}  {count_records(ids):,}")
    if comparison is not None:
        print_line(table(comparison, metrics.bits_per_char, unit))
        print_line(verdict(comparison, metrics.bits_per_char, unit))


def count_records(ids: Ids) -> int:
    """The number of records in a text that is laid out: a newline, then records that end with one each."""
    return int((ids == ids[0]).sum()) - 1
