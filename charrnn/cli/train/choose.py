"""What a new run is made of where the options say nothing: from its budget and its text, by the rules in `recipe`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

from ...nn.config import ModelConfig
from ...system.speed import training_speed
from ...text.batches import epoch_chunks
from ...training import recipe
from ..options import words

LEFT_OPEN = ("hidden", "layers", "networks", "dropout", "lr")


def planned(chosen: Mapping[str, Any], training: int, batch_size: int, seq_length: int, threads: int) -> recipe.Budget:
    """The budget that the options give a run on so many characters; three minutes at most if they give none."""
    step = batch_size * seq_length
    if chosen["minutes"] is not None:
        return recipe.Budget(60 * chosen["minutes"], inf, training_speed(), threads, batch_size)
    if chosen["epochs"] is not None:
        return recipe.Budget(characters=chosen["epochs"] * training)
    if chosen["steps"] is not None:
        return recipe.Budget(characters=chosen["steps"] * step)
    most = step * recipe.default_steps(epoch_chunks(training, batch_size, seq_length))
    return recipe.Budget(60 * recipe.DEFAULT_MINUTES, most, training_speed(), threads, batch_size)


def choose(values: dict[str, Any], budget: recipe.Budget, vocab_size: int, training: int) -> str:
    """Fill in what is None in `values`; a line on what was chosen and why."""
    left_open = [name for name in LEFT_OPEN if values[name] is None]
    training = max(1, training)
    middle = ModelConfig(vocab_size, values["cell"], *recipe.MIDDLE)

    def of(count: int) -> ModelConfig:
        """So many networks, with the shape that was asked for or suits the budget."""
        hidden, layers = recipe.shape(budget.arithmetic(replace(middle, networks=count)) / count)
        return replace(middle, hidden=values["hidden"] or hidden, layers=values["layers"] or layers, networks=count)

    def fitting(count: int) -> bool:
        wanted = recipe.networks(budget.arithmetic(replace(middle, networks=count)), training)
        return count <= wanted and recipe.enough(budget.characters_with(of(count)), training)

    several = filter(fitting, range(recipe.MOST_NETWORKS, 1, -1))
    shape = of(values["networks"] or next(several, 1))
    values |= {"hidden": shape.hidden, "layers": shape.layers, "networks": shape.networks}
    readings = budget.characters_with(shape) / training
    if values["dropout"] is None:
        values["dropout"] = recipe.dropout(readings, shape, training)
    if values["lr"] is None:
        values["lr"] = recipe.learning_rate(shape.cell, shape.hidden, shape.layers)
    times = f"{readings:,.0f}" if readings > 10 else f"{readings:.1f}"
    choice = ", ".join(f"{words(name)} {values[name]}" for name in left_open)
    return f"chosen for a text that will be read about {times} times: {choice}"
