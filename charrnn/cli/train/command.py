"""charrnn train"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from ...system.cores import physical_cores
from ...training import recipe
from ..options import SEED, checkpoint_option, real, threads_option, whole
from ..output import plural

MOST_MINUTES = 1e6


@click.command("train", short_help="Train a model on a text.")
@click.argument("corpus", metavar="CORPUS...", nargs=-1)
@checkpoint_option
@click.option(
    "--minutes",
    type=real(0, MOST_MINUTES, above=True),
    metavar="X",
    help=f"Train for so long.  [default: {recipe.DEFAULT_MINUTES:g}, less for a short text]",
)
@click.option("--epochs", type=real(0, 1e6, above=True), metavar="X", help="Train for so many passes over the text.")
@click.option("--steps", type=whole(1, 10**12), metavar="N", help="Train for so many steps.")
@click.option(
    "--cell",
    type=click.Choice(["rnn", "lstm", "gru"]),
    default="lstm",
    show_default=True,
    help="The kind of recurrence.",
)
@click.option(
    "--hidden",
    type=whole(1, 2**20),
    metavar="N",
    help="Hidden units in a layer.  [default: by the budget]",
)
@click.option("--layers", type=whole(1, 100), metavar="N", help="Recurrent layers.  [default: by the budget]")
@click.option(
    "--networks",
    type=whole(1, 100),
    metavar="N",
    help="Networks that learn side by side; their probabilities are averaged.  [default: by the budget and the text; "
    "1 with --hidden or --layers]",
)
@click.option(
    "--dropout",
    type=real(0, 0.99),
    metavar="X",
    help="Share of each layer's outputs to drop in the last step; it grows evenly from none.  [default: the more "
    "weights for each character of the text, and the more often that will be read, the more, to "
    f"{recipe.MOST_DROPOUT}; less for several networks]",
)
@click.option(
    "--recurrent-dropout",
    type=real(0, 0.99),
    metavar="X",
    help="Share of the weights of each layer's recurrence to drop, likewise.  [default: as --dropout]",
)
@click.option(
    "--batch-size",
    type=whole(1, 2**20),
    default=32,
    show_default=True,
    metavar="N",
    help="Streams of text that are read side by side.",
)
@click.option(
    "--seq-length",
    type=whole(1, 2**20),
    default=64,
    show_default=True,
    metavar="N",
    help="Characters of each stream in a step: as far as gradients reach back.",
)
@click.option(
    "--lr",
    type=real(0, 1e6, above=True),
    metavar="X",
    help="Highest learning rate.  [default: by cell, hidden size and layers]",
)
@click.option(
    "--grad-clip",
    type=real(0),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Greatest length of a gradient; 0 for any.",
)
@click.option(
    "--weight-decay", type=real(0, 1000), default=0.0, show_default=True, metavar="X", help="Decoupled weight decay."
)
@click.option(
    "--val-fraction",
    type=real(0, 1, below=True),
    default=0.1,
    show_default=True,
    metavar="X",
    help="Share of the text, at its end, that is held out for validation; 0 for none.",
)
@click.option(
    "--val-every",
    type=whole(1, 10**12),
    metavar="N",
    help="Steps between validations.  [default: 20 validations in all, fewer in a short run]",
)
@click.option(
    "--seed", type=SEED, default=1, show_default=True, metavar="N", help="Same seed, same command, same model."
)
@threads_option
@click.option("--encoding", default="utf-8", show_default=True, metavar="NAME", help="The text's encoding.")
@click.option("--bytes", "as_bytes", is_flag=True, help="Read bytes instead of characters: any file will do.")
@click.option(
    "--lines",
    is_flag=True,
    default=False,
    help="Each line is a record of its own (a name, a molecule, a log line); the held-out share is of whole records, "
    "drawn by the seed, with equal lines on one side.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in the checkpoint. A budget means that much more.")
@click.option("--init-from", metavar="FILE", help="Begin with the weights of this checkpoint.")
@click.option(
    "--force", is_flag=True, help="Replace an existing checkpoint, which becomes FILE.bak at the first validation."
)
@click.option(
    "--save-every",
    type=real(0, 1e9),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How often the checkpoint is saved; less often where saving would take over 1% of the time.",
)
@click.option(
    "--log", "log_file", metavar="FILE", help="Append a JSON line for logged steps and validations to this file."
)
@click.option(
    "--log-every",
    type=whole(1),
    default=10,
    show_default=True,
    metavar="N",
    help="Steps between logged steps.",
)
@click.option("--quiet", is_flag=True, help="Show errors and warnings only.")
@click.pass_context
def train_command(
    ctx: click.Context,
    /,
    corpus: tuple[str, ...],
    checkpoint: str,
    threads: int | None,
    resume: bool,
    save_every: float,
    log_file: str | None,
    log_every: int,
    quiet: bool,
    **values: Any,
) -> None:
    """Train a model on a text: one or more files, joined; - is standard input; .gz, .bz2, .xz are decompressed.

    Ctrl-C stops and saves; --resume goes on as if nothing had happened.

    \b
    Examples:
      charrnn train corpus.txt
      charrnn train corpus.txt --minutes 10 --cell gru -c gru.npz
      charrnn train corpus.txt --resume --minutes 5
      charrnn train names.txt --lines -c names.npz
      charrnn train program.c.gz --bytes -c code.npz --log code.jsonl
    """
    began = time.perf_counter()
    explicit = frozenset(name for name in ctx.params if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE)
    if not corpus and not resume:
        raise click.UsageError("Missing argument 'CORPUS...': the text to learn from.")
    if len(explicit & {"minutes", "epochs", "steps"}) > 1:
        raise click.UsageError("--minutes, --epochs and --steps all set the budget; give one of them.")

    from ...files.slot import Slot
    from ...training.log import JsonLog
    from .autosave import resume_path
    from .session import Session
    from .setup import adjustments, check_paths, resume_run, set_budget, start_run
    from .train_options import TrainOptions

    options = TrainOptions(explicit=explicit, **values)
    may_exist = resume or options.force
    check_paths(corpus, checkpoint, log_file, may_exist)
    slot = ctx.with_resource(Slot(checkpoint))
    if not slot.locked:
        click.echo(f"{checkpoint}: cannot be locked; make sure that no other run saves to it", err=True)
    threads = threads or physical_cores()
    choice = None
    if resume:
        run, text = resume_run(corpus, resume_path(slot), options, threads)
    else:
        run, text, choice = start_run(corpus, options, threads)
    check_paths(run.corpus.names, checkpoint, log_file, may_exist)
    for line in [] if resume else adjustments(run, options):
        click.echo(line, err=True)

    set_budget(run, options, checkpoint, resume)
    if run.finished and run.closed:
        slot.settle()
        steps = plural(run.progress.step, "step")
        click.echo(f"{checkpoint} is finished: {steps}. For more, add --minutes, --epochs or --steps.", err=True)
        return
    if not resume:
        slot.begin()
    log = JsonLog(log_file, log_every, partial(click.echo, err=True))
    session = Session(run, text, slot, threads, save_every, quiet, log, began, choice)
    if not session.train():
        ctx.exit(130)
