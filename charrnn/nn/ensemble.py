"""Several networks of one shape, each with weights of its own, whose probabilities are averaged.

    p(y) = mean over n of softmax(logits^n)_y

Each learns from the same chunks by its own loss; they differ in their initial weights and in what is dropped. Where a
text has taught one network all that it can, the mean is better than a larger network of as many weights would be.
Source: Hansen and Salamon, "Neural network ensembles" (1990); Lakshminarayanan et al., "Simple and scalable predictive
uncertainty estimation using deep ensembles" (2017). What it gives is in benchmarks/HISTORY.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import log
from typing import TypeVar

import numpy as np

from .config import ModelConfig
from .loss import log_softmax
from .model import Model, State
from .params import Array, Params
from .stepper import Stepper, StepperState
from .workspace import Workspace

Layer = TypeVar("Layer")


class Ensemble:
    """Reads as a `Model` does. Its state has the layers of the first network, then those of the next, and so on."""

    def __init__(self, config: ModelConfig, params: Params) -> None:
        self.config, self.params = config, params
        one = replace(config, networks=1)
        self.networks = [Model(one, params.network(number)) for number in range(config.networks)]

    def zero_state(self, B: int) -> State:
        """The state of B streams that have read nothing."""
        return tuple(layer for network in self.networks for layer in network.zero_state(B))

    def workspace(self, T: int, B: int) -> Workspace:
        """Buffers for chunks of T characters in B streams, which the networks use in turn."""
        return self.networks[0].workspace(T, B)

    def forward(self, x: Array, state: State, work: Workspace) -> State:
        """Read the ids x (T, B) and leave in `work.logits` (V, T*B) ln p of each possible next character.

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
    """Steps as a `Stepper` does."""

    def __init__(self, networks: Sequence[Model]) -> None:
        self.steppers = [Stepper(network) for network in networks]

    def carry(self, state: State) -> StepperState:
        """What `step` needs to go on from a state."""
        parts = zip(self.steppers, split_by_network(state, len(self.steppers)), strict=True)
        return tuple(layer for stepper, own in parts for layer in stepper.carry(own))

    def step(self, x: Array, stepper_state: StepperState) -> tuple[Array, StepperState]:
        """Read the ids x (B,): ln p (V, B) of what follows, and what to carry to the next step."""
        parts = zip(self.steppers, split_by_network(stepper_state, len(self.steppers)), strict=True)
        logits, new = zip(*(stepper.step(x, own) for stepper, own in parts), strict=True)
        return log_mean(map(log_softmax, logits)), tuple(layer for own in new for layer in own)


Network = Model | Ensemble


def make_network(config: ModelConfig, params: Params) -> Network:
    """The network of this config, or the several of it."""
    return Model(config, params) if config.networks == 1 else Ensemble(config, params)


def networks_of(network: Network) -> list[Model]:
    """The single networks."""
    return network.networks if isinstance(network, Ensemble) else [network]


def make_stepper(network: Network) -> Stepper | EnsembleStepper:
    """What reads one character at a time."""
    return EnsembleStepper(network.networks) if isinstance(network, Ensemble) else Stepper(network)


def split_by_network(layers: tuple[Layer, ...], count: int) -> Iterator[tuple[Layer, ...]]:
    """The layers of each of so many networks."""
    each = len(layers) // count
    return (layers[start : start + each] for start in range(0, len(layers), each))


def log_mean(logs: Iterable[Array]) -> Array:
    """ln of the mean of probabilities whose logarithms are given, one at a time; the first becomes the answer."""
    logs = iter(logs)
    total, count = next(logs), 1
    for more in logs:
        np.logaddexp(total, more, out=total)
        count += 1
    total -= log(count)
    return total
