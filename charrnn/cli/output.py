"""Text for people and for programs: to standard output, to a terminal, or shown within other lines."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..errors import OptionError

if TYPE_CHECKING:  # --help does not wait for NumPy
    from ..nn.config import ModelConfig


def terminal() -> bool:
    """Is somebody watching standard error?"""
    return sys.stderr is not None and sys.stderr.isatty()


def wants_colour(when: str) -> bool:
    """Does standard output get colours, "always", "never", or "auto": in a terminal, if it has any and they are liked?

    Source: no-color.org.
    """
    if when == "auto":
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not plain and sys.stdout is not None and sys.stdout.isatty()
    return when == "always"


def write(text: str | bytes) -> None:
    """Put text on standard output at once, as it stands.

    Files and pipes get UTF-8, so that the same text is the same bytes everywhere; a terminal that speaks another
    encoding gets that, with a question mark for what it lacks. Bytes stay bytes.
    """
    if sys.__stdout__ is None:
        raise OptionError("standard output is closed; send it somewhere")
    if isinstance(text, str):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        text = text.encode(encoding, "replace")
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def print_line(line: str) -> None:
    """Put a line of a command's answer on standard output."""
    write(line + "\n")


def as_text(text: str | bytes) -> str:
    """Text as it is; bytes as UTF-8, those that are none as lone surrogates, which `os.fsencode` turns back."""
    return text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text


def strip_control(text: str | bytes) -> str:
    """Text to be shown among other lines: no control character (other than newline and tab) reaches the terminal."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def duration(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def size(nbytes: float) -> str:
    """An amount of memory as a person says it."""
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{max(1, nbytes / 1e6):.0f} MB"


def plural(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def network(config: ModelConfig) -> str:
    """What a model is made of."""
    one = f"{config.cell}, {config.hidden} hidden units, {plural(config.layers, 'layer')}"
    return one if config.networks == 1 else f"{config.networks} networks, each {one}"
