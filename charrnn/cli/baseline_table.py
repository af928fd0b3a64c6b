"""A model compared with the baselines: a table, and a sentence."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluation.baselines import Baselines

OWN = "this model"
TIE = 0.005  # bits per character; a smaller difference is none


def table(baselines: Baselines, bits: float, unit: str) -> str:
    """Lines with the bits per character of the model and of each baseline, the best first."""
    rows = sorted((baselines.bits_per_char | {OWN: bits}).items(), key=lambda row: row[1])
    lines = [f"  {label(name, baselines):20}  {bits:8.4f}" for name, bits in rows]
    return "\n".join([f"bits per {unit}, the best first", *lines])


def verdict(baselines: Baselines, bits: float, unit: str) -> str:
    """A sentence that compares the model with the best baseline."""
    name, best = min(baselines.bits_per_char.items(), key=lambda row: row[1])
    baseline, difference = f"the best baseline, {label(name, baselines)}", abs(bits - best)
    if not isfinite(bits):
        return "This model gives no finite figure."
    if difference < TIE:
        return f"This model is as good as {baseline}."
    share = f" ({difference / best:.0%})" if best else ""
    comparison = "better" if bits < best else "worse"
    return f"This model is {comparison} than {baseline}, by {difference:.2f} bits per {unit}{share}."


def label(name: str, baselines: Baselines) -> str:
    """The name of a baseline as it is shown."""
    return f"{baselines.ngram_order}-gram" if name == "ngram" else name.replace("_", " ")
