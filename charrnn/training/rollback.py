"""Going back to where all was well, when a loss, the gradient or the weights stop being finite numbers.

The state to go back to is copied at fixed step counts: where the budget begins, every SNAPSHOT_EVERY steps (if the loss
is that of a model which has learnt anything), and at each validation that is the best so far. It is saved with the run,
so a run that is stopped between that step and the divergence does afterwards what it would have done.
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
HOPELESS = 2  # times the loss of a guess among all characters: not worth going back to
SLOWER = 0.25  # of the learning rate is kept each time
TRIES = 4  # from the same state


@dataclass(frozen=True)
class Recovery:
    """A run went back: `what` stopped being finite at step `failed`, counted from 1, and `step` steps were kept."""

    what: str
    failed: int
    step: int
    lr: float  # the highest of the schedule from here on


def highest_rate(run: Run) -> float:
    """The learning rate that the run's schedule starts from, lowered by each time it had to go back."""
    return run.options.lr * SLOWER ** len(run.progress.recoveries)


def is_sane(run: Run, loss: float) -> bool:
    """Is a state with this loss worth going back to?"""
    return loss <= HOPELESS * log(max(2, run.config.vocab_size))


def take_snapshot(run: Run) -> None:
    """Keep a copy of the run's present state."""
    arrays = run.snapshot.arrays if run.snapshot else tuple(params.zeros_like() for params in _moving(run))
    for copy, own in zip(arrays, _moving(run), strict=True):
        copy.flat[:] = own.flat
    run.snapshot = Snapshot(arrays, _copy(run.state), run.progress.step)


def roll_back(run: Run, what: str, failed: int) -> Recovery:
    """Put a run in which `what` is not finite at step `failed` (from 1) back, to go on with a lower learning rate.

    Raises DivergedError, once it is back, if TRIES attempts from there have failed.
    """
    good, progress = run.snapshot, run.progress
    if good is None:
        raise ValueError("nothing is remembered")
    for copy, own in zip(good.arrays, _moving(run), strict=True):
        own.flat[:] = copy.flat
    run.whitening.forget_roots()
    run.state = _copy(good.state)
    progress.step = run.adam.updates = good.step
    progress.validations = [(step, loss) for step, loss in progress.validations if step <= good.step]
    tried = sum(1 for _ in takewhile(lambda one: one[1] == good.step, reversed(progress.recoveries)))
    if tried == TRIES:
        raise DivergedError(
            f"the {what} at step {failed:,} is not finite, as it was when the run went back before; it was put back to "
            f"step {good.step:,}. Start again with a lower --lr (it was {run.options.lr:g}, and then lowered to "
            f"{highest_rate(run):.2g}) or a --grad-clip"
        )
    progress.recoveries.append((failed, good.step))
    return Recovery(what, failed, good.step, highest_rate(run))


def _moving(run: Run) -> tuple[Params, ...]:
    """Everything that a step changes, but for the carried state."""
    return run.network.params, run.adam.m, run.adam.v, run.adam.average, run.whitening.moments


def _copy(state: State) -> State:
    return tuple(tuple(part.copy() for part in layer) for layer in state)
