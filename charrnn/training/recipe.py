"""What is chosen where the user chose nothing, and why.

The cell is the LSTM. The rest follows four rules, from the measured runs in benchmarks/README.md:

1. The more often a text can be read, and by the more weights for each of its characters, the more networks share the
   time: as the root of that product. What one network cannot learn from so much text, several in the mean can.
2. The more time, the larger each network: it must be small enough to make some hundreds of steps.
3. The more weights a network has for each character of the text, and the more often it will read it, the more dropout
   in the end: else the text is learnt by heart. Of several each may learn some by heart, since not all learn the same.
4. The more units, the smaller the learning rate: as one over the hidden units of all layers together,
   but not over twice that of one layer of 256.

A budget is compared as the arithmetic that fits into it. For one in minutes that takes the speed of the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

from ..parallel.partition import busy_threads

if TYPE_CHECKING:  # --help does not wait for NumPy
    from ..nn.config import ModelConfig

MIDDLE = (256, 2)  # hidden units and layers
SHAPES = [
    (2.5e12, (128, 1)),
    (7.5e12, (256, 1)),
    (1.6e13, (192, 2)),
    (4e13, MIDDLE),
    (4e14, (512, 2)),
    (inf, (1024, 2)),
]  # with the most arithmetic for each
MOST_NETWORKS = 8
LEAST_READ = 700_000  # characters, or the text LEAST_READINGS times: where several networks would read less than
LEAST_READINGS = 10  # either, fewer of them are better
WIDTH = 256  # hidden units in one layer, for which the rates are
LEARNING_RATES = {"rnn": 0.008, "gru": 0.012, "lstm": 0.02}  # Adam's; gates bear more
MOST_RATE = 2.0  # times that, for smaller networks
DROPOUT = 0.033  # for a weight for each character and a text that is read once; grows with the roots of both
ARITHMETIC = 6  # multiplications and additions for each number multiplied with and character, forward and backward
LEAST_DROPOUT = 0.05  # less is not worth the steps that it takes from a short run
MOST_DROPOUT = 0.5
DEFAULT_MINUTES = 3.0
MOST_EPOCHS = 30  # more than that, and a small text is learnt by heart
FEWEST_STEPS = 300
UNITS_HALF = 100  # hidden units with which training is half as fast as with ever more of them
UNITS_FULL = 512  # for which the speed of the machine is given


@dataclass(frozen=True)
class Budget:
    """How long a run is to be: it ends after so many seconds, or so many characters read, whichever comes first.

    `speed` is the arithmetic a second that training a network of 512 units reaches on one thread; without seconds it
    does not matter. `threads` and `batch_size` tell how many threads have something to do.
    """

    seconds: float = inf
    characters: float = inf
    speed: float = 1.0
    threads: int = 1
    batch_size: int = 32

    def arithmetic(self, shape: ModelConfig) -> float:
        """The multiplications and additions that fit into the time, or that one network of this shape makes.

        The first depends on how many threads its networks keep busy.
        """
        one = shape.multiplied / shape.networks
        return min(self._in_time(shape.networks), self.characters * one * ARITHMETIC)

    def characters_with(self, shape: ModelConfig) -> float:
        """The characters that networks of this shape read meanwhile."""
        reached = shape.hidden / (shape.hidden + UNITS_HALF) * (1 + UNITS_HALF / UNITS_FULL)
        return min(self.characters, self._in_time(shape.networks) * reached / ARITHMETIC / shape.multiplied)

    def _in_time(self, networks: int) -> float:
        return self.seconds * self.speed * busy_threads(self.threads, networks, self.batch_size)


def networks(arithmetic: float, characters: int) -> int:
    """How many networks should share so much arithmetic on a text of so many characters.

    arithmetic / ARITHMETIC / characters is what one network would be multiplied with, times its readings of the text;
    per character it is what the root is taken of.
    """
    return max(1, min(MOST_NETWORKS, round(sqrt(arithmetic / ARITHMETIC) / characters)))


def enough(read: float, characters: int) -> bool:
    """Will each of several networks have learnt enough that reads so much, of a text of so many characters?"""
    return read >= min(LEAST_READ, LEAST_READINGS * characters)


def shape(arithmetic: float) -> tuple[int, int]:
    """Hidden units and layers of a network for so much arithmetic."""
    return next(shape for most, shape in SHAPES if arithmetic <= most)


def dropout(readings: float, shape: ModelConfig, characters: int) -> float:
    """What each network drops in the last step, where a text of so many characters will be read so many times.

    By the weights of one network, over their number: the mean of several needs less, the more of them there are.
    """
    weights = shape.multiplied / shape.networks / characters
    share = round(min(MOST_DROPOUT, DROPOUT * sqrt(readings * weights / shape.networks)), 2)
    return share if share >= LEAST_DROPOUT else 0.0


def learning_rate(cell: str, hidden: int, layers: int) -> float:
    """The highest learning rate for a cell: the more units, the smaller the steps."""
    return float(f"{LEARNING_RATES[cell] * min(MOST_RATE, WIDTH / (hidden * layers)):.2g}")


def default_steps(epoch_steps: int) -> int:
    """The most steps that a run without a budget of its own makes, however fast they are."""
    return max(FEWEST_STEPS, MOST_EPOCHS * epoch_steps)
