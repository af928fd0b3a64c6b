"""Shows training while it runs: a progress bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from ..output import duration, strip_control, terminal

if TYPE_CHECKING:
    from ...training.loop import StepRecord
    from ...training.rollback import Recovery
    from ...training.run import Run

WEIGHT = 0.02  # of the latest step in the running averages
INDENT = "    "


class ProgressBar:
    """Shows each step of a run. `draw_sample` returns a short text sampled from the current weights."""

    def __init__(self, run: Run, quiet: bool, draw_sample: Callable[[], str | bytes]) -> None:
        self.run = run
        self.quiet = quiet
        self.draw_sample = draw_sample
        self.terminal = terminal()
        self.shown = 0
        self.loss = self.rate = 0.0  # running averages
        self.val_loss: float | None = None
        self.bar = tqdm(
            total=run.schedule.total,
            initial=run.progress.step,
            disable=quiet or not self.terminal,
            dynamic_ncols=True,
            leave=False,
            bar_format="{percentage:3.0f}%|{bar:20}| {n_fmt}/{total_fmt} steps{postfix}, {remaining} left",
        )

    def show(self, record: StepRecord) -> None:
        for recovery in record.recoveries:
            self.warn(describe_recovery(recovery))
            self.shown = 0
        self.shown += 1
        weight = max(WEIGHT, 1 / self.shown)
        self.loss += weight * (record.loss - self.loss)
        self.rate += weight * (record.chars_per_second - self.rate)
        if record.val_loss is not None:
            self.val_loss = record.val_loss
        with self._output_may_be_gone():
            self.bar.total = self.run.schedule.total
            self.bar.set_postfix_str(self._figures(), refresh=False)
            self.bar.update(record.step - self.bar.n)
            if record.val_loss is not None and not self.quiet:
                self._validated(record)

    def warn(self, line: str) -> None:
        """Print a line above the bar."""
        with self._output_may_be_gone(), self.bar.external_write_mode(file=sys.stderr):
            click.echo(line, err=True)

    def close(self) -> None:
        with self._output_may_be_gone():
            self.bar.close()

    @contextmanager
    def _output_may_be_gone(self) -> Iterator[None]:
        """If the output is gone (a closed terminal, a broken pipe), training continues without showing anything."""
        try:
            yield
        except OSError:
            self.quiet = self.bar.disable = True

    def _figures(self) -> str:
        val = f", val {self.val_loss / log(2):.3f}" if self.val_loss is not None else ""
        return f"{self.rate:,.0f} chars/s, train {self.loss / log(2):.3f}{val} bpc"

    def _validated(self, record: StepRecord) -> None:
        total = self.run.schedule.total
        of = f" of {total:,}" if total else ""
        line = f"step {record.step:,}{of}, epoch {record.epoch:.2f}, {self._figures()}"
        if self.terminal:
            text = strip_control(self.draw_sample()).strip("\n")
            self.warn(f"{line}\n{INDENT}" + text.replace("\n", f"\n{INDENT}"))
        else:
            done = record.step - self.run.schedule.start
            left = record.elapsed / max(1, record.step) * ((total or 0) - record.step) if done else 0
            self.warn(f"{line}, {duration(left)} left")


def describe_recovery(recovery: Recovery) -> str:
    """A line on a step whose loss or gradient was not finite."""
    return (
        f"the {recovery.what} at step {recovery.failed:,} is not finite: back to step {recovery.step:,}, with "
        f"a highest learning rate of {recovery.lr:.2g}"
    )
