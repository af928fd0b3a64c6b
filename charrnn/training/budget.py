"""From a budget to numbers of steps. Everything here is arithmetic; `training` does the measuring."""

from __future__ import annotations

from math import ceil

from ..optim.schedule import WARMUP

VALIDATION_SHARE = 0.05  # of the time of a run goes to validation while it trains
EVALUATION_COST = 0.5  # of the time that training takes for a character, evaluating takes this share
CLOSING_SHARE = 0.25  # at most this share of a budget in time is kept back for the closing validation
VALIDATIONS = 20  # in a run, unless it is very short or very long
LONGEST_INTERVAL = 1000  # steps
SHORTEST_VALIDATION = 32768  # characters: fewer make too few pieces to read side by side, and take as long


def interval(steps: int, step_characters: int) -> int:
    """How many steps lie between two validations of a run of so many steps; the last one ends the run.

    Never less than the warm-up, so that a budget in seconds has become one in steps before the first of them; and so
    many that what a validation may take is enough for SHORTEST_VALIDATION.
    """
    affordable = int(VALIDATION_SHARE / EVALUATION_COST * steps * step_characters)
    count = min(VALIDATIONS, steps // WARMUP, affordable // SHORTEST_VALIDATION)
    return ceil(steps / max(1, count, ceil(steps / LONGEST_INTERVAL)))


def validation_length(val_every: int, step_characters: int, held_out: int) -> int:
    """How many characters at the beginning of the held-out part a validation reads: what takes about 5% of the time.

    Depends on the options only, not on the speed of the machine, so that a run can be had again.
    """
    affordable = int(VALIDATION_SHARE / EVALUATION_COST * val_every * step_characters)
    return min(held_out, max(affordable, 2))


def steps_within(seconds: float, step_seconds: float, step_characters: int, held_out: int) -> int:
    """How many steps fit into so many seconds if each takes `step_seconds`, with validation and the closing one."""
    evaluation = EVALUATION_COST * step_seconds / step_characters  # seconds per character
    left = seconds - min(held_out * evaluation, CLOSING_SHARE * seconds)
    steps = max(1, int(left / step_seconds))
    every = interval(steps, step_characters)
    per_step = evaluation * validation_length(every, step_characters, held_out) / every
    return max(1, int(left / (step_seconds + per_step)))


def seconds_for(steps: int, step_seconds: float, step_characters: int, held_out: int) -> float:
    """The time that so many steps take, with validation and the closing one: what `steps_within` turns around."""
    evaluation = EVALUATION_COST * step_seconds / step_characters
    every = interval(max(1, steps), step_characters)
    per_step = evaluation * validation_length(every, step_characters, held_out) / every
    return steps * (step_seconds + per_step) + held_out * evaluation
