"""charrnn eval"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..system.cores import physical_cores
from .options import checkpoint_option, json_option, threads_option, weights_option, whole
from .output import print_line, strip_control

if TYPE_CHECKING:
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
@click.option(
    "--baselines",
    "compared",
    is_flag=True,
    help="Say what others make of the text: knowing nothing (uniform), the characters' shares in the training text "
    "(unigram), the best n-gram model of it, and gzip, bz2, xz by themselves and after the training text (of which "
    "gzip remembers 32 kB and bz2 900 kB); and where the model stands. They learn from its last 4 million characters.",
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
    compared: bool,
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
      charrnn eval --baselines
    """
    from ..checkpoint.load import load
    from ..evaluation.baselines import baselines
    from ..evaluation.metrics import partial_metrics, unknown_metrics
    from ..text.corpus import read_ids
    from ..text.reader import label
    from ..training.reread import NAME_A_TEXT, require_held_out, reread_corpus
    from ..training.split import split_corpus
    from .bars import scoring_bar
    from .baseline_table import table, verdict

    run = load(checkpoint)
    model = run.model(weights)
    if encoding and not texts:
        raise click.UsageError("--encoding belongs to a TEXT; there is none.")
    if compared or not texts:
        remedy = "it is the training text, which the baselines learn from: put it back" if compared else NAME_A_TEXT
        split = split_corpus(reread_corpus(run, remedy=remedy), run.options)
    if texts:
        encoding = encoding or run.corpus.encoding or "utf-8"
        ids, missing = read_ids(texts, model.vocab, encoding, unknown, lines=model.records)
        ids = model.lay_out(ids)
        what = ", ".join(map(label, texts))
    else:
        ids, missing = require_held_out(split), 0
        what = f"the held-out part of {', '.join(run.corpus.names)}"

    score = unknown_metrics(model, missing, unknown)
    with scoring_bar(len(ids)) as bar:
        for part in partial_metrics(model.network, ids, window, threads or physical_cores(), model.reset_id):
            score += part
            bar.update(part.chars)

    unit, others = model.vocab.unit, None
    if compared:
        others = baselines(model.vocab, split.training, ids, score.chars - len(ids) + 1, model.reset_id)
    if as_json:
        result: dict[str, Any] = {
            "nats_per_char": score.nats_per_char,
            "bits_per_char": score.bits_per_char,
            "perplexity": score.perplexity if score.perplexity < float("inf") else None,
            "accuracy": score.accuracy,
            "chars": score.chars,
            "unknown_chars": score.unknown_chars,
        }
        if others is not None:
            result["baselines"] = others.bits_per_char
            result["ngram_order"] = others.ngram_order
            result["verdict"] = verdict(others, score.bits_per_char, unit)
        if model.records:
            result["records"] = count_records(ids)
        print_line(json.dumps(result))
        return
    print_line(strip_control(what))
    print_line(f"  nats per {unit:9}    {score.nats_per_char:.4f}")
    print_line(f"  bits per {unit:9}    {score.bits_per_char:.4f}")
    print_line(f"  perplexity            {score.perplexity:.3f}")
    print_line(f"  accuracy              {score.accuracy:.2%}")
    print_line(f"  {unit + 's scored':20}  {score.chars:,}")
    print_line(f"  {'unknown ' + unit + 's':20}  {score.unknown_chars:,}")
    if model.records:
        print_line(f"  {'records':20}  {count_records(ids):,}")
    if others is not None:
        print_line(table(others, score.bits_per_char, unit))
        print_line(verdict(others, score.bits_per_char, unit))


def count_records(laid: Ids) -> int:
    """How many records there are in a text that is laid out: it begins with a newline, and each ends with one."""
    return int((laid == laid[0]).sum()) - 1
