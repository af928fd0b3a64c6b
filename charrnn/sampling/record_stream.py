"""Drawing records from a model of records, side by side, for as long as they are asked for.

Record number i is a function of the model, the seed and i: each of its characters is chosen by a random number that is
keyed by (seed, i, position). So a longer list begins with the shorter one, and how many records are drawn side by
side changes the speed only, as far as rounding goes. A stream whose record has ended begins the next one at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, TextError
from ..evaluation.metrics import partial_metrics
from ..language_model import LanguageModel
from ..nn.ensemble import make_stepper
from ..nn.params import Array
from ..nn.stepper import StepperState
from ..prng import DRAW, random_bits, uniform
from ..text.records import short, symbols
from ..text.vocab import Ids
from .filters import apply_temperature, forbid, softmax, top_k_top_p
from .text import read

STREAMS = 256  # records drawn side by side, at most
FEWEST_STREAMS = 16  # so that one record in demand among many drawn does not take too long
MOST_AHEAD = 1 << 16  # records begun before an earlier one has ended, so that a very long one fills no memory
FIRST_LENGTH = 64  # characters there is room for at first


class DrawnRecord(NamedTuple):
    """A record as it was drawn: without the newline that ends it, which one that has become too long lacks."""

    text: str | bytes
    complete: bool
    bits: float  # what it costs the model, its end included, at temperature 1 and with no character ruled out
    hash: int  # as it would be remembered, were it in the training set


def draw_records(
    model: LanguageModel,
    prefix: Ids,
    max_length: int,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    forbidden: npt.NDArray[np.bool_] | None = None,
    seed: int = 0,
    streams: int = STREAMS,
) -> Iterator[list[DrawnRecord]]:
    """Records without end, in the order of their numbers, some at a time.

    All begin with `prefix`, which is read and not drawn; no other character is one of those marked in `forbidden` (V,).
    A record that has more than `max_length` characters, those of
    the prefix included, is given up. Raises OptionError for a model that is not of records.
    """
    if not model.records:
        raise OptionError("this model is not of records; train it with --lines, or write text with it")
    if not (temperature >= 0 and top_k >= 0 and 0 <= top_p <= 1):
        raise OptionError(
            f"temperature {temperature}, top_k {top_k}, top_p {top_p}: the first two must be 0 or more, top_p in [0, 1]"
        )
    newline = model.bos_id
    if (prefix == newline).any():
        raise TextError("a record has no newline in it, so none can begin with one")
    laid = np.append(np.array([newline], np.intp), prefix)
    logits, state = read(model.network, laid)
    reader = make_stepper(model.network)
    fresh = _widen(reader.start(state), 1)
    prefix_nats = sum(score.nats for score in partial_metrics(model.network, laid)) if len(prefix) else 0.0
    prefix_sum = symbols(np.arange(len(prefix)), laid[1:]).sum(dtype=np.uint64)

    first, columns = logits, np.arange(streams)
    logits, stepper_state = np.repeat(first, streams, axis=1), _widen(fresh, streams)
    numbers, upcoming, expected = np.arange(streams), streams, 0  # a stream that waits has the number -1
    lengths, nats, sums = np.zeros(streams, np.intp), np.full(streams, prefix_nats), np.full(streams, prefix_sum)
    room = np.empty((FIRST_LENGTH, streams), np.intp)
    ended_early: dict[int, DrawnRecord] = {}  # those that are done before one with a smaller number is
    while True:
        if lengths.max() >= len(room):
            room = np.concatenate([room, np.empty_like(room)])
        left = logits if forbidden is None else forbid(logits, forbidden)
        allowed = apply_temperature(top_k_top_p(left, temperature, top_k, top_p).astype(np.float64), temperature)
        sums_of_probs = np.cumsum(softmax(allowed), axis=0)
        ids = (sums_of_probs <= uniform(seed, DRAW, numbers, lengths) * sums_of_probs[-1]).sum(axis=0)
        nats += _nats(logits, ids)
        sums += symbols(lengths + len(prefix), ids)
        room[lengths, columns] = ids
        lengths += numbers >= 0
        complete = ids == newline
        logits, stepper_state = reader.step(ids, stepper_state)
        ended = np.flatnonzero((numbers >= 0) & (complete | (lengths + len(prefix) > max_length)))
        if not len(ended):
            continue
        for column, hashed in zip(ended.tolist(), short(random_bits(sums[ended])).tolist(), strict=True):
            drawn = room[: lengths[column] - complete[column], column]
            text = model.vocab.decode(np.concatenate([laid[1:], drawn]))
            ended_early[int(numbers[column])] = DrawnRecord(text, bool(complete[column]), nats[column] / log(2), hashed)
        ready = []
        while expected in ended_early:
            ready.append(ended_early.pop(expected))
            expected += 1
        numbers[ended] = -1
        if upcoming < expected + MOST_AHEAD:
            waiting = np.flatnonzero(numbers < 0)
            numbers[waiting] = np.arange(upcoming, upcoming + len(waiting))
            upcoming += len(waiting)
            lengths[waiting], nats[waiting], sums[waiting] = 0, prefix_nats, prefix_sum
            logits[:, waiting] = first
            _begin(stepper_state, fresh, waiting)
        if ready:
            yield ready


def _nats(logits: Array, ids: Ids) -> Array:
    """-ln p of the ids (n,) by the logits (V, n), in float64."""
    relative = logits.astype(np.float64)
    relative -= relative.max(axis=0)
    chosen = relative[ids, np.arange(len(ids))]
    return np.asarray(np.log(np.exp(relative, out=relative).sum(axis=0)) - chosen)


def _widen(stepper_state: StepperState, n: int) -> StepperState:
    """What one stream carries, n times, in arrays of its own."""
    return tuple(
        (tuple(np.repeat(part, n, axis=1) for part in state), np.repeat(product, n, axis=1))
        for state, product in stepper_state
    )


def _begin(stepper_state: StepperState, fresh: StepperState, columns: Ids) -> None:
    """Put the streams of these columns where a record begins, in place."""
    for (state, product), (fresh_state, fresh_product) in zip(stepper_state, fresh, strict=True):
        product[:, columns] = fresh_product
        for part, fresh_part in zip(state, fresh_state, strict=True):
            part[:, columns] = fresh_part
