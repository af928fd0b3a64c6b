"""How well a model predicts a text: exact negative log-likelihood, by one definition for `eval` and validation.

The text is cut every PIECE characters from its start. Each piece is read from the zero state, after the WARM_UP
characters before it, which are not scored (the first piece has none). So every character after the first is scored
exactly once, pieces can be read side by side, and the figure does not depend on how many are. How far it is from one
sequential pass is measured in benchmarks/README.md.

In a text of records the state starts again at every newline, in the warm-up, too: so every record is read from the zero
state, as far as WARM_UP reaches back, and every character of it is scored, the newline at its end included.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import exp, log

import numpy as np

from .errors import OptionError, TextError
from .language_model import LanguageModel
from .nn.model import Model
from .nn.softmax import nats
from .text.vocab import UNKNOWN_POLICIES, Ids

PIECE = 4096
WARM_UP = 512
STREAMS = 32  # pieces read side by side, at most; changes the speed, not the figure
GROUPS = 4  # of pieces, if there are enough for FEWEST_STREAMS in each, so that threads have something to share
FEWEST_STREAMS = 4
CHUNK = 64


@dataclass(frozen=True)
class Score:
    """What a model made of some characters: their sum in nats, how many were scored, how many it guessed first."""

    nats: float = 0.0
    chars: int = 0
    correct: int = 0
    unknown_chars: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
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
) -> Score:
    """The score of a text.

    `unknown` says what happens to characters outside the vocabulary: "error" raises UnknownCharacterError; "skip"
    leaves them out, neither read nor scored; "uniform" charges ln V nats for each and does not read it. `window` = N
    scores windows of N characters instead, each from the zero state. Raises TextError where there is nothing to score.
    """
    ids, missing = model.vocab.encode(text, check_policy(unknown))
    parts = scores(model.network, model.lay_out(ids), window, threads, model.restart)
    return sum(parts, start=unknown_score(model, missing, unknown))


def check_policy(unknown: str) -> str:
    if unknown not in UNKNOWN_POLICIES:
        raise OptionError(f"unknown is {unknown!r}; it must be one of {', '.join(UNKNOWN_POLICIES)}")
    return unknown


def unknown_score(model: LanguageModel, missing: int, unknown: str) -> Score:
    """What the unknown characters of a text cost under a policy."""
    charged = missing if unknown == "uniform" else 0
    return Score(charged * log(len(model.vocab)), charged, 0, missing)


def scores(
    network: Model, ids: Ids, window: int | None = None, threads: int = 1, restart: int | None = None
) -> Iterator[Score]:
    """The score of a text given as ids, in parts: their sum is the whole, their `chars` tell the progress.

    `restart` is the id at which, when it is read, the state starts again: the newline in a text of records.
    """
    if len(ids) < 2 and restart is not None:
        raise TextError("the text has no line that is not empty and that the model can read")
    if len(ids) < 2:
        raise TextError(f"the text has {len(ids)} characters that the model knows; evaluating takes at least 2")
    if window is not None and window < 1:
        raise OptionError(f"a window of {window} characters holds nothing to score; it must be 1 or more")
    piece, warm_up = (window, 0) if window else (PIECE, WARM_UP)
    count = -(-(len(ids) - 1) // piece)
    groups = max(-(-count // STREAMS), min(GROUPS, count // FEWEST_STREAMS))
    edges = [count * i // groups for i in range(groups + 1)]
    score = partial(_score_pieces, network, ids, piece, warm_up, restart)
    if threads == 1:
        yield from map(score, edges, edges[1:])
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(score, edges, edges[1:])
        finally:
            pool.shutdown(cancel_futures=True)


def _score_pieces(
    network: Model, ids: Ids, piece: int, warm_up: int, restart: int | None, first: int, last: int
) -> Score:
    """The score of the pieces first to last - 1, side by side as the streams of one batch."""
    B, N = last - first, len(ids)
    T = min(CHUNK, warm_up + min(piece, N - 1))
    starts = np.arange(first, last) * piece - warm_up
    end = min(warm_up + piece, N - 1 - int(starts[0]))
    work, state = network.workspace(T, B), network.zero_state(B)
    total = Score()
    for begin in range(0, end, T):
        offset = np.arange(begin, begin + T)[:, None]
        place = starts + offset
        scored = ((offset >= warm_up) & (offset < warm_up + piece) & (place < N - 1)).ravel()
        x, y = ids[place.clip(0, N - 1)], ids[(place + 1).clip(0, N - 1)].ravel()
        keep = (place != 0).astype(work.logits.dtype) if starts[0] < 0 else None
        if restart is not None:
            keep = ((place != 0) & (x != restart)).astype(work.logits.dtype)
        with np.errstate(all="ignore"):  # weights of a run that diverged give a score that is not finite
            state = network.forward(x, state, work, keep)
            losses, guesses = nats(work.logits, y), work.logits.argmax(axis=0)
        if scored.any():
            total += Score(
                float(losses[scored].sum(dtype=np.float64)), int(scored.sum()), int((guesses == y)[scored].sum())
            )
    return total
