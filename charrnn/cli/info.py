"""charrnn info"""

from __future__ import annotations

import json
from dataclasses import asdict
from math import log

import click

from .options import checkpoint_option, json_option
from .output import duration, network, print_line, strip_control


@click.command("info", short_help="Show what is in a checkpoint.")
@checkpoint_option
@json_option
def info_command(checkpoint: str, as_json: bool) -> None:
    """Show what is in a checkpoint: the network, the vocabulary, the training text, and how it was trained.

    \b
    Examples:
      charrnn info
      charrnn info -c other.npz --json
    """
    from ..checkpoint.load import load

    run = load(checkpoint)
    config, progress, schedule, corpus, options = run.config, run.progress, run.schedule, run.corpus, run.options
    if as_json:
        result = {
            "checkpoint": checkpoint,
            "model": asdict(config),
            "parameters": config.parameters,
            "vocabulary": {"of_bytes": run.vocab.of_bytes, "characters": run.vocab.characters, "size": len(run.vocab)},
            "corpus": asdict(corpus),
            "options": asdict(options),
            "step": progress.step,
            "total_steps": schedule.total,
            "finished": run.finished,
            "elapsed": run.elapsed,
            "best_step": progress.best_step,
            "best_val_loss": progress.best_val_loss,
            "closing_val_loss": progress.closing_val_loss,
            "validations": progress.validations,
            "recoveries": progress.recoveries,
            "commands": run.commands,
        }
        print_line(json.dumps(result))
        return

    def row(name: str, value: str) -> None:
        print_line(f"{name:14}{strip_control(value)}")

    row("checkpoint", checkpoint)
    row("model", network(config))
    row("parameters", f"{config.parameters:,}")
    characters = "all bytes" if run.vocab.of_bytes else _shown(run.vocab.characters)
    row("vocabulary", f"{len(run.vocab):,} {run.vocab.unit}s: {characters}")
    row("corpus", f"{', '.join(corpus.names)}: {corpus.characters:,} {run.vocab.unit}s, sha256 {corpus.sha256[:16]}...")
    if run.training_hashes is not None:
        row("records", f"one a line; the hashes of {len(run.training_hashes):,} distinct training records are stored")
    total = f" of {schedule.total:,}" if schedule.total else ""
    row("trained", f"{progress.step:,}{total} steps in {duration(run.elapsed)}")
    for failed, good in progress.recoveries:
        row("diverged", f"at step {failed:,}; continued from step {good:,} with a lower learning rate")
    if progress.best_val_loss is not None:
        row("best", f"{_figures(progress.best_val_loss)} at step {progress.best_step:,}")
    if progress.closing_val_loss is not None:
        row("held out", f"{_figures(progress.closing_val_loss)}, all of it, with the best weights")
    for command in run.commands:
        row("made by", command)


def _figures(nats: float) -> str:
    return f"{nats:.4f} nats, {nats / log(2):.4f} bits per character"


def _shown(characters: str) -> str:
    first = "".join(c if c.isprintable() else repr(c)[1:-1] for c in characters[:80])
    return first + (" ..." if len(characters) > 80 else "")
