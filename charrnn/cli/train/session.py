"""A training session at the terminal: shows progress, saves at intervals, and saves when it is stopped."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite, log
from time import perf_counter

import click

from ...errors import DivergedError
from ...evaluation.metrics import Metrics
from ...files.slot import Slot
from ...sampling.params import SamplingParams
from ...sampling.records import preview_records
from ...sampling.text import sample
from ...text.reader import STDIN
from ...training.budget import VALIDATIONS, seconds_for, steps_within
from ...training.log import JsonLog
from ...training.loop import train
from ...training.memory import training_memory
from ...training.step import measure_step
from ...training.validation import closing_metrics
from ..bars import scoring_bar
from ..options import checkpoint_arguments
from ..output import duration, network, plural, size, strip_control, terminal
from .autosave import Autosave
from .interrupt import Interrupt
from .progress import ProgressBar
from .recorded_command import resume_command
from .setup import Prepared

SAMPLE_LENGTH = 160
SAMPLE_TEMPERATURE = 0.8


@dataclass
class Session:
    """Trains a run and saves it to its slot.

    `began` is the time.perf_counter() at the start of the command.
    """

    prepared: Prepared
    slot: Slot
    threads: int
    save_every: float
    quiet: bool
    log: JsonLog
    began: float

    def __post_init__(self) -> None:
        self.run, self.corpus, self.split = self.prepared.run, self.prepared.corpus, self.prepared.split
        self.autosave = Autosave(self.run, self.slot, self.save_every, self._report, self._warn)

    def train(self) -> bool:
        """Train to the end of the budget; False if a signal stopped it. The checkpoint is saved in both cases."""
        with Interrupt() as interrupt:
            self._describe()
            self.progress = ProgressBar(self.run, self.quiet, self._sample)
            try:
                self.autosave.save()
                reserved_seconds = self._reserved_seconds()
                for record in train(self.run, self.corpus, self.threads, reserved_seconds, self.split):
                    self.log.add(record)
                    if interrupt.asked:
                        return self._stopped()
                    self.progress.show(record)
                    self.autosave.save_if_due()
                self.progress.close()
                return self._close(interrupt)
            except DivergedError as error:
                self.autosave.save_at_last()
                raise DivergedError(f"{error}; {self.slot.file} holds the last good state") from None
            finally:
                self.progress.close()
                self.log.close()

    def _describe(self) -> None:
        """Print the text, the network and the number of steps and their time."""
        if self.quiet:
            return
        run, corpus, options = self.run, self.corpus, self.run.options
        unit, held_out = corpus.vocab.unit, run.held_out_characters
        self._say(
            f"{', '.join(corpus.names)}: {len(corpus.ids):,} {unit}s, {len(corpus.vocab):,} distinct; "
            f"{run.training_characters:,} to learn from, {held_out:,} held out"
        )
        if records := self.split.records:
            self._say(f"{plural(records.count, 'record')}, {records.repeats:,} of them duplicates")
        memory = training_memory(run.config, options, corpus, self.split, self.threads)
        self._say(f"{network(run.config)}: {run.config.parameters:,} parameters; needs about {size(memory)} of memory")
        if self.prepared.choice:
            self._say(self.prepared.choice)
        steps, seconds = self._outlook()
        self._say(
            f"batch {options.batch_size}, sequence {options.seq_length}: about {plural(steps, 'step')} "
            f"({steps / run.epoch_steps:.3g} epochs) in {duration(seconds)} on {plural(self.threads, 'thread')}"
        )

    def _outlook(self) -> tuple[int, float]:
        """An estimate of the number of steps and of the seconds they will take."""
        run, schedule, held_out = self.run, self.run.schedule, self.run.held_out_characters
        pace = measure_step(run, self.split, self.threads), run.options.batch_size * run.options.seq_length, held_out
        if schedule.total is not None:
            steps = schedule.total - run.progress.step
        else:
            steps = steps_within(schedule.seconds or 0, *pace)
            steps = min(steps, schedule.most_steps or steps)
        return steps, seconds_for(steps, *pace)

    def _reserved_seconds(self) -> float:
        """The seconds of the budget that samples and saves will take, estimated from the first of each."""
        budget = self.run.schedule.seconds or 0
        began = perf_counter()
        if terminal() and not self.quiet:
            self._sample()
        samples = (VALIDATIONS + 1) * (perf_counter() - began)
        saves = (2 + budget / max(self.autosave.interval, 1)) * self.autosave.cost
        return samples + saves + (began - self.began)

    def _stopped(self) -> bool:
        self.autosave.save_at_last()
        self.progress.close()
        step, total = self.run.progress.step, self.run.schedule.total
        self._say(f"stopped at step {step:,}{f' of {total:,}' if total else ''}; saved in {self.slot.file}")
        if self.slot.replacing:
            self._say(f"{self.slot.name} is unchanged: this run replaces it at its first validation")
        self._say(f"resume with: {shlex.join(resume_command(self.run, self.slot.name))}")
        return False

    def _close(self, interrupt: Interrupt) -> bool:
        """Score the best weights on the whole held-out part, save, and print the result; False if stopped meanwhile."""
        score = Metrics()
        with scoring_bar(self.run.held_out_characters, self.quiet) as bar:
            for part in closing_metrics(self.run, self.split, self.threads):
                score += part
                bar.update(part.chars)
                if interrupt.asked:
                    bar.close()
                    return self._stopped()
        run, progress = self.run, self.run.progress
        if score.chars and isfinite(score.nats):
            progress.closing_val_loss = score.nats_per_char
        self.autosave.save_at_last()
        self._say(f"done: {plural(progress.step, 'step')} in {duration(run.elapsed)}")
        if progress.closing_val_loss is not None:
            loss = progress.closing_val_loss
            self._say(
                f"validation: {loss:.4f} nats = {loss / log(2):.4f} bits per {run.vocab.unit} over all "
                f"{run.held_out_characters:,} held-out {run.vocab.unit}s, "
                f"with the best weights (step {progress.best_step or progress.step:,})"
            )
        self._say(f"saved in {self.slot.file}, made by:\n  " + "\n  ".join(run.commands))
        words = checkpoint_arguments(self.slot.name)
        self._say("next:\n  " + shlex.join(["charrnn", "sample", *words, "--temp", "0.8"]))
        if STDIN not in run.corpus.names:  # standard input cannot be read again
            self._say("  " + shlex.join(["charrnn", "eval", *words, *(() if score.chars else run.corpus.names)]))
        return True

    def _sample(self) -> str | bytes:
        """A short text, or a few records, sampled from the current weights."""
        model, seed = self.run.model("last"), self.run.progress.step
        if model.records:
            records = preview_records(model, SamplingParams(temperature=SAMPLE_TEMPERATURE, seed=seed))
            return "\n".join(map(strip_control, records))
        return sample(model, SAMPLE_LENGTH, temperature=SAMPLE_TEMPERATURE, seed=seed)

    def _report(self, line: str) -> None:
        if not self.quiet:
            self._warn(line)

    def _warn(self, line: str) -> None:
        self.progress.warn(line)

    def _say(self, line: str) -> None:
        if not self.quiet:
            with suppress(OSError):  # a closed terminal or pipe does not stop training
                click.echo(strip_control(line), err=True)
