"""From the options of `charrnn train` to a run and its text: a new run, or one to resume."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import click

from ...checkpoint.load import load, load_model
from ...errors import CheckpointError
from ...files.slot import SUFFIXES
from ...language_model import LanguageModel
from ...text.batches import shrink_to_text
from ...text.corpus import Corpus, read_corpus
from ...text.reader import STDIN
from ...training import DEFAULT_MINUTES, recipe
from ...training.memory import training_memory
from ...training.new_run import new_run
from ...training.reread import reread_corpus
from ...training.run import Run
from ...training.settings import Options
from ...training.split import Split, split_corpus
from ..options import flag
from .choice import complete
from .recorded_command import command
from .train_options import OPTIONS, SHAPE, TrainOptions


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to be trained, with its text. `choice` is a line on what was chosen for a new run."""

    run: Run
    corpus: Corpus
    split: Split
    choice: str | None = None


def start_run(names: Sequence[str], options: TrainOptions, threads: int) -> Prepared:
    """A new run, with what the options leave open chosen by the recipe."""
    init_from = load_model(options.init_from) if options.init_from else None
    if init_from:
        check_shape(init_from, options)
    corpus = read_training_text(names, options, init_from)
    parts = Options(val_fraction=options.val_fraction, seed=options.seed, lines=options.lines)
    split = split_corpus(corpus, parts)
    choice, line = complete(options, init_from, len(corpus.vocab), len(split.training), threads)
    run = new_run(
        corpus,
        options.cell,
        choice.hidden,
        choice.layers,
        options.run_options(choice.dropout, choice.lr),
        init_from=init_from,
        networks=choice.networks,
        threads=threads,
        split=split,
    )
    run.init_from = options.init_from
    return Prepared(run, corpus, split, line)


def read_training_text(names: Sequence[str], options: TrainOptions, init_from: LanguageModel | None) -> Corpus:
    """The text, in the vocabulary of the model to start from if there is one."""
    vocab = init_from.vocab if init_from else None
    as_bytes = vocab.of_bytes if vocab else options.as_bytes
    return read_corpus(names, options.encoding, as_bytes, vocab, options.lines)


def check_shape(init_from: LanguageModel, options: TrainOptions) -> None:
    """Raises UsageError if an explicit option contradicts the model to start from."""
    if "as_bytes" in options.explicit and not init_from.vocab.of_bytes:
        raise click.UsageError(f"{options.init_from} reads characters; leave out --bytes.")
    for name in SHAPE:
        wanted, own = getattr(options, name), getattr(init_from.network.config, name)
        if name in options.explicit and wanted != own:
            raise click.UsageError(f"{flag(name)} {wanted} does not fit {options.init_from}, which has {own}.")


def adjustments(run: Run, options: TrainOptions) -> list[str]:
    """What a short text changed in the options, one line each."""
    lines = []
    for name in ("batch_size", "seq_length"):
        wanted, actual = getattr(options, name), getattr(run.options, name)
        if wanted != actual:
            lines.append(f"the text is short: {flag(name)} {wanted} becomes {actual}")
    if run.options.val_fraction and not run.held_out_characters:
        least = "no record" if run.options.lines else "under two characters"
        lines.append(f"--val-fraction {run.options.val_fraction:g} would hold out {least}: no validation")
    return lines


def resume_run(names: Sequence[str], checkpoint: str, options: TrainOptions, threads: int) -> Prepared:
    """The run in a checkpoint and its text, which is found by its recorded name if `names` is empty."""
    for name in ("init_from", "force"):
        if name in options.explicit:
            raise click.UsageError(f"{flag(name)} starts a new run and --resume continues one; give one of them.")
    run = load(checkpoint)
    if not names and STDIN in run.corpus.names:
        raise click.UsageError("The training text came from standard input; pipe it in again and name it as -.")
    check_same(run, options)
    corpus = reread_corpus(run, names, f"{checkpoint} can be resumed only with the text it was trained on")
    split = split_corpus(corpus, run.options)
    training_memory(run.config, run.options, corpus, split, threads)
    return Prepared(run, corpus, split)


def check_same(run: Run, options: TrainOptions) -> None:
    """Raises UsageError for an explicit option that differs from the run's: a resumed run keeps its options."""
    recorded = {name: getattr(run.config, name) for name in SHAPE}
    recorded |= {name: getattr(run.options, name) for name in OPTIONS}
    recorded |= {"encoding": run.corpus.encoding, "as_bytes": run.vocab.of_bytes}
    recorded["val_every"] = run.options.val_every or run.schedule.val_every
    if same_batches(run, options):
        del recorded["batch_size"], recorded["seq_length"]
    for name, value in recorded.items():
        if name in options.explicit and getattr(options, name) != value:
            had = f"without {flag(name)}" if value is None or value is False else f"with {flag(name)} {value}"
            raise click.UsageError(
                f"This run was started {had}. Leave out {flag(name)} to resume it, "
                "or start a new run with --force or another -c."
            )


def same_batches(run: Run, options: TrainOptions) -> bool:
    """Whether the explicit batch size and sequence length, shrunk to the run's text, are those of the run."""
    own = run.options
    batch_size = options.batch_size if "batch_size" in options.explicit else own.batch_size
    seq_length = options.seq_length if "seq_length" in options.explicit else own.seq_length
    shrunk = shrink_to_text(run.training_characters, batch_size, seq_length)
    return shrunk == (own.batch_size, own.seq_length)


def set_budget(run: Run, options: TrainOptions, checkpoint: str, resume: bool) -> None:
    """Give the run the budget of the options, or the default one if it is new, and record the command for it."""
    if options.has_budget and run.progress.step and not run.finished:
        run.commands[-1:] = [f"{command(run, checkpoint)}  # stopped at step {run.progress.step}"]
    epoch_steps = run.epoch_steps
    if options.minutes is not None:
        run.set_budget(seconds=options.minutes * 60)
    elif options.epochs is not None:
        run.set_budget(max(1, round(options.epochs * epoch_steps)))
    elif options.steps is not None:
        run.set_budget(options.steps)
    elif not resume:
        run.set_budget(seconds=DEFAULT_MINUTES * 60, max_steps=recipe.default_steps(epoch_steps))
    if options.has_budget or not resume:
        run.commands.append(command(run, checkpoint))


def check_paths(names: Sequence[str], checkpoint: str, log: str | None, may_exist: bool) -> None:
    """Raises CheckpointError before any work if the checkpoint must not be written, or if one file has two roles."""
    folder = os.path.dirname(checkpoint) or "."
    if os.path.isdir(checkpoint or "."):
        raise CheckpointError(f"{checkpoint or 'the checkpoint'}: is a directory; give the name of a file")
    if os.path.exists(checkpoint) and not os.path.isfile(checkpoint):
        raise CheckpointError(f"{checkpoint}: is a device or a pipe; give the name of a file")
    if not os.path.isdir(folder):
        raise CheckpointError(f"{folder}: no such directory; make it before training")
    kept = [checkpoint, *(os.path.realpath(checkpoint) + ending for ending in SUFFIXES)]
    if log and os.path.realpath(log) in map(os.path.realpath, kept):
        raise CheckpointError(f"{log}: is a file of the checkpoint; log to another file")
    for name in names:
        for output in (*kept, log):
            if output and os.path.isfile(name) and os.path.exists(output) and os.path.samefile(name, output):
                raise CheckpointError(f"{output}: is the training text; write to another file")
    if not may_exist and os.path.exists(kept[1]):
        checkpoint = kept[1]
    if os.path.exists(checkpoint) and not may_exist:
        raise CheckpointError(
            f"{checkpoint}: exists already; continue it (--resume), replace it (--force), or name another file with -c"
        )
