"""A model beside the baselines: a table, and words."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluation.baselines import Baselines

OWN = "this model"
TIE = 0.005  # bits per character


def table(others: Baselines, own: float, unit: str) -> str:
    """Bits per character of all, the best first."""
    rows = sorted((others.bits_per_char | {OWN: own}).items(), key=lambda row: row[1])
    lines = [f"  {label(name, others):20}  {bits:8.4f}" for name, bits in rows]
    return "\n".join([f"bits per {unit}, the best first", *lines])


def verdict(others: Baselines, own: float, unit: str) -> str:
    """Where the model stands, in words."""
    name, best = min(others.bits_per_char.items(), key=lambda row: row[1])
    what, by = f"the best baseline, {label(name, others)}", abs(own - best)
    if not isfinite(own):
        return "This model gives no finite figure."
    if by < TIE:
        return f"This model is as good as {what}."
    share = f" ({by / best:.0%})" if best else ""
    return f"This model is {'better' if own < best else 'worse'} than {what}, by {by:.2f} bits per {unit}{share}."


def label(name: str, others: Baselines) -> str:
    """A baseline's name for people."""
    return f"{others.ngram_order}-gram" if name == "ngram" else name.replace("_", " ")
