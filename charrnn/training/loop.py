"""Training: a generator that moves a run forward and yields one record a step."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import numpy as np

from ..errors import OptionError
from ..evaluation.metrics import Metrics, partial_metrics
from ..language_model import LanguageModel
from ..nn.model import State
from ..nn.params import Array
from ..optim.adam import clip_gradient
from ..optim.schedule import WARMUP, decay_progress, learning_rate
from ..parallel.data_parallel import DataParallel
from ..prng import RESTARTS, generator
from ..text.batches import Streams
from ..text.corpus import Corpus
from ..text.records import RecordStreams
from ..text.vocab import Ids
from .budget import interval, steps_within, validation_length
from .rollback import SNAPSHOT_EVERY, Recovery, highest_rate, is_sane, roll_back, take_snapshot
from .run import Run
from .settings import split

CHUNKS_CARRIED = 32  # that a stream reads, in the mean, before it begins again at the zero state
UNMEASURED = 3  # first steps, which are slower than the rest
MEASURED_SHARE = 0.05  # of a budget in seconds is measured at most, unless that is under MEASURED_LEAST steps
MEASURED_LEAST = 3


@dataclass(frozen=True)
class StepRecord:
    """What one step was like. `elapsed` counts seconds of training and validation since the run first began."""

    step: int  # counted from 1
    epoch: float  # how often the training text has been read
    elapsed: float
    loss: float  # nats per character, of this step's chunk; with several networks the mean of each one's own
    lr: float
    grad_norm: float  # before clipping; the largest of several networks
    chars_per_second: float
    val_loss: float | None  # nats per character of the model, where this step ended with a validation
    recoveries: tuple[Recovery, ...] = ()  # how often, and why, the run went back between the last record and this one


def train(run: Run, corpus: Corpus, threads: int = 1, reserved_seconds: float = 0.0) -> Iterator[StepRecord]:
    """Train until the run's budget is used up, in place; between two records the run can be saved, or left for good.

    A budget in seconds becomes a number of steps before the warm-up ends; `reserved_seconds` of it are reserved for
    the caller. Streams start at the zero state with every epoch, and each now and then between (see `initial_state`).
    Dropout grows evenly from none to that of the options: little is learnt by heart from what has been read once. If a
    loss, the gradient or the weights stop being finite, the run goes back to a state in which they were and on with a
    lower learning rate (see rollback.py), and the next record says so. Raises OptionError without a budget, and
    DivergedError if going back is no use; the run is then in that good state.
    Source: Morerio et al., "Curriculum dropout" (2017), for dropout that grows.
    """
    run.check(corpus)
    if run.schedule.total is None and run.schedule.seconds is None:
        raise OptionError("the run has no budget; call run.set_budget(steps=...) or run.set_budget(seconds=...) first")
    training, held_out = split(corpus, run.options)
    streams = make_streams(run, training)
    shards = make_data_parallel(run, threads)
    executor = ThreadPoolExecutor(threads) if threads > 1 else None
    pace = _Pace(reserved_seconds)
    if run.snapshot is None:
        take_snapshot(run)
    recoveries: list[Recovery] = []
    while not run.finished:
        began = pace.tick()
        step, schedule, progress = run.progress.step, run.schedule, run.progress
        x, y, first = streams.chunk(step)
        state = initial_state(run, first)
        dropout = run.options.max_dropout.scaled(decay_progress(step, schedule.start, schedule.total))
        loss, grads, new_state = shards.gradient(x, y, state, (run.options.seed, step), restarts(run, x), dropout)
        grad_norm = float(np.max([clip_gradient(row, run.options.grad_clip) for row in grads.per_network]))
        if not (isfinite(loss) and isfinite(grad_norm)):
            recoveries.append(roll_back(run, "loss or its gradient", step + 1))
            continue
        if step % SNAPSHOT_EVERY == 0 and is_sane(run, loss):
            take_snapshot(run)
        lr = learning_rate(step, highest_rate(run), schedule.start, schedule.total)
        with np.errstate(all="ignore"):
            run.whitening.apply(grads, run.adam.updates, executor)
            run.adam.step(grads.flat, lr, run.options.weight_decay)
            weights = run.network.params.flat
            if not max(weights.max(), -weights.min()) <= run.config.largest_weight(weights.dtype):
                recoveries.append(roll_back(run, "largest weight", step + 1))
                continue
        run.state = new_state
        progress.step += 1

        seconds = perf_counter() - began
        if schedule.total is None and pace.measured(schedule.seconds, progress.step - schedule.start):
            left = steps_within(pace.left(schedule.seconds), pace.step_seconds, x.size, len(held_out))
            schedule.total = progress.step + left
            if schedule.most_steps is not None:
                schedule.total = max(progress.step, min(schedule.total, schedule.start + schedule.most_steps))
        if schedule.total is not None and schedule.val_every is None:
            schedule.val_every = interval(schedule.total - schedule.start, streams.step_characters)
        val_loss = None
        if len(held_out) and schedule.val_every and (progress.step % schedule.val_every == 0 or run.finished):
            part = held_out[: validation_length(schedule.val_every, streams.step_characters, len(held_out))]
            val_loss = _validate(run, part, threads)
            if not isfinite(val_loss):
                recoveries.append(roll_back(run, "validation loss", step + 1))
                continue
            if progress.best_step == progress.step:
                take_snapshot(run)
        run.elapsed += perf_counter() - began
        yield StepRecord(
            step=progress.step,
            epoch=progress.step / streams.chunks,
            elapsed=run.elapsed,
            loss=loss,
            lr=lr,
            grad_norm=grad_norm,
            chars_per_second=x.size / seconds,
            val_loss=val_loss,
            recoveries=tuple(recoveries),
        )
        recoveries.clear()


def make_streams(run: Run, training: Ids) -> Streams | RecordStreams:
    """The streams that the run reads the training part in."""
    options = run.options
    if options.lines:
        return RecordStreams(training, options.batch_size, options.seq_length, options.seed)
    return Streams(training, options.batch_size, options.seq_length)


def initial_state(run: Run, first: bool) -> State:
    """The state before the next chunk: what the chunk before left, or zero.

    Zero for all streams in an epoch's first chunk, and for each now and then, drawn by the seed and the step: a text to
    score or to write begins there, and a network that seldom did may go astray from there and never find back.
    """
    B, step = run.options.batch_size, run.progress.step
    if first:
        return run.network.zero_state(B)
    if run.options.lines:  # which begin at it by themselves
        return run.state
    carried = generator(run.options.seed, RESTARTS, step).random(B) >= 1 / CHUNKS_CARRIED
    return tuple(tuple(np.where(carried, part, 0) for part in layer) for layer in run.state)


def restarts(run: Run, x: Ids) -> Array | None:
    """0 where a record begins, with the newline that is read before it, else 1; None where there are no records."""
    return (x != run.bos_id).astype(run.network.params.flat.dtype) if run.options.lines else None


def make_data_parallel(run: Run, threads: int) -> DataParallel:
    """What works out this run's gradients."""
    return DataParallel(run.network, run.options.batch_size, run.options.shards, threads, run.options.max_dropout)


def measure_step(run: Run, corpus: Corpus, threads: int = 1) -> float:
    """The seconds that a step takes, from two that are worked out and thrown away."""
    training, _ = split(corpus, run.options)
    x, y, _ = make_streams(run, training).chunk(0)
    shards = make_data_parallel(run, threads)
    for _ in range(2):
        began = perf_counter()
        shards.gradient(x, y, run.state, (run.options.seed, 0), restarts(run, x), run.options.max_dropout)
    return perf_counter() - began


def closing_metrics(run: Run, corpus: Corpus, threads: int = 1) -> Iterator[Metrics]:
    """The score of the best weights over the whole held-out part, in parts; nothing if there is none."""
    _, held_out = split(corpus, run.options)
    if len(held_out):
        model = run.model()
        yield from partial_metrics(model.network, held_out, threads=threads, reset_id=model.reset_id)


def _validate(run: Run, part: Ids, threads: int) -> float:
    """The loss of the present average on `part`; if it is finite it is noted, and the best weights are kept."""
    progress = run.progress
    if run.best is not None and progress.best_val_loss is None:  # the budget is new, and with it `part`
        progress.best_val_loss = _loss(run.model("best"), part, threads)
    val_loss = _loss(run.model("last"), part, threads)
    if not isfinite(val_loss):
        return val_loss
    progress.validations.append((progress.step, val_loss))
    if progress.best_val_loss is None or val_loss < progress.best_val_loss:
        progress.best_val_loss, progress.best_step = val_loss, progress.step
        run.best = run.adam.average.copy()
    return val_loss


def _loss(model: LanguageModel, part: Ids, threads: int) -> float:
    return sum(
        partial_metrics(model.network, part, threads=threads, reset_id=model.reset_id), start=Metrics()
    ).nats_per_char


class _Pace:
    """How long a step takes, with what whoever iterates does meanwhile, and how much of a budget in seconds is left."""

    def __init__(self, reserved_seconds: float) -> None:
        self.began = perf_counter()
        self.reserved_seconds = reserved_seconds
        self.ticks: list[float] = []

    def tick(self) -> float:
        """A step begins: note and return the time."""
        now = perf_counter()
        if len(self.ticks) <= WARMUP:  # by then it is known
            self.ticks.append(now)
        return now

    def measured(self, budget: float | None, done: int) -> bool:
        """Do we know enough, after so many steps?"""
        enough = len(self.ticks) > UNMEASURED + MEASURED_LEAST
        return done >= WARMUP or (enough and perf_counter() - self.began > MEASURED_SHARE * (budget or 0))

    @property
    def step_seconds(self) -> float:
        ticks = [*self.ticks, perf_counter()]
        first = min(UNMEASURED, len(ticks) - 2)
        return (ticks[-1] - ticks[first]) / (len(ticks) - 1 - first)

    def left(self, budget: float | None) -> float:
        return (budget or 0) - self.reserved_seconds - (perf_counter() - self.began)
