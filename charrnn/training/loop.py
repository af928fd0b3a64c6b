"""Training: a generator that moves a run forward and yields one record a step."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from ..checks import instance, real, whole
from ..errors import OptionError
from ..text.corpus import Corpus
from .budget import Pace
from .rollback import NotFiniteError, Recovery, roll_back, take_snapshot
from .run import Run
from .split import Split, split_corpus
from .step import make_data_parallel, make_streams, take_step
from .validation import validate_if_due


@dataclass(frozen=True)
class StepRecord:
    """One step of training, as `train` yields it.

        >>> for record in charrnn.train(run, corpus):
        ...     print(record.step, record.loss, record.val_loss)

    Records are compared and hashed by their values.
    """

    step: int  # counted from 1
    epoch: float  # how often the training text has been read
    elapsed: float  # seconds of training and validation since the run first began
    loss: float  # nats per character of this step's chunk; the mean over several networks
    lr: float  # the learning rate of this step
    grad_norm: float  # before clipping; the largest of several networks
    chars_per_second: float
    val_loss: float | None  # nats per character of the model, if this step ended with a validation
    recoveries: tuple[Recovery, ...] = ()  # from divergence, since the last record


def train(
    run: Run, corpus: Corpus, threads: int = 1, reserved_seconds: float = 0.0, split: Split | None = None
) -> Iterator[StepRecord]:
    """Train a run in place until its budget is used up. Between two records it can be saved or abandoned.

        >>> run.set_budget(steps=100)
        >>> for record in charrnn.train(run, corpus):
        ...     print(record.loss)

    A budget in seconds becomes a number of steps before the warm-up ends; `reserved_seconds` of it are reserved for
    the caller. If a loss, gradient or weight becomes NaN or infinite, the run goes back to a snapshot and continues
    with a lower learning rate (rollback.py), and the next record says so. `split` is the split of the corpus, if it has
    been made already.

    Raises OptionError if the run has no budget, CheckpointError if the corpus is not the run's, and DivergedError if
    going back does not help; the run is then in the state of the snapshot.
    """
    threads = whole("threads", threads)
    reserved_seconds = real("reserved_seconds", reserved_seconds)
    instance("run", run, Run, "a Run, which new_run returns")
    run.check(instance("corpus", corpus, Corpus, "a Corpus, which read_corpus returns"))
    if run.schedule.total is None and run.schedule.seconds is None:
        raise OptionError("budget: the run has none; call run.set_budget(steps=...) or run.set_budget(seconds=...)")
    split = split or split_corpus(corpus, run.options)
    streams = make_streams(run, split.training)
    pace = Pace(reserved_seconds)
    if run.snapshot is None:
        take_snapshot(run)
    recoveries: list[Recovery] = []
    with make_data_parallel(run, threads) as data_parallel, thread_pool(threads) as executor:
        while not run.finished:
            began, step = pace.tick(), run.progress.step
            try:
                result = take_step(run, streams, data_parallel, executor)
                seconds = perf_counter() - began
                pace.resolve(run, streams.step_characters, result.characters, len(split.held_out))
                val_loss = validate_if_due(run, split.held_out, streams.step_characters, threads)
            except NotFiniteError as error:
                recoveries.append(roll_back(run, error.what, step + 1))
                continue
            run.elapsed += perf_counter() - began
            yield StepRecord(
                step=run.progress.step,
                epoch=run.progress.step / streams.chunks,
                elapsed=run.elapsed,
                loss=result.loss,
                lr=result.lr,
                grad_norm=result.grad_norm,
                chars_per_second=result.characters / seconds,
                val_loss=val_loss,
                recoveries=tuple(recoveries),
            )
            recoveries.clear()


@contextmanager
def thread_pool(threads: int) -> Iterator[Executor | None]:
    """A pool of threads; None for one thread, which needs no pool."""
    if threads == 1:
        yield None
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool
