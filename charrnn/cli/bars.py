"""The progress bar of commands that read a text."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

from .output import terminal

LONG = 200_000  # characters; a shorter text is scored too quickly for a bar


def scoring_bar(characters: int, quiet: bool = False) -> tqdm[Any]:
    """A bar for scoring so many characters, shown only in a terminal and for a long text."""
    hidden = quiet or characters < LONG or not terminal()
    return tqdm(total=max(0, characters - 1), unit="char", unit_scale=True, leave=False, disable=hidden)
