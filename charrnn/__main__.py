"""The entry point of `charrnn` and `python -m charrnn`. It installs signal handlers before any slow import."""

import os
import signal
import sys
from types import FrameType

from .system.signals import INTERRUPTED, stop_signals


def leave(number: int, frame: FrameType | None) -> None:
    """Exit quietly with status 130. While a run is trained, cli/train/interrupt.py handles signals instead."""
    for each in stop_signals():
        signal.signal(each, signal.SIG_IGN)  # leaving may take a moment, in which another signal has no effect
    sys.exit(INTERRUPTED)


def main() -> None:
    for number in stop_signals():
        signal.signal(number, leave)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed; not every version of Click checks for that
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends
    from .cli import main as command_line

    try:
        command_line(prog_name="charrnn")
    finally:
        try:
            sys.stderr.flush()
        except OSError:  # the terminal is gone; the interpreter would flush again and exit with 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


if __name__ == "__main__":
    main()
