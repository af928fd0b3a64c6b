"""One training step: a chunk of the text, its gradient, and an update of the weights."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import numpy as np

from ..nn.model import State
from ..nn.params import Array
from ..optim.adam import clip_gradient
from ..optim.schedule import decay_progress, learning_rate
from ..parallel.data_parallel import DataParallel
from ..prng import RESTARTS, generator
from ..text.batches import Streams
from ..text.records import RecordStreams
from ..text.vocab import Ids
from .rollback import SNAPSHOT_EVERY, NotFiniteError, highest_rate, is_sane, take_snapshot
from .run import Run
from .split import Split

CHUNKS_CARRIED = 32  # the mean number of chunks that a stream reads before its state is reset


@dataclass(frozen=True)
class StepResult:
    """What a step computed."""

    loss: float
    grad_norm: float
    lr: float
    characters: int


def take_step(
    run: Run, streams: Streams | RecordStreams, data_parallel: DataParallel, executor: Executor | None
) -> StepResult:
    """Make one step: the run's weights, optimiser, state and step count change.

    Raises NotFiniteError if the loss, the gradient or a weight is not finite; the step count has not changed then.
    Dropout grows from zero at the end of the warm-up to that of the options at the end of the budget.
    Source: Morerio et al., "Curriculum dropout" (2017), for dropout that grows.
    """
    step, schedule, options = run.progress.step, run.schedule, run.options
    x, y, first = streams.chunk(step)
    state = initial_state(run, first)
    dropout = options.max_dropout.scaled(decay_progress(step, schedule.start, schedule.total))
    loss, grads, new_state = data_parallel.gradient(x, y, state, (options.seed, step), carry_mask(run, x), dropout)
    grad_norm = float(np.max([clip_gradient(one, options.grad_clip) for one in grads.per_network]))
    if not (isfinite(loss) and isfinite(grad_norm)):
        raise NotFiniteError("loss or its gradient")
    if step % SNAPSHOT_EVERY == 0 and is_sane(run, loss):
        take_snapshot(run)
    lr = learning_rate(step, highest_rate(run), schedule.start, schedule.total)
    with np.errstate(all="ignore"):  # what is not finite is found below
        run.whitening.apply(grads, run.adam.updates, executor)
        run.adam.step(grads.flat, lr, options.weight_decay)
        weights = run.network.params.flat
        if not max(weights.max(), -weights.min()) <= run.config.largest_weight(weights.dtype):
            raise NotFiniteError("largest weight")
    run.state = new_state
    run.progress.step += 1
    return StepResult(loss, grad_norm, lr, x.size)


def make_streams(run: Run, training: Ids) -> Streams | RecordStreams:
    """The streams in which the run reads the training part."""
    options = run.options
    if options.lines:
        return RecordStreams(training, options.batch_size, options.seq_length, options.seed)
    return Streams(training, options.batch_size, options.seq_length)


def initial_state(run: Run, first: bool) -> State:
    """The state before the next chunk: that after the chunk before, or zero.

    It is zero for all streams in the first chunk of an epoch, and for each stream in one chunk out of CHUNKS_CARRIED,
    drawn by the seed and the step. Scoring and sampling begin at the zero state, and a network that seldom saw it
    while training may predict badly from there.
    """
    B, step = run.options.batch_size, run.progress.step
    if first:
        return run.network.zero_state(B)
    if run.options.lines:  # each record begins at the zero state anyway
        return run.state
    carried = generator(run.options.seed, RESTARTS, step).random(B) >= 1 / CHUNKS_CARRIED
    return tuple(tuple(np.where(carried, part, 0) for part in layer) for layer in run.state)


def carry_mask(run: Run, x: Ids) -> Array | None:
    """(T, B): 0 where a record begins, at the newline that is read before it, else 1. None for continuous text."""
    return (x != run.bos_id).astype(run.network.params.flat.dtype) if run.options.lines else None


def make_data_parallel(run: Run, threads: int) -> DataParallel:
    """What computes the run's gradients, on up to `threads` cores."""
    return DataParallel(run.network, run.options.batch_size, run.options.shards, threads, run.options.max_dropout)


def measure_step(run: Run, split: Split, threads: int = 1) -> float:
    """The seconds that the gradient of a step takes: the second of two that are computed and discarded."""
    x, y, _ = make_streams(run, split.training).chunk(0)
    options = run.options
    with make_data_parallel(run, threads) as data_parallel:
        for _ in range(2):
            began = perf_counter()
            data_parallel.gradient(x, y, run.state, (options.seed, 0), carry_mask(run, x), options.max_dropout)
        return perf_counter() - began
