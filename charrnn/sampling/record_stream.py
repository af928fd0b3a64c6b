"""Drawing records from a model of records, many side by side, for as long as the caller asks for more.

Record number i follows from the model, the seed and i alone: each of its characters is drawn with a random number keyed
by (seed, i, position). So a longer list begins with the shorter one, and the number of streams changes the speed and
not the records, apart from rounding. When the record of a stream has ended, the stream begins another one at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, TextError
from ..evaluation.metrics import partial_metrics
from ..language_model import LanguageModel
from ..nn.ensemble import EnsembleStepper, make_stepper
from ..nn.loss import nats, softmax
from ..nn.params import Array
from ..nn.stepper import Stepper, StepperState
from ..prng import DRAW, random_bits, uniform
from ..text.records import short, symbols
from ..text.vocab import Ids
from .filters import Mask, apply_temperature, forbid, top_k_top_p
from .params import SamplingParams
from .text import read

AnyStepper = Stepper | EnsembleStepper

STREAMS = 256  # at most so many records are drawn side by side
MAX_AHEAD = 1 << 16  # records begun before an earlier one has ended; bounds the memory behind a very long record
FIRST_CAPACITY = 64  # characters of each record that there is room for at first
MAX_SEED = (1 << 64) - 1
IDLE = -1  # the number of a stream that has no record


class DrawnRecord(NamedTuple):
    """A record as drawn, without the newline at its end. A record that became too long has no end."""

    text: str | bytes
    complete: bool
    bits: float  # -log2 p of all its characters and its end, at temperature 1 and with no character ruled out
    hash: int  # the hash that it would have in a training set


def draw_records(
    model: LanguageModel,
    prefix: Ids,
    max_length: int,
    params: SamplingParams,
    forbidden: Mask | None = None,
    streams: int = STREAMS,
) -> Iterator[list[DrawnRecord]]:
    """Endless records in the order of their numbers, some at a time.

    Every record starts with `prefix`, which is read and not drawn. No other character is one of those marked in
    `forbidden` (V,). A record of more than `max_length` characters, the prefix included, is given up. Of `params` only
    `temperature`, `top_k`, `top_p` and `seed` are used.
    Raises OptionError for a model of texts or a seed of more than 64 bits, TextError for a prefix with a newline in it.
    """
    if not model.records:
        raise OptionError("model: it writes texts, not records; use sample, or train with --lines")
    if params.seed > MAX_SEED:
        raise OptionError(f"seed: {params.seed} is too large for records; give at most {MAX_SEED}")
    if (prefix == model.bos_id).any():
        raise TextError("prefix: it has a newline in it, which ends a record; leave the newline out")
    return _endless(model, prefix, max_length, params, forbidden, streams)


def _endless(
    model: LanguageModel, prefix: Ids, max_length: int, params: SamplingParams, forbidden: Mask | None, streams: int
) -> Iterator[list[DrawnRecord]]:
    stepper = make_stepper(model.network)
    table = _StreamTable(model, stepper, _read_prefix(model, stepper, prefix), streams)
    ended: dict[int, DrawnRecord] = {}  # records that ended before one with a smaller number
    next_out = 0
    while True:
        columns = table.step(table.draw(params, forbidden), max_length)
        if not len(columns):
            continue
        ended |= table.take(columns)
        in_order = []
        while next_out in ended:
            in_order.append(ended.pop(next_out))
            next_out += 1
        if table.next_number < next_out + MAX_AHEAD:
            table.refill()
        if in_order:
            yield in_order


@dataclass(frozen=True)
class _Start:
    """Where every record starts: after the newline and the prefix have been read."""

    prefix: Ids
    logits: Array  # (V, 1)
    stepper_state: StepperState  # of one stream
    nats: float  # -ln p of the prefix
    hash_sum: np.uint64  # the part of the record's hash that comes from the prefix


def _read_prefix(model: LanguageModel, stepper: AnyStepper, prefix: Ids) -> _Start:
    laid = np.append(np.array([model.bos_id], np.intp), prefix)
    logits, state = read(model.network, laid)
    return _Start(
        prefix=laid[1:],
        logits=logits,
        stepper_state=_repeat(stepper.start(state), 1),
        nats=sum(metrics.nats for metrics in partial_metrics(model.network, laid)) if len(prefix) else 0.0,
        hash_sum=symbols(np.arange(len(prefix)), laid[1:]).sum(dtype=np.uint64),
    )


class _StreamTable:
    """The records being drawn, one per column. Arrays have shape (streams,) unless a comment says otherwise."""

    def __init__(self, model: LanguageModel, stepper: AnyStepper, start: _Start, streams: int) -> None:
        self.vocab, self.newline = model.vocab, model.bos_id
        self.stepper, self.start = stepper, start
        self.columns = np.arange(streams)
        self.numbers: npt.NDArray[np.intp] = np.arange(streams)  # which record each stream draws, or IDLE
        self.next_number = streams  # of the next record to begin
        self.lengths = np.zeros(streams, np.intp)  # characters drawn of each record, its newline included
        self.ids = np.empty((FIRST_CAPACITY, streams), np.intp)  # (capacity, streams), the characters themselves
        self.complete = np.zeros(streams, np.bool_)  # whether the last character drawn is the newline
        self.nats = np.full(streams, start.nats)
        self.hash_sums = np.full(streams, start.hash_sum)
        self.logits = np.repeat(start.logits, streams, axis=1)  # (V, streams), of the next character
        self.stepper_state = _repeat(start.stepper_state, streams)

    def draw(self, params: SamplingParams, forbidden: Mask | None) -> Ids:
        """The next character of each stream: where the cumulative probability passes the random number."""
        logits = self.logits if forbidden is None else forbid(self.logits, forbidden)
        logits = apply_temperature(top_k_top_p(logits, params).astype(np.float64), params.temperature)
        cumulative = np.cumsum(softmax(logits), axis=0)
        threshold = uniform(params.seed, DRAW, self.numbers, self.lengths) * cumulative[-1]
        return np.asarray((cumulative <= threshold).sum(axis=0))

    def step(self, ids: Ids, max_length: int) -> Ids:
        """Append the characters drawn and read them; returns the columns whose record has ended now."""
        prefix_length = len(self.start.prefix)
        if self.lengths.max() >= len(self.ids):
            self.ids = np.concatenate([self.ids, np.empty_like(self.ids)])
        self.nats += nats(self.logits.astype(np.float64), ids)
        self.hash_sums += symbols(self.lengths + prefix_length, ids)
        self.ids[self.lengths, self.columns] = ids
        busy = self.numbers != IDLE
        self.lengths += busy
        self.complete = ids == self.newline
        self.logits, self.stepper_state = self.stepper.step(ids, self.stepper_state)
        return np.flatnonzero(busy & (self.complete | (self.lengths + prefix_length > max_length)))

    def take(self, columns: Ids) -> dict[int, DrawnRecord]:
        """The records in these columns, by number; the streams become idle."""
        hashes = short(random_bits(self.hash_sums[columns])).tolist()
        records = {
            int(self.numbers[column]): self._record(column, hashed)
            for column, hashed in zip(columns.tolist(), hashes, strict=True)
        }
        self.numbers[columns] = IDLE
        return records

    def _record(self, column: int, hashed: int) -> DrawnRecord:
        complete = bool(self.complete[column])
        ids = self.ids[: self.lengths[column] - complete, column]
        text = self.vocab.decode(np.concatenate([self.start.prefix, ids]))
        return DrawnRecord(text, complete, self.nats[column] / log(2), hashed)

    def refill(self) -> None:
        """Begin the next record in every idle stream."""
        idle = np.flatnonzero(self.numbers == IDLE)
        self.numbers[idle] = np.arange(self.next_number, self.next_number + len(idle))
        self.next_number += len(idle)
        self.lengths[idle], self.nats[idle], self.hash_sums[idle] = 0, self.start.nats, self.start.hash_sum
        self.logits[:, idle] = self.start.logits
        _overwrite(self.stepper_state, self.start.stepper_state, idle)


def _repeat(stepper_state: StepperState, n: int) -> StepperState:
    """A copy of the stepper state of one stream for each of n streams."""
    return tuple(
        (tuple(np.repeat(part, n, axis=1) for part in state), np.repeat(product, n, axis=1))
        for state, product in stepper_state
    )


def _overwrite(stepper_state: StepperState, one: StepperState, columns: Ids) -> None:
    """Put the stepper state of one stream into these columns, in place."""
    for (state, product), (one_state, one_product) in zip(stepper_state, one, strict=True):
        product[:, columns] = one_product
        for part, one_part in zip(state, one_state, strict=True):
            part[:, columns] = one_part
