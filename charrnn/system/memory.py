"""How much memory there is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux


def machine_memory() -> int | None:
    """The memory that this process may use, in bytes; None if the system does not say."""
    amounts = []
    with suppress(AttributeError, ValueError, OSError):
        amounts.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(ValueError, OSError):
        amounts.append(int(LIMIT.read_text()))
    return min(amounts, default=None)
