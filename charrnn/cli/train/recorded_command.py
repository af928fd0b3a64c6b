"""The commands that make a run, or go on with it, as text to paste into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from ...parallel.partition import shard_count
from ...system.cores import physical_cores
from ...text.reader import STDIN
from ...training.run import Run
from ...training.settings import MOST_SHARDS
from ..options import checkpoint_words, words
from .setup import OPTIONS, SHAPE


def command(run: Run, checkpoint: str) -> str:
    """The full command that makes this run: every chosen option, and the number of steps once it is known."""
    if run.schedule.start:
        return shlex.join(resume_command(run, checkpoint, budget_words(run)))
    parts = ["-c", checkpoint]
    if run.init_from:
        parts += ["--init-from", run.init_from]
    if run.vocab.of_bytes:
        parts += ["--bytes"]
    elif run.corpus.encoding != "utf-8":
        parts += ["--encoding", str(run.corpus.encoding)]
    for name in SHAPE:
        parts += [words(name), str(getattr(run.config, name))]
    for name in OPTIONS:
        value = getattr(run.options, name)
        if name == "val_every":
            value = run.schedule.val_every
        if value is True:
            parts += [words(name)]
        elif value is not None and value is not False:
            parts += [words(name), str(value)]
    parts += ["--threads", str(threads_for(run)), *budget_words(run)]
    return shlex.join(train_words(run, parts))


def threads_for(run: Run) -> int:
    """As many threads as this machine has, or fewer, that give the shares the run was begun with; else as few as do."""
    shards, networks, cores = run.options.shards, run.config.networks, physical_cores()
    given = partial(shard_count, networks=networks, batch_size=run.options.batch_size)
    fitting = [threads for threads in range(1, min(MOST_SHARDS, shards * networks) + 1) if given(threads) == shards]
    return max((threads for threads in fitting if threads <= cores), default=min(fitting, default=shards))


def resume_command(run: Run, checkpoint: str, budget: Sequence[str] = ()) -> list[str]:
    """The command that goes on with a run."""
    return train_words(run, [*checkpoint_words(checkpoint), "--resume", *budget])


def train_words(run: Run, options: Sequence[str]) -> list[str]:
    """A command with these options on the run's text, whose name may look like an option."""
    names = run.corpus.names
    if any(name.startswith("-") and name != STDIN for name in names):
        return ["charrnn", "train", *options, "--", *names]
    return ["charrnn", "train", *names, *options]


def budget_words(run: Run) -> list[str]:
    """The present budget as options: in steps if they are known."""
    schedule = run.schedule
    if schedule.total is not None:
        return ["--steps", str(schedule.total - schedule.start)]
    return [] if schedule.seconds is None else ["--minutes", f"{schedule.seconds / 60:g}"]
