"""What a new run is made of where the user left something open, and why.

The cell is the LSTM. The rest follows four rules, from the measurements in benchmarks/HISTORY.md:

1. The number of networks grows as the square root of (readings of the text) x (weights per character of the text).
   Several networks, averaged, learn more from a text that is read often than one network can.
2. The more time, the larger each network: it must be small enough to make some hundreds of steps.
3. The final dropout grows with the weights per character of the text and with the readings; without it the network
   memorises the text. The average of several networks needs less, because they do not memorise the same things.
4. The learning rate is inversely proportional to the hidden units of all layers together, and at most twice the rate
   of one layer of 256.

Budgets are compared by the arithmetic that fits into them. For a budget in seconds that takes the machine's speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import TYPE_CHECKING

from ..parallel.partition import busy_threads
from . import MOST_DROPOUT

if TYPE_CHECKING:  # --help needs a few numbers from here and must not wait for NumPy
    from ..nn.config import ModelConfig

MIDDLE = (256, 2)  # hidden units and layers of the network that budgets are measured by
SHAPES = [
    (2.5e12, (128, 1)),
    (7.5e12, (256, 1)),
    (1.6e13, (192, 2)),
    (4e13, MIDDLE),
    (4e14, (512, 2)),
    (inf, (1024, 2)),
]  # the most arithmetic for each (hidden units, layers)
MOST_NETWORKS = 8
LEAST_READ = 700_000  # characters that each of several networks must read, unless it reads the text this many times:
LEAST_READINGS = 10
WIDTH = 256  # hidden units of one layer, which LEARNING_RATES are for
LEARNING_RATES = {"rnn": 0.008, "gru": 0.012, "lstm": 0.02}  # for Adam; gated cells tolerate higher rates
MOST_RATE = 2.0  # smaller networks get at most this many times the rate in LEARNING_RATES
DROPOUT = 0.033  # with one weight per character and one reading; it grows with the square root of both
ARITHMETIC = 6  # operations per weight and character: a multiplication and an addition, forward and twice backward
LEAST_DROPOUT = 0.05  # a smaller rate does not pay in a short run
MOST_EPOCHS = 30  # of a run without a budget: with more, a small text is memorised
FEWEST_STEPS = 300
UNITS_HALF = 100  # hidden units with which training reaches half the speed of a very large network
UNITS_FULL = 512  # hidden units that the machine's speed is measured for


@dataclass(frozen=True)
class Budget:
    """The length of a run, which ends after so many seconds or characters read, whichever comes first.

    `speed` is the arithmetic per second that training a network of 512 units reaches on one thread; it matters only
    with `seconds`. `threads` and `batch_size` decide how many threads are busy.
    """

    seconds: float = inf
    characters: float = inf
    speed: float = 1.0
    threads: int = 1
    batch_size: int = 32

    def arithmetic(self, shape: ModelConfig) -> float:
        """The multiplications and additions that the budget allows: in its seconds, or for one network's characters.

        The first depends on how many threads the networks of `shape` keep busy.
        """
        one = shape.multiplied / shape.networks
        return min(self._in_time(shape.networks), self.characters * one * ARITHMETIC)

    def characters_with(self, shape: ModelConfig) -> float:
        """The characters that networks of this shape read within the budget."""
        reached = shape.hidden / (shape.hidden + UNITS_HALF) * (1 + UNITS_HALF / UNITS_FULL)
        return min(self.characters, self._in_time(shape.networks) * reached / ARITHMETIC / shape.multiplied)

    def _in_time(self, networks: int) -> float:
        return self.seconds * self.speed * busy_threads(self.threads, networks, self.batch_size)


@dataclass(frozen=True)
class Requested:
    """What the user fixed; None is left open."""

    cell: str
    hidden: int | None = None
    layers: int | None = None
    networks: int | None = None
    dropout: float | None = None
    lr: float | None = None


@dataclass(frozen=True)
class Choice:
    """The settings of a new run, and how many times it will read its text."""

    hidden: int
    layers: int
    networks: int
    dropout: float
    lr: float
    readings: float


def choose(requested: Requested, budget: Budget, vocab_size: int, training_characters: int) -> Choice:
    """Keep what `requested` fixes and choose the rest by the rules above."""
    T = max(1, training_characters)
    config = choose_shape(requested, budget, vocab_size, T)
    readings = budget.characters_with(config) / T
    return Choice(
        config.hidden,
        config.layers,
        config.networks,
        dropout=dropout(readings, config, T) if requested.dropout is None else requested.dropout,
        lr=learning_rate(config.cell, config.hidden, config.layers) if requested.lr is None else requested.lr,
        readings=readings,
    )


def choose_shape(requested: Requested, budget: Budget, vocab_size: int, training_characters: int) -> ModelConfig:
    """The most networks that the text and the budget bear, each as large as its share of the budget allows."""
    from ..nn.config import ModelConfig

    middle = ModelConfig(vocab_size, requested.cell, *MIDDLE)

    def arithmetic(count: int) -> float:
        return budget.arithmetic(replace(middle, networks=count))

    def with_networks(count: int) -> ModelConfig:
        hidden, layers = shape(arithmetic(count) / count)
        return replace(middle, hidden=requested.hidden or hidden, layers=requested.layers or layers, networks=count)

    def fits(count: int) -> bool:
        wanted = networks(arithmetic(count), training_characters)
        return count <= wanted and enough(budget.characters_with(with_networks(count)), training_characters)

    if requested.networks:
        return with_networks(requested.networks)
    return with_networks(next(filter(fits, range(MOST_NETWORKS, 1, -1)), 1))


def networks(arithmetic: float, characters: int) -> int:
    """How many networks should share a budget on a training text of so many characters.

    The square root of weights * readings / characters, where `arithmetic` = ARITHMETIC * weights * readings *
    characters is what one network computes.
    """
    return max(1, min(MOST_NETWORKS, round(sqrt(arithmetic / ARITHMETIC) / characters)))


def enough(read: float, characters: int) -> bool:
    """Whether each of several networks learns enough if it reads `read` characters, from a text of `characters`."""
    return read >= min(LEAST_READ, LEAST_READINGS * characters)


def shape(arithmetic: float) -> tuple[int, int]:
    """The hidden units and layers of a network for so much arithmetic."""
    return next(shape for most, shape in SHAPES if arithmetic <= most)


def dropout(readings: float, shape: ModelConfig, characters: int) -> float:
    """The dropout of each network in the last step, if it reads a text of so many characters `readings` times.

    DROPOUT * sqrt(readings * weights / characters / networks), where `weights` are those of one network.
    """
    weights = shape.multiplied / shape.networks / characters
    share = round(min(MOST_DROPOUT, DROPOUT * sqrt(readings * weights / shape.networks)), 2)
    return share if share >= LEAST_DROPOUT else 0.0


def learning_rate(cell: str, hidden: int, layers: int) -> float:
    """The highest learning rate, rounded to two digits: inversely proportional to the hidden units of all layers."""
    return float(f"{LEARNING_RATES[cell] * min(MOST_RATE, WIDTH / (hidden * layers)):.2g}")


def default_steps(epoch_steps: int) -> int:
    """The most steps of a run without a budget, however fast they are."""
    return max(FEWEST_STEPS, MOST_EPOCHS * epoch_steps)
