"""The surprisal of each character of a text, -log2 p, in bits.

The text comes in parts, of any size and without end. It is scored in the windows of windows.py, so the figures are
those of `evaluate`. Three objects share the work, each with one kind of state:

    TextEncoder     parts of the text -> ids, and which characters wait for a figure
    WindowReader    ids -> their figures, in order
    PendingText     both -> the text again, each character with its figures

A character gets its figures once its window is complete or, in a text of records, its record.
Memory is bounded: the reader forgets ids that no later window needs, and text is handed on once it has its figures.
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
from ..text.vocab import Ids, Vocab, id_type
from .windows import WindowSpec, group_edges, map_in_order, predictions, window_spec

MOST_PENDING = 1 << 20  # characters; more of them pend only where nearly all of a text is unknown
MILLION = 1_000_000

Mask = npt.NDArray[np.bool_]


class Figures(NamedTuple):
    """What the model makes of some ids. One item for each in both arrays."""

    millionths: Array  # of a bit, whole numbers
    ranks: Array  # 1 for the most likely character; 0 if ranks were not asked for


class ScoredText(NamedTuple):
    """A stretch of a text with its figures. One item for each character in each array."""

    text: str | bytes
    scored: Mask
    millionths: Array  # of a bit, whole numbers; 0 where not scored
    ranks: Array  # 1 for the most likely character; 0 where not scored, where unknown, and if ranks were not asked for

    def between(self, start: int, stop: int | None = None) -> ScoredText:
        """The characters from `start` to before `stop`."""
        some = slice(start, stop)
        return ScoredText(self.text[some], self.scored[some], self.millionths[some], self.ranks[some])


def surprisals(
    model: LanguageModel,
    texts: Iterable[str | bytes],
    unknown: str,
    ranked: bool = False,
    threads: int = 1,
    where: str = "the text",
) -> Iterator[ScoredText]:
    """Score a text that comes in parts.

    Yields all of the text in order, cut at other places than it came; stretches may be empty. `unknown` as in
    `evaluate`, except that a text may be of unknown characters only. `ranked`: find ranks as well. `where` is the
    text's name in errors.
    """
    encoder = TextEncoder(model, unknown, where)
    reader = WindowReader(model.network, window_spec(model.reset_id), encoder.first_ids(), ranked, threads)
    pending = PendingText(model.vocab)
    for text in texts:
        if model.vocab.of_bytes and isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")
        part = encoder.encode(text)
        reader.add(part.ids)
        pending.add(part)
        yield from pending.ready(reader.read_complete())
        if pending.blocked > MOST_PENDING:
            yield from pending.ready(reader.read_all())
    part = encoder.end()
    reader.add(part.ids)
    pending.add(part)
    yield from pending.ready(reader.read_all())


class EncodedText(NamedTuple):
    """A part of a text: the ids that the model reads, and what happens to each character (the masks)."""

    text: str | bytes
    ids: Ids  # without unknown characters and, in a text of records, without empty lines
    awaited: Mask  # characters whose figures the model finds; of all parts, one for each id but the first of the text
    charged: Mask  # unknown characters that cost log2 V bits each


class TextEncoder:
    """Turns the parts of a text into ids. Between two parts, it knows where in the text it is and what came last."""

    def __init__(self, model: LanguageModel, unknown: str, where: str) -> None:
        self.vocab, self.reset_id, self.unknown, self.where = model.vocab, model.reset_id, unknown, where
        self.position = 0  # characters that came so far
        self.started = False  # has a known character come?
        self.after_newline = True  # in a text of records: was the last known one a newline? the text begins after one
        self.line_ended = True  # was the last character, known or not, a newline, or has none come?

    def first_ids(self) -> Ids:
        """What the model reads before the text: the newline that the first record begins after, or nothing."""
        return np.array([] if self.reset_id is None else [self.reset_id], id_type(len(self.vocab)))

    def encode(self, text: str | bytes) -> EncodedText:
        """The next part of the text."""
        ids, missing = self.vocab.encode(text, self.unknown, self.where, self.position)
        known = self.vocab.known(text) if missing else np.ones(len(text), np.bool_)
        charged = ~known & (self.unknown == "uniform")
        awaited = known.copy()
        if len(ids):
            if self.reset_id is not None:
                newline = np.append(self.after_newline, ids == self.reset_id)
                not_empty = ~(newline[1:] & newline[:-1])  # a newline after a newline is an empty line
                ids, awaited[known], self.after_newline = ids[not_empty], not_empty, bool(newline[-1])
            elif not self.started:
                awaited[known.argmax()] = False  # the first character of the text follows nothing
            self.started = True
        self.position += len(text)
        self.line_ended = text[-1:] in ("\n", b"\n") if text else self.line_ended
        return EncodedText(text, ids, awaited, charged)

    def end(self) -> EncodedText:
        """The end of the text. In a text of records, a last line without a newline gets one, to be a record."""
        newline = self.first_ids()  # empty unless the text is of records
        return self.encode(self.vocab.decode(newline[:0] if self.line_ended else newline))


class WindowReader:
    """Scores ids that come in parts, window by window.

    Holds between calls: `ids` is the end of what came; ids[1] to ids[done] have been scored, those after that have not.
    The ids before `ids` were a whole number of windows and are not needed any more, so places in `ids` belong to the
    same windows as in the text.
    """

    def __init__(self, network: Network, spec: WindowSpec, ids: Ids, ranked: bool, threads: int) -> None:
        self.network, self.spec, self.ranked, self.threads = network, spec, ranked, threads
        self.ids, self.done = ids, 0

    def add(self, ids: Ids) -> None:
        """Take the next ids of the text."""
        self.ids = np.concatenate([self.ids, ids])

    def read_complete(self) -> Iterator[Figures]:
        """Score all windows that are complete and, in a text of records, all complete records."""
        end = (len(self.ids) - 1) // self.spec.window * self.spec.window
        if self.spec.reset_id is not None:
            newlines = np.flatnonzero(self.ids[self.done + 1 :] == self.spec.reset_id)
            if len(newlines):
                end = max(end, self.done + 1 + int(newlines[-1]))
        yield from self._read_to(end)

    def read_all(self) -> Iterator[Figures]:
        """Score all ids that came."""
        yield from self._read_to(len(self.ids) - 1)

    def _read_to(self, end: int) -> Iterator[Figures]:
        """Score the ids up to place `end`, then forget those that no later window is warmed up on."""
        if end <= self.done:
            return
        edges = group_edges(self.done, end, self.spec.window)
        yield from map_in_order(partial(_figures, self.network, self.ids, self.spec, self.ranked), edges, self.threads)
        warm_up_windows = -(-self.spec.warm_up // self.spec.window)
        forgotten = max(0, end // self.spec.window - warm_up_windows) * self.spec.window
        self.ids, self.done = self.ids[forgotten:], end - forgotten


def _figures(
    network: Network, ids: Ids, spec: WindowSpec, ranked: bool, cancelled: Event, begin: int, end: int
) -> Figures:
    """The figures of the ids at positions `begin` + 1 to `end`."""
    losses, ranks = np.empty(end - begin), np.zeros(end - begin, np.int32)
    with np.errstate(all="ignore"):  # weights of a run that diverged: the bits are inf or nan, and no warning is due
        for positions, scored, logits, y in predictions(network, ids, spec, cancelled, begin, end):
            losses[positions - begin - 1] = nats(logits, y)[scored]
            if ranked:
                better = logits > logits[y, np.arange(len(y))]
                ranks[positions - begin - 1] = 1 + better.sum(axis=0)[scored]
        return Figures(np.round(losses / log(2) * MILLION) + 0.0, ranks)  # + 0.0 makes -0.0 a 0.0


class PendingText:
    """Text that is not handed on yet, since a character of it waits for its figures.

    The figures come in the order of the characters. Those before the first that waits are ready; those after it may
    need none (unknown characters, empty lines).
    """

    def __init__(self, vocab: Vocab) -> None:
        nothing = np.zeros(0)
        self.pending = ScoredText(
            vocab.decode(np.zeros(0, np.uint8)), nothing.astype(np.bool_), nothing, nothing.astype(np.int32)
        )
        self.waiting = nothing.astype(np.bool_)  # for each pending character: does it wait for its figures?
        self.charge = float(round(log2(len(vocab)) * MILLION))  # millionths of a bit, for an unknown character

    def add(self, part: EncodedText) -> None:
        """Take the next part of the text."""
        text, _, awaited, charged = part
        pending = self.pending
        self.waiting = np.append(self.waiting, awaited)
        self.pending = ScoredText(
            pending.text + text,  # type: ignore[operator]  # both are str, or both are bytes
            np.append(pending.scored, awaited | charged),
            np.append(pending.millionths, charged * self.charge),
            np.append(pending.ranks, np.zeros(len(text), np.int32)),
        )

    def ready(self, figures: Iterable[Figures]) -> Iterator[ScoredText]:
        """Give figures to the characters that wait, the first of them first; hand on what is ready after each step."""
        for millionths, ranks in figures:
            places = np.flatnonzero(self.waiting)[: len(ranks)]
            self.waiting[places] = False
            self.pending.millionths[places], self.pending.ranks[places] = millionths, ranks
            yield self._take_ready()
        yield self._take_ready()

    def _take_ready(self) -> ScoredText:
        """Remove and return the characters before the first that waits."""
        count = self._ready_count
        ready = self.pending.between(0, count)
        self.pending, self.waiting = self.pending.between(count), self.waiting[count:]
        return ready

    @property
    def blocked(self) -> int:
        """The number of characters that cannot be handed on, from the first that waits on."""
        return len(self.waiting) - self._ready_count

    @property
    def _ready_count(self) -> int:
        return int(self.waiting.argmax()) if self.waiting.any() else len(self.waiting)


def paired(ours: Iterable[ScoredText], theirs: Iterable[ScoredText]) -> Iterator[tuple[ScoredText, ScoredText]]:
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
