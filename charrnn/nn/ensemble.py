"""An ensemble: several networks of one shape, each with its own weights, whose probabilities are averaged.

    p(y) = mean over n of softmax(logits^n)_y

Each learns from the same chunks by its own loss. They differ in their initial weights and their dropout masks. Once a
text has taught one network all it can, an ensemble is better than one larger network with as many weights.
Source: Hansen and Salamon, "Neural network ensembles" (1990); Lakshminarayanan et al., "Simple and scalable predictive
uncertainty estimation using deep ensembles" (2017). Measurements: benchmarks/HISTORY.md,
"How many networks?".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import log
from typing import Any, TypeVar

import numpy as np

from .config import ModelConfig
from .loss import log_softmax
from .model import Model, State
from .params import Array, Params
from .stepper import Stepper, StepperState
from .workspace import Workspace

Layer = TypeVar("Layer")


class Ensemble:
    """Has the forward pass of a `Model`. Its state holds the layers of the first network, then of the second, ..."""

    def __init__(self, config: ModelConfig, params: Params) -> None:
        self.config, self.params = config, params
        one = replace(config, networks=1)
        self.networks = [Model(one, params.network(number)) for number in range(config.networks)]

    def __reduce__(self) -> tuple[Any, ...]:
        return Ensemble, (self.config, self.params)  # so that in a copy, too, the networks share its parameters

    def zero_state(self, B: int) -> State:
        """The state of B streams that have read nothing."""
        return tuple(layer for network in self.networks for layer in network.zero_state(B))

    def workspace(self, T: int, B: int) -> Workspace:
        """Buffers for chunks of T characters in B streams, used by one network after another."""
        return self.networks[0].workspace(T, B)

    def forward(self, x: Array, state: State, work: Workspace) -> State:
        """Read the ids x (T, B) and write ln p of each possible next character to `work.logits` (V, T*B).

        Returns the state after the last character.
        """
        new: list[tuple[Array, ...]] = []

        def logs() -> Iterator[Array]:
            for network, own in zip(self.networks, split_by_network(state, len(self.networks)), strict=True):
                new.extend(network.forward(x, own, work))
                yield log_softmax(work.logits)

        work.logits[...] = log_mean(logs())
        return tuple(new)


class EnsembleStepper:
    """Has the methods of a `Stepper`."""

    def __init__(self, networks: Sequence[Model]) -> None:
        self.steppers = [Stepper(network) for network in networks]

    def start(self, state: State) -> StepperState:
        """The stepper's state for a recurrent state."""
        parts = zip(self.steppers, split_by_network(state, len(self.steppers)), strict=True)
        return tuple(layer for stepper, own in parts for layer in stepper.start(own))

    def step(self, x: Array, stepper_state: StepperState) -> tuple[Array, StepperState]:
        """Read the ids x (B,). Returns ln p (V, B) of each possible next character, and the state for the next step."""
        parts = zip(self.steppers, split_by_network(stepper_state, len(self.steppers)), strict=True)
        logits, new = zip(*(stepper.step(x, own) for stepper, own in parts), strict=True)
        return log_mean(map(log_softmax, logits)), tuple(layer for own in new for layer in own)


Network = Model | Ensemble


def make_network(config: ModelConfig, params: Params) -> Network:
    """A `Model`, or an `Ensemble` if the config has several networks."""
    return Model(config, params) if config.networks == 1 else Ensemble(config, params)


def networks_of(network: Network) -> list[Model]:
    """The networks of an ensemble, or the only one."""
    return network.networks if isinstance(network, Ensemble) else [network]


def make_stepper(network: Network) -> Stepper | EnsembleStepper:
    """A stepper, which reads one character at a time."""
    return EnsembleStepper(network.networks) if isinstance(network, Ensemble) else Stepper(network)


def split_by_network(layers: tuple[Layer, ...], count: int) -> Iterator[tuple[Layer, ...]]:
    """Split the layers of an ensemble of `count` networks by network."""
    each = len(layers) // count
    return (layers[start : start + each] for start in range(0, len(layers), each))


def log_mean(logs: Iterable[Array]) -> Array:
    """The logarithm of the mean of probabilities given as logarithms. Overwrites and returns the first array."""
    logs = iter(logs)
    total, count = next(logs), 1
    for more in logs:
        np.logaddexp(total, more, out=total)
        count += 1
    total -= log(count)
    return total
