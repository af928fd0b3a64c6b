"""From the words of `charrnn train` to a run and its text: a new run, or one to go on with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import click

from ...checkpoint.load import load, load_model
from ...errors import CheckpointError
from ...files.slot import SUFFIXES
from ...language_model import LanguageModel
from ...text.batches import shrink_to_text
from ...text.corpus import Corpus, read_corpus
from ...text.reader import STDIN
from ...training.memory import training_memory
from ...training.new_run import new_run
from ...training.reread import reread_corpus
from ...training.run import Run
from ...training.settings import Options
from ...training.split import split_corpus
from ..options import words
from .choose import LEFT_OPEN, choose, planned

SHAPE = ("cell", "hidden", "layers", "networks")
OPTIONS = tuple(field.name for field in fields(Options) if field.name not in ("shards", "threads"))


def begin(
    names: Sequence[str], chosen: Mapping[str, Any], given: set[str], threads: int
) -> tuple[Run, Corpus, str | None]:
    """A new run, as the options say, and a line on what was chosen where they say nothing."""
    other = load_model(chosen["init_from"]) if chosen["init_from"] else None
    if other:
        check_shape(other, chosen, given)
    as_bytes = other.vocab.of_bytes if other else chosen["as_bytes"]
    corpus = read_corpus(names, chosen["encoding"], as_bytes, other.vocab if other else None, chosen["lines"])
    parts = Options(**{name: chosen[name] for name in ("val_fraction", "seed", "lines")})
    training = len(split_corpus(corpus, parts).training)
    batch_size, seq_length = shrink_to_text(training, chosen["batch_size"], chosen["seq_length"])
    values = {name: chosen[name] for name in (*SHAPE, *OPTIONS)}
    if other:
        values |= {name: getattr(other.network.config, name) for name in SHAPE}
    if values["networks"] is None and (values["hidden"] or values["layers"]):
        values["networks"] = 1  # which was asked for
    choice = None
    if any(values[name] is None for name in LEFT_OPEN):
        budget = planned(chosen, training, batch_size, seq_length, threads)
        choice = choose(values, budget, len(corpus.vocab), training)
    if values["recurrent_dropout"] is None:
        values["recurrent_dropout"] = values["dropout"]
    shape = {name: values.pop(name) for name in SHAPE}
    run = new_run(corpus, options=Options(**values), init_from=other, threads=threads, **shape)
    run.init_from = chosen["init_from"]
    return run, corpus, choice


def check_shape(other: LanguageModel, chosen: Mapping[str, Any], given: set[str]) -> None:
    """Raises UsageError if a shape was asked for that is not that of the model to begin with."""
    if "as_bytes" in given and not other.vocab.of_bytes:
        raise click.UsageError(f"{chosen['init_from']} reads characters, so --bytes does not go with it.")
    for name in SHAPE:
        own = getattr(other.network.config, name)
        if name in given and chosen[name] != own:
            raise click.UsageError(f"--{name} {chosen[name]} does not fit {chosen['init_from']}, where it is {own}.")


def changes(run: Run, chosen: Mapping[str, Any]) -> list[str]:
    """What a short text changed in what was asked for, a line each."""
    lines = []
    for name in ("batch_size", "seq_length"):
        asked, got = chosen[name], getattr(run.options, name)
        if asked != got:
            lines.append(f"the text is short: {words(name)} {asked} becomes {got}")
    if run.options.val_fraction and not run.held_out_characters:
        least = "no record" if run.options.lines else "under two characters"
        lines.append(f"--val-fraction {run.options.val_fraction:g} would hold out {least}: no validation")
    return lines


def go_on(
    names: Sequence[str], checkpoint: str, chosen: Mapping[str, Any], given: set[str], threads: int
) -> tuple[Run, Corpus]:
    """The run in a checkpoint and its text, which is found by its recorded name if `names` is empty."""
    for name in ("init_from", "force"):
        if name in given:
            raise click.UsageError(f"{words(name)} begins anew and --resume goes on; give one of them.")
    run = load(checkpoint)
    if not names and STDIN in run.corpus.names:
        raise click.UsageError("The training text came from standard input; pipe it in again and name it as -.")
    check_same(run, chosen, given)
    corpus = reread_corpus(run, names, f"{checkpoint} can be resumed only with the text it was trained on")
    training_memory(run.config, run.options, corpus, split_corpus(corpus, run.options), threads)
    return run, corpus


def check_same(run: Run, chosen: Mapping[str, Any], given: set[str]) -> None:
    """Raises UsageError for an option that differs from the record: what is resumed keeps what it began with."""
    options = run.options
    fitted = shrink_to_text(
        run.training_characters,
        chosen["batch_size"] if "batch_size" in given else options.batch_size,
        chosen["seq_length"] if "seq_length" in given else options.seq_length,
    )
    chosen = dict(chosen)
    if fitted == (options.batch_size, options.seq_length):
        chosen["batch_size"], chosen["seq_length"] = fitted
    recorded = {name: getattr(run.config, name) for name in SHAPE} | {name: getattr(options, name) for name in OPTIONS}
    recorded |= {"encoding": run.corpus.encoding, "as_bytes": run.vocab.of_bytes}
    recorded["val_every"] = options.val_every or run.schedule.val_every
    for name, value in recorded.items():
        if name in given and chosen[name] != value:
            raise click.UsageError(
                f"{words(name)} was {value} when this run began and stays so; leave it out to resume, "
                "or begin a new run with --force or another -c."
            )


def check_paths(names: Sequence[str], checkpoint: str, log: str | None, may_exist: bool) -> None:
    """Raises before any work for a checkpoint that must not, or cannot, be written, and for one file in two roles."""
    folder = os.path.dirname(checkpoint) or "."
    if os.path.isdir(checkpoint or "."):
        raise CheckpointError(f"{checkpoint or 'the checkpoint'}: is a directory; name a file in it")
    if os.path.exists(checkpoint) and not os.path.isfile(checkpoint):
        raise CheckpointError(f"{checkpoint}: is a device or a pipe, not a file; name a file")
    if not os.path.isdir(folder):
        raise CheckpointError(f"{folder}: no such directory to write {checkpoint} in; make it first")
    kept = [checkpoint, *(os.path.realpath(checkpoint) + ending for ending in SUFFIXES)]
    if log and os.path.realpath(log) in map(os.path.realpath, kept):
        raise CheckpointError(f"{log}: is where the checkpoint is kept; let --log name another file")
    for name in names:
        for output in (*kept, log):
            if output and os.path.isfile(name) and os.path.exists(output) and os.path.samefile(name, output):
                raise CheckpointError(f"{output}: is the text to learn from; write to another file")
    if not may_exist and os.path.exists(kept[1]):
        checkpoint = kept[1]
    if os.path.exists(checkpoint) and not may_exist:
        raise CheckpointError(
            f"{checkpoint}: exists already; go on with it (--resume), replace it (--force), or name another with -c"
        )
