"""What a new run is made of where the options say nothing: from its budget and its text, by the rules in `recipe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import recipe
from ..nn.config import ModelConfig
from ..speed import training_speed
from ..text.batches import epoch_chunks
from .options import words

LEFT_OPEN = ("hidden", "layers", "networks", "dropout", "lr")


def planned(chosen: Mapping[str, Any], training: int, batch_size: int, seq_length: int, threads: int) -> recipe.Budget:
    """The budget that the options give a run on so many characters; three minutes at most if they give none."""
    step = batch_size * seq_length
    if chosen["minutes"] is not None:
        return recipe.Budget(60 * chosen["minutes"], speed=training_speed(threads))
    if chosen["epochs"] is not None:
        return recipe.Budget(characters=chosen["epochs"] * training)
    if chosen["steps"] is not None:
        return recipe.Budget(characters=chosen["steps"] * step)
    most = step * recipe.default_steps(epoch_chunks(training, batch_size, seq_length))
    return recipe.Budget(60 * recipe.DEFAULT_MINUTES, most, training_speed(threads))


def choose(values: dict[str, Any], budget: recipe.Budget, vocab_size: int, training: int) -> str:
    """Fill in what is None in `values`; a line on what was chosen and why."""
    left_open = [name for name in LEFT_OPEN if values[name] is None]
    training = max(1, training)
    arithmetic = budget.arithmetic_with(ModelConfig(vocab_size, values["cell"], *recipe.MIDDLE))
    counts = range(recipe.networks(arithmetic, training), 0, -1)
    for count in [values["networks"]] if values["networks"] else counts:
        hidden, layers = recipe.network(arithmetic / count)
        shape = ModelConfig(vocab_size, values["cell"], values["hidden"] or hidden, values["layers"] or layers, count)
        if recipe.enough(budget.characters_with(shape), training):
            break
    values |= {"hidden": shape.hidden, "layers": shape.layers, "networks": shape.networks}
    readings = budget.characters_with(shape) / training
    if values["dropout"] is None:
        values["dropout"] = recipe.dropout(readings, shape, training)
    if values["lr"] is None:
        values["lr"] = recipe.learning_rate(shape.cell, shape.hidden, shape.layers)
    times = f"{readings:,.0f}" if readings > 10 else f"{readings:.1f}"
    choice = ", ".join(f"{words(name)} {values[name]}" for name in left_open)
    return f"chosen for a text that will be read about {times} times: {choice}"
