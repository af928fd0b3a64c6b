"""Bars for what takes a while."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

from .output import terminal

LONG = 200_000  # characters, from which on a bar is worth showing


def scoring_bar(characters: int, quiet: bool = False) -> tqdm[Any]:
    """A bar for reading so many characters: in a terminal, for a text that takes a while."""
    hidden = quiet or characters < LONG or not terminal()
    return tqdm(total=max(0, characters - 1), unit="char", unit_scale=True, leave=False, disable=hidden)
