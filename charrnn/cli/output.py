"""Writing text for people and for programs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..errors import OptionError

if TYPE_CHECKING:  # --help does not wait for NumPy
    from ..nn.config import ModelConfig


def terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def wants_colour(when: str) -> bool:
    """Whether to write colours to standard output. `when` is "always", "never" or "auto".

    "auto" means: if it is a terminal, TERM is not "dumb" and NO_COLOR is not set. Source: no-color.org.
    """
    if when == "auto":
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not plain and sys.stdout is not None and sys.stdout.isatty()
    return when == "always"


def write(text: str | bytes) -> None:
    """Write text to standard output, unchanged and unbuffered.

    Files and pipes get UTF-8, so that the same text is the same bytes everywhere. A terminal gets its own encoding,
    with a question mark for each character that it lacks. Bytes are written as they are.
    """
    if sys.__stdout__ is None:
        raise OptionError("standard output: it is closed; redirect it to a file or a pipe")
    if isinstance(text, str):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        text = text.encode(encoding, "replace")
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def print_line(line: str) -> None:
    """Write a line to standard output."""
    write(line + "\n")


def as_text(text: str | bytes) -> str:
    """Text unchanged; bytes decoded as UTF-8, with bad bytes as lone surrogates, which `os.fsencode` turns back."""
    return text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text


def strip_control(text: str | bytes) -> str:
    """Text that is safe to show in a terminal: each control character except newline and tab becomes U+FFFD."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def duration(seconds: float) -> str:
    """A time for people: seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def size(nbytes: float) -> str:
    """An amount of memory for people, in MB or GB."""
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{max(1, nbytes / 1e6):.0f} MB"


def plural(count: int, noun: str) -> str:
    """A number and a noun: 1 step, 2 steps."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def network(config: ModelConfig) -> str:
    """The shape of a model for people."""
    one = f"{config.cell}, {config.hidden} hidden units, {plural(config.layers, 'layer')}"
    return one if config.networks == 1 else f"{config.networks} networks, each {one}"
