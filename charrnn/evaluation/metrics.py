"""How well a model predicts a text: exact negative log-likelihood, by one definition for `eval` and validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import exp, log
from threading import Event

import numpy as np

from ..errors import OptionError, TextError
from ..language_model import LanguageModel
from ..nn.ensemble import Network
from ..nn.loss import nats
from ..text.vocab import UNKNOWN_POLICIES, Ids
from .windows import WindowSpec, group_edges, map_in_order, predictions, window_spec


@dataclass(frozen=True)
class Metrics:
    """What a model made of some characters: their sum in nats, spec many were scored, spec many it guessed first."""

    nats: float = 0.0
    chars: int = 0
    correct: int = 0
    unknown_chars: int = 0

    def __add__(self, other: Metrics) -> Metrics:
        return Metrics(
            self.nats + other.nats,
            self.chars + other.chars,
            self.correct + other.correct,
            self.unknown_chars + other.unknown_chars,
        )

    @property
    def nats_per_char(self) -> float:
        return self.nats / self.chars

    @property
    def bits_per_char(self) -> float:
        return self.nats_per_char / log(2)

    @property
    def perplexity(self) -> float:
        """exp(nats per character); infinite where that is too large for a float."""
        return exp(self.nats_per_char) if self.nats_per_char < 700 else float("inf")

    @property
    def accuracy(self) -> float:
        """The share of the scored characters that the model held for the most likely one."""
        return self.correct / self.chars


def evaluate(
    model: LanguageModel, text: str | bytes, unknown: str = "error", window: int | None = None, threads: int = 1
) -> Metrics:
    """The score of a text.

    `unknown` says what happens to characters outside the vocabulary: "error" raises UnknownCharacterError; "skip"
    leaves them out, neither read nor scored; "uniform" charges ln V nats for each and does not read it. `window` = N
    scores windows of N characters instead, each from the zero state. Raises TextError where there is nothing to score.
    """
    ids, missing = model.vocab.encode(text, check_policy(unknown))
    parts = partial_metrics(model.network, model.lay_out(ids), window, threads, model.reset_id)
    return sum(parts, start=unknown_metrics(model, missing, unknown))


def check_policy(unknown: str) -> str:
    if unknown not in UNKNOWN_POLICIES:
        raise OptionError(f"unknown is {unknown!r}; it must be one of {', '.join(UNKNOWN_POLICIES)}")
    return unknown


def unknown_metrics(model: LanguageModel, missing: int, unknown: str) -> Metrics:
    """What the unknown characters of a text cost under a policy."""
    charged = missing if unknown == "uniform" else 0
    return Metrics(charged * log(len(model.vocab)), charged, 0, missing)


def partial_metrics(
    network: Network, ids: Ids, window: int | None = None, threads: int = 1, reset_id: int | None = None
) -> Iterator[Metrics]:
    """The score of a text given as ids, in parts: their sum is the whole, their `chars` tell the progress.

    `reset_id` is the id at which, when it is read, the state starts again: the newline in a text of records.
    """
    if len(ids) < 2 and reset_id is not None:
        raise TextError("the text has no line that is not empty and that the model can read")
    if len(ids) < 2:
        raise TextError(f"the text has {len(ids)} characters that the model knows; evaluating takes at least 2")
    if window is not None and window < 1:
        raise OptionError(f"a window of {window} characters holds nothing to score; it must be 1 or more")
    spec = window_spec(reset_id, window)
    yield from map_in_order(partial(_score, network, ids, spec), group_edges(0, len(ids) - 1, spec.window), threads)


def _score(network: Network, ids: Ids, spec: WindowSpec, cancelled: Event, begin: int, end: int) -> Metrics:
    total = Metrics()
    with np.errstate(all="ignore"):  # weights of a run that diverged give a score that is not finite
        for places, scored, logits, y in predictions(network, ids, spec, cancelled, begin, end):
            losses, guesses = nats(logits, y)[scored], (logits.argmax(axis=0) == y)[scored]
            total += Metrics(float(losses.sum(dtype=np.float64)), len(places), int(guesses.sum()))
    return total
