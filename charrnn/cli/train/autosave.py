"""Saves a run at intervals, and retries when a save fails."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, sleep

import click

from ...checkpoint.save import save
from ...errors import CheckpointError
from ...files.slot import Slot
from ...training.run import Run
from ..output import duration, plural
from .recorded_command import command

SHARE = 0.01  # of the run's time that saving may take
NOTICEABLE = 1.5  # announce the interval again once it has grown by this factor
PAUSES = (1, 2, 4, 8)  # seconds between attempts at the last save


def resume_path(slot: Slot) -> str:
    """The file to load the run from that is resumed in a slot."""
    slot.resume()
    if slot.replacing:
        click.echo(
            f"resuming {slot.file}, the run that was to replace {slot.name}; to resume the old run instead, "
            f"move {slot.file} away",
            err=True,
        )
    return slot.file


class Autosave:
    """Saves a run to its slot. `say` prints a line unless --quiet is given, `warn` always does."""

    def __init__(
        self, run: Run, slot: Slot, save_every: float, say: Callable[[str], None], warn: Callable[[str], None]
    ) -> None:
        self.run, self.slot, self.say, self.warn = run, slot, say, warn
        self.save_every = self.interval = self.announced = save_every  # seconds
        self.tried = self.cost = 0.0  # when the last attempt ended, and how many seconds it took
        self.failed = False
        self.step: int | None = None  # of the last save
        self.total: int | None = None  # number of steps of the run at the last save

    def save(self) -> None:
        """Save now. Raises CheckpointError, and then the previous save is still there."""
        began = perf_counter()
        self.run.commands[-1:] = [command(self.run, self.slot.name)]  # the number of steps may have become known
        try:
            self.slot.acquire()
            save(self.slot.file, self.run)
            self.step, self.total = self.run.progress.step, self.run.schedule.total
            if self.slot.replacing and self._may_replace():
                self.slot.commit()
                self.say(f"{self.slot.name} replaced; the previous version is kept as {self.slot.backup}")
        finally:
            self.tried = perf_counter()
            self.cost = self.tried - began
        self._stretch()

    def save_if_due(self) -> None:
        """Save if the interval has passed.

        Save at once when the number of steps becomes known, so that a killed run resumes with the same number, and at
        the first validation of a run that replaces an older checkpoint.
        """
        is_late = perf_counter() - self.tried > self.interval
        validated = self.slot.replacing and self.run.progress.validations
        if not (is_late or (not self.failed and (validated or self.run.schedule.total != self.total))):
            return
        try:
            self.save()
        except CheckpointError as error:
            self.failed = True
            self.warn(f"charrnn: {error}; training continues and saves again in {duration(self.interval)}")
        else:
            if self.failed:
                self.warn(f"{self.slot.file}: saved again")
            self.failed = False

    def save_at_last(self) -> None:
        """Save at the end of the session, with a few attempts. Raises CheckpointError that says how much is lost."""
        for pause in PAUSES:
            self.slot.make_folder()
            try:
                return self.save()
            except CheckpointError as error:
                self.warn(f"charrnn: {error}; trying again in {pause} s")
            sleep(pause)
        try:
            return self.save()
        except CheckpointError as error:
            raise CheckpointError(f"{error}; {self._loss()}") from None

    def _may_replace(self) -> bool:
        """Whether the run has had its first validation, or its first step if nothing is held out."""
        progress = self.run.progress
        return bool(progress.validations) or (progress.step > 0 and not self.run.held_out_characters)

    def _stretch(self) -> None:
        """Lengthen the interval if saves would take more than SHARE of the time."""
        self.interval = max(self.save_every, self.cost / SHARE)
        if self.interval > NOTICEABLE * self.announced:
            self.announced = self.interval
            self.warn(
                f"saving took {self.cost:.2g} s: the run is now saved every {duration(self.interval)} "
                f"instead of every {duration(self.save_every)}"
            )

    def _loss(self) -> str:
        if self.step is None:
            return "nothing was saved"
        lost = self.run.progress.step - self.step
        if not lost:
            return f"{plural(self.step, 'step')} saved in {self.slot.file}"
        return f"the last save was at step {self.step:,}; {plural(lost, 'step')} since then are lost"
