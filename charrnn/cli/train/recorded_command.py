"""The commands that start a run or resume it, as text to paste into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ...text.reader import STDIN
from ...training.run import Run
from ..options import checkpoint_arguments, flag
from .train_options import OPTIONS, SHAPE


def command(run: Run, checkpoint: str) -> str:
    """The full command that makes this run: every option, and the number of steps once it is known."""
    if run.schedule.start:
        return shlex.join(resume_command(run, checkpoint, budget_arguments(run)))
    parts = ["-c", checkpoint]
    if run.init_from:
        parts += ["--init-from", run.init_from]
    if run.vocab.of_bytes:
        parts += ["--bytes"]
    elif run.corpus.encoding != "utf-8":
        parts += ["--encoding", str(run.corpus.encoding)]
    for name in SHAPE:
        parts += [flag(name), str(getattr(run.config, name))]
    for name in OPTIONS:
        value = getattr(run.options, name)
        if name == "val_every":
            value = run.schedule.val_every
        if value is True:
            parts += [flag(name)]
        elif value is not None and value is not False:
            parts += [flag(name), str(value)]
    parts += ["--threads", str(threads_of(run)), *budget_arguments(run)]
    return shlex.join(train_arguments(run, parts))


def threads_of(run: Run) -> int:
    """The threads that the run's shards were chosen for; for an older file, a number that gives the same shards."""
    return run.options.threads or run.options.shards * run.config.networks


def resume_command(run: Run, checkpoint: str, budget: Sequence[str] = ()) -> list[str]:
    """The command that resumes a run."""
    return train_arguments(run, [*checkpoint_arguments(checkpoint), "--resume", *budget])


def train_arguments(run: Run, options: Sequence[str]) -> list[str]:
    """A command with these options on the run's text; `--` protects a name that looks like an option."""
    names = run.corpus.names
    if any(name.startswith("-") and name != STDIN for name in names):
        return ["charrnn", "train", *options, "--", *names]
    return ["charrnn", "train", *names, *options]


def budget_arguments(run: Run) -> list[str]:
    """The current budget as an option: in steps if their number is known, else in minutes."""
    schedule = run.schedule
    if schedule.total is not None:
        return ["--steps", str(schedule.total - schedule.start)]
    return [] if schedule.seconds is None else ["--minutes", f"{schedule.seconds / 60:g}"]
