"""The surprisal of each character of a text that comes in parts, -log2 p, in order and in bounded memory.

What is scored, and after what, is what `evaluate` scores (pieces.py). A character is told as soon as its piece is whole
or, in a text of records, its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from math import log, log2
from threading import Event
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..language_model import LanguageModel
from ..nn.ensemble import Network
from ..nn.loss import nats
from ..nn.params import Array
from ..text.vocab import Ids, id_type
from .windows import WindowSpec, group_edges, map_in_order, predictions, window_spec

MOST_HELD = 1 << 20  # characters that wait for their piece, in a text of unknown ones
MILLION = 1_000_000


class Part(NamedTuple):
    """Some characters of a text, one after the other, and what a model makes of them; arrays have one item for each."""

    text: str | bytes
    scored: npt.NDArray[np.bool_]
    millionths: Array  # of a bit, whole numbers; 0 where not scored
    ranks: Array  # 1 if no other character was held for more likely; 0 where not scored, not known, or not asked for

    def between(self, start: int, stop: int | None = None) -> Part:
        """Some of it."""
        some = slice(start, stop)
        return Part(self.text[some], self.scored[some], self.millionths[some], self.ranks[some])


def surprisals(
    model: LanguageModel,
    texts: Iterable[str | bytes],
    unknown: str,
    ranked: bool = False,
    threads: int = 1,
    where: str = "the text",
) -> Iterator[Part]:
    """A text that comes in parts, in parts: it may be cut elsewhere, but nothing is left out.

    `unknown` as in `evaluate`, except that a text of nothing else is none; `where` is the text's name in errors.
    """
    reading = _Reading(model, unknown, ranked, threads, where)
    for text in texts:
        if model.vocab.of_bytes and isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")
        yield from reading.add(text)
    yield from reading.finish()


class _Reading:
    """A text that has been read up to some place, and scored up to another."""

    def __init__(self, model: LanguageModel, unknown: str, ranked: bool, threads: int, where: str) -> None:
        self.model, self.unknown, self.ranked, self.threads, self.where = model, unknown, ranked, threads, where
        self.spec = window_spec(model.reset_id)
        first = [] if model.reset_id is None else [model.reset_id]
        self.ids: Ids = np.array(first, id_type(len(model.vocab)))  # from the warm-up of a piece that is not scored yet
        self.done = 0  # spec many of them have been read; the one after those has been predicted
        self.position = 0  # spec many characters came
        self.last = model.bos_id  # the last one that is known
        self.ended = True  # does what came end with a newline?
        self.held = Part(model.vocab.decode(self.ids[:0]), np.zeros(0, np.bool_), np.zeros(0), np.zeros(0, np.int32))
        self.waiting = np.zeros(0, np.bool_)  # which of the held characters are still to be scored

    def add(self, text: str | bytes) -> Iterator[Part]:
        """Read on, and score all that is whole now."""
        self._take(text)
        yield from self._score(self._whole())
        if len(self.waiting) - self._certain > MOST_HELD:
            yield from self._score(len(self.ids) - 1)

    def finish(self) -> Iterator[Part]:
        """There is no more: score the rest. A last line without its newline is a record all the same."""
        if self.spec.reset_id is not None and self.position and not self.ended:
            self._take(self.model.vocab.decode(np.array([self.spec.reset_id])))
        yield from self._score(len(self.ids) - 1)

    def _let_go(self) -> Part:
        """Let go of what is certain."""
        count = self._certain
        part = self.held.between(0, count)
        self.held, self.waiting = self.held.between(count), self.waiting[count:]
        return part

    @property
    def _certain(self) -> int:
        """How many of the held characters come before the first that waits."""
        return int(self.waiting.argmax()) if self.waiting.any() else len(self.waiting)

    def _take(self, text: str | bytes) -> None:
        vocab, reset_id = self.model.vocab, self.spec.reset_id
        ids, missing = vocab.encode(text, self.unknown, self.where, self.position)
        known = vocab.known(text) if missing else np.ones(len(text), np.bool_)
        waiting = known.copy()
        if reset_id is not None:
            symbols = np.append(self.last, ids)
            records = (symbols[1:] != reset_id) | (symbols[:-1] != reset_id)  # no empty lines
            self.last, ids, waiting[known] = int(symbols[-1]), ids[records], records
        elif len(ids) and not len(self.ids):
            waiting[known.argmax()] = False  # the first character follows nothing
        charged = ~known & (self.unknown == "uniform")
        self.ids = np.concatenate([self.ids, ids])
        self.position += len(text)
        self.ended = text[-1:] in ("\n", b"\n") if text else self.ended
        held, charge = self.held, float(round(log2(len(vocab)) * MILLION))
        self.waiting = np.append(self.waiting, waiting)
        self.held = Part(
            held.text + text,  # type: ignore[operator]  # both are str, or both are bytes
            np.append(held.scored, waiting | charged),
            np.append(held.millionths, charged * charge),
            np.append(held.ranks, np.zeros(len(text), np.int32)),
        )

    def _whole(self) -> int:
        """How many of `ids` can be read now by the cut: to the end of a piece, or of a record."""
        end = (len(self.ids) - 1) // self.spec.window * self.spec.window
        if self.spec.reset_id is None:
            return end
        ended = np.flatnonzero(self.ids[self.done + 1 :] == self.spec.reset_id)
        return max(end, self.done + 1 + int(ended[-1])) if len(ended) else end

    def _score(self, end: int) -> Iterator[Part]:
        """Read up to `end`, let go of what is certain, and forget what no piece to come will be warmed up on."""
        if end > self.done:
            edges = group_edges(self.done, end, self.spec.window)
            work = partial(_predict, self.model.network, self.ids, self.spec, self.ranked)
            for millionths, ranks in map_in_order(work, edges, self.threads):
                places = np.flatnonzero(self.waiting)[: len(ranks)]
                self.waiting[places] = False
                self.held.millionths[places], self.held.ranks[places] = millionths, ranks
                yield self._let_go()
            warm_up = -(-self.spec.warm_up // self.spec.window) * self.spec.window
            forgotten = max(0, end // self.spec.window * self.spec.window - warm_up)
            self.ids, self.done = self.ids[forgotten:], end - forgotten
        yield self._let_go()


def _predict(
    network: Network, ids: Ids, spec: WindowSpec, ranked: bool, cancelled: Event, begin: int, end: int
) -> tuple[Array, Array]:
    """Millionths of bits and ranks of the characters at `begin` + 1 to `end`."""
    losses, ranks = np.empty(end - begin), np.zeros(end - begin, np.int32)
    with np.errstate(all="ignore"):  # weights of a run that diverged give a score that is not finite
        for places, scored, logits, y in predictions(network, ids, spec, cancelled, begin, end):
            losses[places - begin - 1] = nats(logits, y)[scored]
            if ranked:
                better = logits > logits[y, np.arange(len(y))]
                ranks[places - begin - 1] = 1 + better.sum(axis=0)[scored]
        return np.round(losses / log(2) * MILLION) + 0.0, ranks  # and no -0


def together(ours: Iterable[Part], theirs: Iterable[Part]) -> Iterator[tuple[Part, Part]]:
    """What two models make of the same text, cut at the same places."""
    others = iter(theirs)
    other = next(others)
    for part in ours:
        while part.text:
            while not other.text:
                other = next(others)
            count = min(len(part.text), len(other.text))
            yield part.between(0, count), other.between(0, count)
            part, other = part.between(count), other.between(count)
