"""The log of a run, for programs: a file of JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from math import log
from typing import IO

from ..errors import OptionError
from .loop import StepRecord


def at_once(path: str, flags: int) -> int:
    """An opener for `open`. A pipe without a reader is an error at once, instead of a wait for a reader."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    if os.name != "nt":
        os.set_blocking(handle, True)
    return handle


class JsonLog:
    """Appends a line for every `every`-th step and for each validation, and flushes it."""

    def __init__(self, path: str | None, every: int, warn: Callable[[str], None]) -> None:
        self.path, self.every, self.warn = path, every, warn
        self.file: IO[str] | None = None
        if path is not None:
            try:
                self.file = open(path, "a", encoding="utf-8", opener=at_once)  # noqa: SIM115 - closed in close()
            except OSError as error:
                raise OptionError(f"--log {path}: cannot be written ({error.strerror or error})") from None

    def add(self, record: StepRecord) -> None:
        for recovery in record.recoveries:
            self._write({"went_back_to": recovery.step, "failed_step": recovery.failed, "not_finite": recovery.what})
        if record.step % self.every == 0:
            names = ("step", "epoch", "elapsed", "loss", "lr", "grad_norm", "chars_per_second")
            self._write({name: getattr(record, name) for name in names})
        if record.val_loss is not None:
            val_bpc = record.val_loss / log(2)
            self._write(
                {"step": record.step, "elapsed": record.elapsed, "val_loss": record.val_loss, "val_bpc": val_bpc}
            )

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def _write(self, values: dict[str, float | str]) -> None:
        if self.file is not None:
            try:
                self.file.write(json.dumps(values) + "\n")
                self.file.flush()
            except OSError as error:
                self.warn(f"charrnn: --log {self.path}: {error.strerror or error}; training continues without it")
                with suppress(OSError):  # what it could not write is still in its buffer
                    self.file.close()
                self.file = None
