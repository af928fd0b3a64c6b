"""Saving a run in time, again where it failed, and with some patience where it is the last time."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, sleep

import click

from ...checkpoint.save import save
from ...errors import CheckpointError
from ...files.slot import Slot
from ...training.run import Run
from ..output import duration
from .recorded_command import command

SHARE = 0.01  # of the time goes to saving, at most
NOTICEABLE = 1.5  # times as long between two saves as was said is worth another line
PAUSES = (1, 2, 4, 8)  # seconds, when the last save fails


def resume_path(place: Slot) -> str:
    """The file to load the run from that goes on in a place."""
    place.resume()
    if place.replacing:
        click.echo(
            f"going on with {place.file}, the run that was to replace {place.name}; to go on with the old one instead, "
            f"move {place.file} away",
            err=True,
        )
    return place.file


class Autosave:
    """Keeps a run in its place. `say` shows a line, `warn` one that nobody should miss."""

    def __init__(
        self, run: Run, place: Slot, save_every: float, say: Callable[[str], None], warn: Callable[[str], None]
    ) -> None:
        self.run, self.place, self.say, self.warn = run, place, say, warn
        self.save_every = self.interval = self.announced = save_every  # seconds
        self.tried = self.cost = 0.0  # when the last save ended, and how long it took
        self.failed = False
        self.step: int | None = None  # that was saved last
        self.total: int | None = None  # steps of the run that was saved last

    def save(self) -> None:
        """Save now. Raises CheckpointError; what was saved before then still is."""
        began = perf_counter()
        self.run.commands[-1:] = [command(self.run, self.place.name)]  # the number of steps may be known by now
        try:
            self.place.acquire()
            save(self.place.file, self.run)
            self.step, self.total = self.run.progress.step, self.run.schedule.total
            if self.place.replacing and self._has_shown_its_worth():
                self.place.commit()
                self.say(f"{self.place.name} is this run from now on; what it was before is {self.place.backup}")
        finally:
            self.tried = perf_counter()
            self.cost = self.tried - began
        self._stretch()

    def save_if_due(self) -> None:
        """Save if that was long ago, or if something has just come out that should not have to come out again."""
        late = perf_counter() - self.tried > self.interval
        validated = self.place.replacing and self.run.progress.validations
        if not (late or (not self.failed and (validated or self.run.schedule.total != self.total))):
            return
        try:
            self.save()
        except CheckpointError as error:
            self.failed = True
            self.warn(f"charrnn: {error}; training goes on and tries again in {duration(self.interval)}")
        else:
            if self.failed:
                self.warn(f"saved in {self.place.file} again")
            self.failed = False

    def save_at_last(self) -> None:
        """Save where there will be no other time: try again for a while, and say what is lost if that is no use."""
        for pause in PAUSES:
            self.place.make_folder()
            try:
                return self.save()
            except CheckpointError as error:
                self.warn(f"charrnn: {error}; trying again in {pause} s")
            sleep(pause)
        try:
            return self.save()
        except CheckpointError as error:
            raise CheckpointError(f"{error}; {self._loss()}") from None

    def _has_shown_its_worth(self) -> bool:
        progress = self.run.progress
        return bool(progress.validations) or (progress.step > 0 and not self.run.held_out_characters)

    def _stretch(self) -> None:
        self.interval = max(self.save_every, self.cost / SHARE)
        if self.interval > NOTICEABLE * self.announced:
            self.announced = self.interval
            self.warn(
                f"saving took {self.cost:.2g} s: it happens every {duration(self.interval)} "
                f"instead of every {duration(self.save_every)}"
            )

    def _loss(self) -> str:
        if self.step is None:
            return "nothing was saved"
        lost = self.run.progress.step - self.step
        if not lost:
            return f"all {self.step:,} steps are in {self.place.file}"
        return f"it was saved at step {self.step:,}, and the {lost:,} steps since then are lost"
