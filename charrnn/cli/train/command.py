"""charrnn train"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from ...system.cores import physical_cores
from ...training import DEFAULT_MINUTES, MOST_DROPOUT
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
    help=f"Train for about X minutes.  [default: {DEFAULT_MINUTES:g}, less for a short text]",
)
@click.option("--epochs", type=real(0, 1e6, above=True), metavar="X", help="Train for X passes over the text.")
@click.option("--steps", type=whole(1, 10**12), metavar="N", help="Train for N steps.")
@click.option(
    "--cell",
    type=click.Choice(["rnn", "lstm", "gru"]),
    default="lstm",
    show_default=True,
    help="The recurrent cell.",
)
@click.option(
    "--hidden",
    type=whole(1, 2**20),
    metavar="N",
    help="Hidden units per layer.  [default: depends on the budget]",
)
@click.option("--layers", type=whole(1, 100), metavar="N", help="Recurrent layers.  [default: depends on the budget]")
@click.option(
    "--networks",
    type=whole(1, 100),
    metavar="N",
    help="Networks to train side by side; their probabilities are averaged.  [default: depends on the budget and the "
    "text; 1 if you set --hidden or --layers]",
)
@click.option(
    "--dropout",
    type=real(0, 0.99),
    metavar="X",
    help="Dropout of each layer's outputs in the last step; it grows linearly from 0.  [default: up to "
    f"{MOST_DROPOUT}, more for a network that is large for its text and for many epochs, less for several "
    "networks]",
)
@click.option(
    "--recurrent-dropout",
    type=real(0, 0.99),
    metavar="X",
    help="Dropout of each layer's recurrent weights, likewise.  [default: the same as --dropout]",
)
@click.option(
    "--batch-size",
    type=whole(1, 2**20),
    default=32,
    show_default=True,
    metavar="N",
    help="Streams of text that are read in parallel.",
)
@click.option(
    "--seq-length",
    type=whole(1, 2**20),
    default=64,
    show_default=True,
    metavar="N",
    help="Characters of each stream in a step: how far gradients are propagated back.",
)
@click.option(
    "--lr",
    type=real(0, 1e6, above=True),
    metavar="X",
    help="Highest learning rate.  [default: depends on cell, hidden size and layers]",
)
@click.option(
    "--grad-clip",
    type=real(0),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Clip gradients to this norm; 0 disables clipping.",
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
    help="Fraction of the text, at its end, to hold out for validation; 0 for no validation.",
)
@click.option(
    "--val-every",
    type=whole(1, 10**12),
    metavar="N",
    help="Steps between validations.  [default: 20 validations in total, fewer in a short run]",
)
@click.option(
    "--seed",
    type=SEED,
    default=1,
    show_default=True,
    metavar="N",
    help="The same seed and command give the same model.",
)
@threads_option
@click.option("--encoding", default="utf-8", show_default=True, metavar="NAME", help="The text's encoding.")
@click.option("--bytes", "as_bytes", is_flag=True, help="Read bytes instead of characters, from a file of any kind.")
@click.option(
    "--lines",
    is_flag=True,
    default=False,
    help="Treat each line as a separate record (a name, a molecule, a log line). Whole records are held out at random, "
    "by the seed; duplicates are held out together.",
)
@click.option("--resume", is_flag=True, help="Continue the run in the checkpoint. A budget is added to it.")
@click.option("--init-from", metavar="FILE", help="Start from the weights of this checkpoint.")
@click.option(
    "--force",
    is_flag=True,
    help="Replace an existing checkpoint, kept as FILE.bak from the first validation on.",
)
@click.option(
    "--save-every",
    type=real(0, 1e9),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to save the checkpoint; less often if saving would take over 1% of the time.",
)
@click.option(
    "--log", "log_file", metavar="FILE", help="Append a JSON line for each logged step and validation to this file."
)
@click.option(
    "--log-every",
    type=whole(1),
    default=10,
    show_default=True,
    metavar="N",
    help="Log every N-th step.",
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
    """Train a model on a text: one or more files, concatenated; - is standard input; .gz, .bz2, .xz are decompressed.

    Ctrl-C stops and saves; --resume continues as if training had never stopped.

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
        click.echo(f"charrnn: {checkpoint}: cannot be locked; make sure that no other run saves to it", err=True)
    threads = threads or physical_cores()
    if resume:
        prepared = resume_run(corpus, resume_path(slot), options, threads)
    else:
        prepared = start_run(corpus, options, threads)
    run = prepared.run
    check_paths(run.corpus.names, checkpoint, log_file, may_exist)
    for line in [] if resume else adjustments(run, options):
        click.echo(line, err=True)

    set_budget(run, options, checkpoint, resume)
    if run.finished and run.closed:
        slot.commit()
        steps = plural(run.progress.step, "step")
        click.echo(f"{checkpoint} is finished: {steps}. For more, add --minutes, --epochs or --steps.", err=True)
        return
    if not resume:
        slot.start()
    log = JsonLog(log_file, log_every, partial(click.echo, err=True))
    session = Session(prepared, slot, threads, save_every, quiet, log, began)
    if not session.train():
        ctx.exit(130)
