"""Recovery from divergence: when a loss, gradient or weight becomes NaN or infinite, the run goes back to a snapshot.

Snapshots are taken at fixed step counts: at the start of the budget, every SNAPSHOT_EVERY steps if the loss is sane,
and at each validation that is the best so far. The snapshot is saved with the run, so a run that is stopped and resumed
before it diverges goes back to the same state.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from math import log

from ..errors import DivergedError
from ..nn.model import State
from ..nn.params import Params
from .run import Run, Snapshot

SNAPSHOT_EVERY = 100  # steps
INSANE = 2  # times the loss of guessing: a state with a higher loss is not worth going back to
SLOWER = 0.25  # what the learning rate is multiplied by each time
TRIES = 4  # from the same snapshot


class NotFiniteError(Exception):
    """`what` is NaN or infinite. Raised and caught within training; users see DivergedError."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Recovery:
    """A run went back to a snapshot: `what` was not finite at step `failed`, counted from 1; `step` steps were kept."""

    what: str
    failed: int
    step: int
    lr: float  # the highest learning rate of the schedule from here on


def highest_rate(run: Run) -> float:
    """The highest learning rate of the run's schedule, lowered once for each recovery."""
    return run.options.lr * SLOWER ** len(run.progress.recoveries)


def is_sane(run: Run, loss: float) -> bool:
    """Whether a state with this loss is worth going back to."""
    return loss <= INSANE * log(max(2, run.config.vocab_size))


def take_snapshot(run: Run) -> None:
    """Copy the present state of the run, to go back to."""
    arrays = run.snapshot.arrays if run.snapshot else tuple(params.zeros_like() for params in _moving(run))
    for copy, own in zip(arrays, _moving(run), strict=True):
        copy.flat[:] = own.flat
    run.snapshot = Snapshot(arrays, _copy(run.state), run.progress.step)


def roll_back(run: Run, what: str, failed: int) -> Recovery:
    """Put a run back to its snapshot, because `what` is not finite at step `failed`, counted from 1.

    Raises DivergedError, after putting it back, if TRIES attempts from that snapshot have failed.
    """
    snapshot, progress = run.snapshot, run.progress
    if snapshot is None:
        raise ValueError("there is no snapshot")
    for copy, own in zip(snapshot.arrays, _moving(run), strict=True):
        own.flat[:] = copy.flat
    run.whitening.forget_roots()
    run.state = _copy(snapshot.state)
    progress.step = run.adam.updates = snapshot.step
    progress.validations = [(step, loss) for step, loss in progress.validations if step <= snapshot.step]
    tried = sum(1 for _ in takewhile(lambda one: one[1] == snapshot.step, reversed(progress.recoveries)))
    if tried == TRIES:
        raise DivergedError(
            f"training: the {what} at step {failed:,} is not finite, after {TRIES} attempts from step "
            f"{snapshot.step:,} with learning rates from {run.options.lr:g} down to {highest_rate(run):.2g}; start "
            "again with a lower --lr or a lower --grad-clip"
        )
    progress.recoveries.append((failed, snapshot.step))
    return Recovery(what, failed, snapshot.step, highest_rate(run))


def _moving(run: Run) -> tuple[Params, ...]:
    """All arrays that a step changes, except for the carried state."""
    return run.network.params, run.adam.m, run.adam.v, run.adam.average, run.whitening.moments


def _copy(state: State) -> State:
    return tuple(tuple(part.copy() for part in layer) for layer in state)
