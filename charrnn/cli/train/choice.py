"""What the user left open in a new run: asks `training.recipe` for it and puts the answer into words."""

from __future__ import annotations

from math import inf

from ...language_model import LanguageModel
from ...system.speed import training_speed
from ...text.batches import epoch_chunks, shrink_to_text
from ...training import DEFAULT_MINUTES, recipe
from ...training.recipe import Budget, Choice, Requested
from ..options import flag
from .train_options import TrainOptions

OPEN = ("hidden", "layers", "networks", "dropout", "lr")  # chosen by the recipe if None


def complete(
    options: TrainOptions, init_from: LanguageModel | None, vocab_size: int, training: int, threads: int
) -> tuple[Choice, str | None]:
    """The settings of a run on `training` characters, and a line on what was chosen; None if nothing was left open."""
    requested = requested_settings(options, init_from)
    is_open = any(getattr(requested, name) is None for name in OPEN)
    budget = planned_budget(options, training, threads) if is_open else Budget()  # no need to measure the machine
    choice = recipe.choose(requested, budget, vocab_size, training)
    return choice, describe(requested, choice) if is_open else None


def requested_settings(options: TrainOptions, init_from: LanguageModel | None) -> Requested:
    """What the options fix: with --init-from the shape, and a single network if its size is given."""
    if init_from:
        shape = init_from.network.config
        return Requested(shape.cell, shape.hidden, shape.layers, shape.networks, options.dropout, options.lr)
    networks = options.networks
    if networks is None and (options.hidden or options.layers):
        networks = 1
    return Requested(options.cell, options.hidden, options.layers, networks, options.dropout, options.lr)


def planned_budget(options: TrainOptions, training: int, threads: int) -> Budget:
    """The budget of a run on `training` characters; three minutes or less if the options give none."""
    batch_size, seq_length = shrink_to_text(training, options.batch_size, options.seq_length)
    if options.minutes is not None:
        return Budget(60 * options.minutes, inf, training_speed(), threads, batch_size)
    if options.epochs is not None:
        return Budget(characters=options.epochs * training)
    if options.steps is not None:
        return Budget(characters=options.steps * batch_size * seq_length)
    most = batch_size * seq_length * recipe.default_steps(epoch_chunks(training, batch_size, seq_length))
    return Budget(60 * DEFAULT_MINUTES, most, training_speed(), threads, batch_size)


def describe(requested: Requested, choice: Choice) -> str:
    """A line on what was chosen, as options to type."""
    times = f"{choice.readings:,.0f}" if choice.readings > 10 else f"{choice.readings:.1f}"
    chosen = ", ".join(f"{flag(name)} {getattr(choice, name)}" for name in OPEN if getattr(requested, name) is None)
    return f"chosen for a text that will be read about {times} times: {chosen}"
