"""How well a model predicts a text: its exact negative log-likelihood, by one definition for `eval` and validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import exp, inf, log, nan
from threading import Event

import numpy as np

from ..checks import one_of, whole
from ..errors import OptionError, TextError
from ..language_model import LanguageModel, check_model
from ..nn.ensemble import Network
from ..nn.loss import nats
from ..text.vocab import UNKNOWN_POLICIES, Ids
from .windows import WindowSpec, group_edges, map_in_order, predictions, window_spec

LARGEST_EXPONENT = 700  # exp of a little more is above the largest float


@dataclass(frozen=True, repr=False)
class Metrics:
    """The loss of a model on some characters, as sums: the sum of two of them is that of all their characters.

    The means (`nats_per_char`, `bits_per_char`, `perplexity`, `accuracy`) are nan if no character was scored.
    Metrics are compared and hashed by their values.

        >>> Metrics(nats=20.0, chars=10) + Metrics(nats=10.0, chars=10)
        Metrics(1.5000 nats = 2.1640 bits per character over 20 characters)
    """

    nats: float = 0.0  # -ln p, summed over the scored characters
    chars: int = 0  # scored characters (bytes for a model of bytes)
    correct: int = 0  # characters that the model ranked first
    unknown_chars: int = 0  # characters of the text that the model does not know

    def __add__(self, other: Metrics) -> Metrics:
        return Metrics(
            self.nats + other.nats,
            self.chars + other.chars,
            self.correct + other.correct,
            self.unknown_chars + other.unknown_chars,
        )

    def __repr__(self) -> str:
        """Metrics(1.3671 nats = 1.9723 bits per character over 112,673 characters)."""
        if not self.chars:
            return f"Metrics(no characters scored, {self.unknown_chars:,} unknown)"
        unknown = f", {self.unknown_chars:,} unknown" if self.unknown_chars else ""
        figures = f"{self.nats_per_char:.4f} nats = {self.bits_per_char:.4f} bits per character"
        return f"Metrics({figures} over {self.chars:,} characters{unknown})"

    @property
    def nats_per_char(self) -> float:
        """The mean of -ln p."""
        return self.nats / self.chars if self.chars else nan

    @property
    def bits_per_char(self) -> float:
        """The mean of -log2 p."""
        return self.nats_per_char / log(2)

    @property
    def perplexity(self) -> float:
        """exp(nats per character); inf where that is too large for a float or the loss of some characters is nan."""
        mean = self.nats_per_char
        return exp(mean) if mean < LARGEST_EXPONENT or not self.chars else inf

    @property
    def accuracy(self) -> float:
        """The share of the scored characters that the model ranked first."""
        return self.correct / self.chars if self.chars else nan


def evaluate(
    model: LanguageModel, text: str | bytes, unknown: str = "error", window: int | None = None, threads: int = 1
) -> Metrics:
    """How well a model predicts a text. Every character after the first is scored once.

    `unknown` says what happens to characters outside the vocabulary: "error" raises UnknownCharacterError; "skip"
    leaves them out (neither read nor scored); "uniform" does not read them and charges ln V nats for each. With
    `window` = N, the text is scored in windows of N characters, each read from the zero state. `threads` is the number
    of threads to compute on.

    Raises TextError if the text has fewer than 2 known characters (a text of records: no line), UnknownCharacterError,
    and OptionError for an argument that cannot be used.

        >>> metrics = charrnn.evaluate(model, "to be or not to be", unknown="skip")
        >>> print(metrics.bits_per_char)
    """
    check_model("model", model)
    one_of("unknown", unknown, UNKNOWN_POLICIES)
    if not isinstance(text, str | bytes):
        raise OptionError(f"text: a {type(text).__name__} is not a text; give a str (bytes for a model of bytes)")
    ids, missing = model.vocab.encode(text, unknown)
    parts = partial_metrics(model.network, model.lay_out(ids), window, threads, model.reset_id)
    return sum(parts, start=unknown_metrics(model, missing, unknown))


def unknown_metrics(model: LanguageModel, missing: int, unknown: str) -> Metrics:
    """What the `missing` unknown characters of a text cost under a policy: ln V nats each if that is "uniform"."""
    charged = missing if unknown == "uniform" else 0
    return Metrics(charged * log(len(model.vocab)), charged, 0, missing)


def partial_metrics(
    network: Network, ids: Ids, window: int | None = None, threads: int = 1, reset_id: int | None = None
) -> Iterator[Metrics]:
    """The metrics of a text given as ids, part by part. Their sum is that of the whole text.

    `window` and `threads` as in `evaluate`. `reset_id` is the id of the newline in a text of records, which resets the
    state when it is read. Raises TextError if there is nothing to score, and OptionError.
    """
    if len(ids) < 2 and reset_id is not None:
        raise TextError("the text has no line that is not empty and that the model can read; name another text")
    if len(ids) < 2:
        known = "1 character" if len(ids) else "0 characters"
        raise TextError(f"the text has {known} that the model knows; evaluation takes at least 2")
    threads = whole("threads", threads)
    if window is not None:
        window = min(whole("window", window), len(ids))
    spec = window_spec(reset_id, window)
    yield from map_in_order(partial(_metrics, network, ids, spec), group_edges(0, len(ids) - 1, spec.window), threads)


def _metrics(network: Network, ids: Ids, spec: WindowSpec, cancelled: Event, begin: int, end: int) -> Metrics:
    """The metrics of the characters at positions `begin` + 1 to `end`."""
    total = Metrics()
    with np.errstate(all="ignore"):  # weights of a run that diverged: the loss is inf or nan, and no warning is due
        for positions, scored, logits, y in predictions(network, ids, spec, cancelled, begin, end):
            losses, guesses = nats(logits, y)[scored], (logits.argmax(axis=0) == y)[scored]
            total += Metrics(float(losses.sum(dtype=np.float64)), len(positions), int(guesses.sum()))
    return total
