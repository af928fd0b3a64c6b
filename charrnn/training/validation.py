"""Validation while a run is trained, and the closing validation at its end."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from ..evaluation.metrics import Metrics, partial_metrics
from ..language_model import LanguageModel
from ..text.vocab import Ids
from .budget import validation_length
from .rollback import NotFiniteError, take_snapshot
from .run import Run
from .split import Split


def validate_if_due(run: Run, held_out: Ids, step_characters: int, threads: int) -> float | None:
    """The loss of a validation, in nats per character, if one is due after the present step; else None.

    A validation reads the beginning of the held-out part, as much as `budget.validation_length` says. Raises
    NotFiniteError.
    """
    every = run.schedule.val_every
    if not (len(held_out) and every and (run.progress.step % every == 0 or run.finished)):
        return None
    val_loss = validate(run, held_out[: validation_length(every, step_characters, len(held_out))], threads)
    if not isfinite(val_loss):
        raise NotFiniteError("validation loss")
    if run.progress.best_step == run.progress.step:
        take_snapshot(run)
    return val_loss


def validate(run: Run, part: Ids, threads: int) -> float:
    """The loss of the average weights on `part`. A finite loss is recorded, and the best weights are kept."""
    progress = run.progress
    if run.best is not None and progress.best_val_loss is None:  # the budget is new, and `part` with it
        progress.best_val_loss = _loss(run.model("best"), part, threads)
    val_loss = _loss(run.model("last"), part, threads)
    if not isfinite(val_loss):
        return val_loss
    progress.validations.append((progress.step, val_loss))
    if progress.best_val_loss is None or val_loss < progress.best_val_loss:
        progress.best_val_loss, progress.best_step = val_loss, progress.step
        run.best = run.adam.average.copy()
    return val_loss


def closing_metrics(run: Run, split: Split, threads: int = 1) -> Iterator[Metrics]:
    """The metrics of the best weights on the whole held-out part, in parts; nothing if there is no such part."""
    if len(split.held_out):
        model = run.model()
        yield from partial_metrics(model.network, split.held_out, threads=threads, reset_id=model.reset_id)


def _loss(model: LanguageModel, part: Ids, threads: int) -> float:
    parts = partial_metrics(model.network, part, threads=threads, reset_id=model.reset_id)
    return sum(parts, start=Metrics()).nats_per_char
