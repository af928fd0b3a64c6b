"""Budgets: from seconds to steps by timing the first steps, and how often and on how much to validate."""

from __future__ import annotations

from math import ceil
from time import perf_counter

from ..optim.schedule import WARMUP
from .run import Run

VALIDATION_SHARE = 0.05  # of the time of a run, for validation while it trains
EVALUATION_COST = 0.5  # the time to evaluate a character, relative to the time to train on it
CLOSING_SHARE = 0.25  # of a budget in seconds is reserved for the closing validation at most
VALIDATIONS = 20  # in a run, unless it is very short or very long
LONGEST_INTERVAL = 1000  # steps
SHORTEST_VALIDATION = 32768  # characters: fewer make too few windows to read in parallel, and take as long
UNMEASURED = 3  # first steps, which are slower than the others
MEASURED_SHARE = 0.05  # of a budget in seconds is timed at most, unless that is under MEASURED_LEAST steps
MEASURED_LEAST = 3


def validation_interval(steps: int, step_characters: int) -> int:
    """The number of steps between two validations in a run of so many steps. The run ends with a validation.

    It is at least the warm-up, so that a budget in seconds has become steps before the first validation, and large
    enough that each validation can afford to read SHORTEST_VALIDATION characters.
    """
    affordable = int(VALIDATION_SHARE / EVALUATION_COST * steps * step_characters)
    count = min(VALIDATIONS, steps // WARMUP, affordable // SHORTEST_VALIDATION)
    return ceil(steps / max(1, count, ceil(steps / LONGEST_INTERVAL)))


def validation_length(val_every: int, step_characters: int, held_out: int) -> int:
    """How many characters of the held-out part, from its beginning, a validation reads: about 5% of the time.

    It depends on the options only, and not on the speed of the machine, so that a run can be repeated.
    """
    affordable = int(VALIDATION_SHARE / EVALUATION_COST * val_every * step_characters)
    return min(held_out, max(affordable, 2))


def steps_within(seconds: float, step_seconds: float, step_characters: int, held_out: int) -> int:
    """How many steps of `step_seconds` each fit into so many seconds, with their validations and the closing one."""
    evaluation = EVALUATION_COST * step_seconds / step_characters  # seconds per character
    left = seconds - min(held_out * evaluation, CLOSING_SHARE * seconds)
    steps = max(1, int(left / step_seconds))
    every = validation_interval(steps, step_characters)
    per_step = evaluation * validation_length(every, step_characters, held_out) / every
    return max(1, int(left / (step_seconds + per_step)))


def seconds_for(steps: int, step_seconds: float, step_characters: int, held_out: int) -> float:
    """The seconds that so many steps take, with validations and the closing one: the inverse of `steps_within`."""
    evaluation = EVALUATION_COST * step_seconds / step_characters
    every = validation_interval(max(1, steps), step_characters)
    per_step = evaluation * validation_length(every, step_characters, held_out) / every
    return steps * (step_seconds + per_step) + held_out * evaluation


class Pace:
    """Times the steps of a run, together with what the caller does between them.

    `reserved_seconds` of a budget are reserved for the caller.
    """

    def __init__(self, reserved_seconds: float) -> None:
        self.began = perf_counter()
        self.reserved_seconds = reserved_seconds
        self.ticks: list[float] = []  # when each of the first steps began

    def tick(self) -> float:
        """Note that a step begins, and return the time."""
        now = perf_counter()
        if len(self.ticks) <= WARMUP:  # the number of steps is known by then
            self.ticks.append(now)
        return now

    def resolve(self, run: Run, step_characters: int, chunk_characters: int, held_out: int) -> None:
        """Set the number of steps and the validation interval of the run's schedule, once they can be known.

        `step_characters` is the mean number of characters that a step reads, `chunk_characters` that of this step.
        """
        schedule, step = run.schedule, run.progress.step
        if schedule.total is None and self._measured(schedule.seconds, step - schedule.start):
            left = (schedule.seconds or 0) - self.reserved_seconds - (perf_counter() - self.began)
            schedule.total = step + steps_within(left, self._step_seconds(), chunk_characters, held_out)
            if schedule.most_steps is not None:
                schedule.total = max(step, min(schedule.total, schedule.start + schedule.most_steps))
        if schedule.total is not None and schedule.val_every is None:
            schedule.val_every = validation_interval(schedule.total - schedule.start, step_characters)

    def _measured(self, seconds: float | None, done: int) -> bool:
        """Whether enough steps have been timed, after `done` of them."""
        enough = len(self.ticks) > UNMEASURED + MEASURED_LEAST
        return done >= WARMUP or (enough and perf_counter() - self.began > MEASURED_SHARE * (seconds or 0))

    def _step_seconds(self) -> float:
        ticks = [*self.ticks, perf_counter()]
        first = min(UNMEASURED, len(ticks) - 2)
        return (ticks[-1] - ticks[first]) / (len(ticks) - 1 - first)
