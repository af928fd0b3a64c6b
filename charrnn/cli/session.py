"""A training session at the terminal: it shows, saves in time, and can be stopped without losing anything."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from math import log
from time import perf_counter

import click

from ..budget import VALIDATIONS, seconds_for
from ..checkpoint import save
from ..errors import CheckpointError, DivergedError
from ..evaluation import Score
from ..memory import training_memory
from ..run import Run
from ..sampling import sample
from ..text.batches import Streams
from ..text.corpus import Corpus
from ..training import closing_scores, measure_step, train
from .interrupt import Interrupt
from .options import checkpoint_words
from .output import duration, size
from .prepare import command, resume_words
from .progress import Log, Progress

SAMPLE_LENGTH = 160
SAMPLE_TEMPERATURE = 0.8


@dataclass
class Session:
    """What training at the terminal needs besides the run. `began` is when the command did (time.perf_counter)."""

    run: Run
    corpus: Corpus
    checkpoint: str
    threads: int
    save_every: float
    quiet: bool
    log: Log
    began: float

    def train(self) -> bool:
        """Train to the end of the budget; False if someone stopped it. The checkpoint is saved in any case."""
        run = self.run
        self.progress = Progress(run, self.quiet, self._sample)
        with Interrupt() as interrupt:
            try:
                self._describe()
                self._save()
                for record in train(run, self.corpus, self.threads, self._set_aside()):
                    self._note_command()
                    self.progress.show(record)
                    self.log.add(record)
                    if interrupt.asked:
                        return self._stopped()
                    if perf_counter() - self.saved > self.save_every:
                        self._save_if_possible()
                self.progress.close()
                return self._close(interrupt)
            except DivergedError as error:
                save(self.checkpoint, run)
                raise DivergedError(f"{error}; {self.checkpoint} holds that last good state") from None
            finally:
                self.progress.close()
                self.log.close()

    def _describe(self) -> None:
        """A few lines on what is going to happen."""
        run, corpus, options = self.run, self.corpus, self.run.options
        unit, held_out = corpus.vocab.unit, run.held_out_characters
        total = len(corpus.ids)
        self._say(
            f"{', '.join(corpus.names)}: {total:,} {unit}s, {len(corpus.vocab):,} distinct; "
            f"{total - held_out:,} to learn from, {held_out:,} held out"
        )
        config = run.config
        memory = training_memory(config, options, corpus.ids.nbytes)
        self._say(
            f"{config.cell}, {config.hidden} hidden units, {config.layers} layers: "
            f"{run.network.params.flat.size:,} parameters; needs about {size(memory)} of memory"
        )
        step_seconds = measure_step(run, corpus, self.threads)
        training, _ = corpus.split(options.val_fraction)
        streams = Streams(training, options.batch_size, options.seq_length)
        left = None if run.schedule.total is None else run.schedule.total - run.progress.step
        if left is None:
            time = f"as many steps as fit into {duration(run.schedule.seconds or 0)}"
            if run.schedule.most_steps is not None:
                time += f", {run.schedule.most_steps:,} at most"
            time += f"; a step takes about {step_seconds * 1000:.0f} ms"
        else:
            needed = seconds_for(left, step_seconds, streams.step_characters, held_out)
            time = f"{left:,} steps, about {duration(needed)}"
        self._say(
            f"batch {options.batch_size}, sequence {options.seq_length}, {streams.chunks:,} steps an epoch; "
            f"{time}, on {self.threads} {'thread' if self.threads == 1 else 'threads'}"
        )

    def _set_aside(self) -> float:
        """The seconds of the budget that samples and saves will take, from how long the first of each took."""
        budget = self.run.schedule.seconds or 0
        began = perf_counter()
        if self.progress.terminal and not self.quiet:
            self._sample()
        samples = (VALIDATIONS + 1) * (perf_counter() - began)
        saves = (2 + budget / max(self.save_every, 1)) * self.save_seconds
        return samples + saves + (began - self.began)

    def _note_command(self) -> None:
        """Record the command that makes this run, with the number of steps as soon as that is known."""
        if not self.noted and self.run.schedule.total is not None:
            self.run.commands[-1] = command(self.run, self.checkpoint)
            self.noted = True

    noted = False
    saved = 0.0
    save_seconds = 0.0

    def _save(self) -> None:
        began = perf_counter()
        save(self.checkpoint, self.run)
        self.saved = perf_counter()
        self.save_seconds = self.saved - began

    def _save_if_possible(self) -> None:
        try:
            self._save()
        except CheckpointError as error:
            self.progress.warn(f"charrnn: {error}; training goes on and tries again in {duration(self.save_every)}")
            self.saved = perf_counter()

    def _stopped(self) -> bool:
        self.progress.close()
        self._save()
        step, total = self.run.progress.step, self.run.schedule.total
        self._say(f"stopped at step {step:,}{f' of {total:,}' if total else ''}; saved in {self.checkpoint}")
        self._say(f"go on with: {shlex.join(resume_words(self.run, self.checkpoint))}")
        return False

    def _close(self, interrupt: Interrupt) -> bool:
        """Score the best weights on the whole held-out part, save, and say what came of it."""
        score = Score()
        for part in closing_scores(self.run, self.corpus, self.threads):
            score += part
            if interrupt.asked:
                return self._stopped()
        run, progress = self.run, self.run.progress
        progress.closing_val_loss = score.nats_per_char if score.chars else None
        self._save()
        self._say(f"done: {progress.step:,} steps in {duration(run.elapsed)}")
        if progress.closing_val_loss is not None:
            loss = progress.closing_val_loss
            self._say(
                f"validation: {loss:.4f} nats = {loss / log(2):.4f} bits per {run.vocab.unit} over all "
                f"{run.held_out_characters:,} held-out {run.vocab.unit}s, "
                f"with the best weights (step {progress.best_step:,})"
            )
        self._say(f"saved in {self.checkpoint}, made by:\n  " + "\n  ".join(run.commands))
        words = checkpoint_words(self.checkpoint)
        self._say("next:\n  " + shlex.join(["charrnn", "sample", *words, "--temp", "0.8"]))
        self._say("  " + shlex.join(["charrnn", "eval", *words, *(run.corpus.names if not score.chars else ())]))
        return True

    def _sample(self) -> str | bytes:
        """A short text in the hand of the present weights."""
        model = self.run.model("last")
        return sample(model, SAMPLE_LENGTH, temperature=SAMPLE_TEMPERATURE, seed=self.run.progress.step)

    def _say(self, line: str) -> None:
        if not self.quiet:
            click.echo(line, err=True)
