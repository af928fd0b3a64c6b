"""What the command `charrnn` runs, and python -m charrnn: signals are heeded before anything else is imported."""

import signal
import sys
from types import FrameType

from .signals import heeded

INTERRUPTED = 130


def leave(number: int, frame: FrameType | None) -> None:
    """Leave quietly. While a run is being trained, cli/interrupt.py sees to signals instead."""
    for each in heeded():
        signal.signal(each, signal.SIG_IGN)  # once is enough, even if what is being left takes a moment
    sys.exit(INTERRUPTED)


def main() -> None:
    for number in heeded():
        signal.signal(number, leave)
    from .cli import main as command_line

    command_line(prog_name="charrnn")


if __name__ == "__main__":
    main()
