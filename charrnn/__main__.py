"""What the command `charrnn` runs, and python -m charrnn: signals are stop_signals before anything else is imported."""

import os
import signal
import sys
from types import FrameType

from .system.signals import stop_signals

INTERRUPTED = 130


def leave(number: int, frame: FrameType | None) -> None:
    """Leave quietly. While a run is being trained, cli/interrupt.py sees to signals instead."""
    for each in stop_signals():
        signal.signal(each, signal.SIG_IGN)  # once is enough, even if what is being left takes a moment
    sys.exit(INTERRUPTED)


def main() -> None:
    for number in stop_signals():
        signal.signal(number, leave)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it is closed, which not every version of Click minds
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it lasts as long as we do
    from .cli import main as command_line

    try:
        command_line(prog_name="charrnn")
    finally:
        try:
            sys.stderr.flush()
        except OSError:  # a terminal that is gone; the interpreter would try once more, and exit with 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


if __name__ == "__main__":
    main()
