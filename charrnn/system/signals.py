"""The signals that ask a program to stop."""

from __future__ import annotations

import signal

INTERRUPTED = 130  # exit status


def stop_signals() -> list[int]:
    """SIGINT (Ctrl-C), SIGTERM and SIGHUP, except those that this process was started to ignore, as under nohup."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
