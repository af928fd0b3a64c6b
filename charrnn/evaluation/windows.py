"""What a network expects at every place of a text: the one definition that `eval`, `score` and validation share.

The text is cut every WINDOW characters from its start. Each piece is read from the zero state, after the WARM_UP
characters before it, which are not scored (the first piece has none). So every character after the first is scored
exactly once, pieces can be read side by side, and the figure does not depend on spec many are. How far it is from one
sequential pass is measured in benchmarks/README.md.

In a text of records the state starts again at zero wherever a newline is read, so there the text is cut, too, and
nothing before that newline is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Event
from typing import NamedTuple, TypeVar

import numpy as np

from ..nn.ensemble import Network
from ..nn.params import Array
from ..text.vocab import Ids

WINDOW = 4096
WARM_UP = 512
STREAMS = 32  # pieces read side by side, at most; changes the speed, not the figure
GROUPS = 4  # of pieces, if there are enough for FEWEST_STREAMS in each, so that threads have something to share
FEWEST_STREAMS = 4
CHUNK = 64

Result = TypeVar("Result")


class WindowSpec(NamedTuple):
    """How a text is cut, as above. `reset_id` is the id of the newline in a text of records, else None."""

    window: int
    warm_up: int
    reset_id: int | None


def window_spec(reset_id: int | None = None, window: int | None = None) -> WindowSpec:
    """The cut that everything is scored by, or into windows of so many characters without a warm-up."""
    return WindowSpec(WINDOW, WARM_UP, reset_id) if window is None else WindowSpec(window, 0, reset_id)


def group_edges(begin: int, end: int, window: int) -> list[int]:
    """The edges, from `begin` to `end`, of groups of pieces that are read side by side."""
    first = begin // window
    count = -(-end // window) - first
    number = max(1, -(-count // STREAMS), min(GROUPS, count // FEWEST_STREAMS))
    return [begin, *((first + count * i // number) * window for i in range(1, number)), end]


def most_streams(characters: int) -> int:
    """How many pieces are read side by side at most, of a text of so many characters."""
    return max(-(-(end - begin) // WINDOW) for begin, end in pairwise(group_edges(0, characters, WINDOW)))


def map_in_order(work: Callable[[Event, int, int], Result], edges: Sequence[int], threads: int) -> Iterator[Result]:
    """work(cancelled, begin, end) between all edges, on so many threads; the results in their order.

    Whoever stops asking need not wait for what is being read: `cancelled` is set, and the result of no use.
    """
    cancelled = Event()
    if threads == 1 or len(edges) == 2:
        yield from (work(cancelled, *pair) for pair in pairwise(edges))
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(partial(work, cancelled), edges, edges[1:])
        finally:
            cancelled.set()
            pool.shutdown(cancel_futures=True)


def predictions(
    network: Network, ids: Ids, spec: WindowSpec, cancelled: Event, begin: int, end: int
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """What the network expects at the places `begin` + 1 to `end` of a text, each once, in any order, until given up.

    Yields the places; which columns are theirs; the logits (V, N) of all columns, good until the next are asked for;
    and what really follows, y (N,).
    """
    first, start, stop = spans(ids, spec, begin, end)
    order = np.argsort(first - stop, kind="stable")  # the longest first
    while len(order):
        longest = int(stop[order[0]] - first[order[0]])
        T = -(-longest // -(-longest // CHUNK))
        batch, order = np.split(order, [STREAMS * CHUNK // T])
        for columns in _read(network, ids, first[batch], start[batch], stop[batch], T):
            if cancelled.is_set():
                return
            yield columns


def spans(ids: Ids, spec: WindowSpec, begin: int, end: int) -> tuple[Array, Array, Array]:
    """Where the network reads from the zero state to predict the places `begin` + 1 to `end` of a text.

    A stretch is read from `first` to before `stop`; what is read from `start` on is followed by a place to be scored.
    In a text that comes in parts `begin` and `end` may be any places in it.
    """
    starts = [np.array([begin]), np.arange(begin // spec.window + 1, -(-end // spec.window)) * spec.window]
    if spec.reset_id is not None:
        starts.append(begin + np.flatnonzero(ids[begin:end] == spec.reset_id))
    start = np.unique(np.concatenate(starts))
    first = np.maximum(0, start // spec.window * spec.window - spec.warm_up)
    if spec.reset_id is not None:
        restarts = first[0] + np.flatnonzero(ids[first[0] : end] == spec.reset_id)
        first = np.maximum(first, np.append(0, restarts)[np.searchsorted(restarts, start, "right")])
    return first, start, np.append(start[1:], end)


def _read(
    network: Network, ids: Ids, first: Array, start: Array, stop: Array, T: int
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Read stretches side by side, the longest first, as the streams of one batch."""
    work, state = network.workspace(T, len(first)), network.zero_state(len(first))
    for begin in range(0, int(stop[0] - first[0]), T):
        going_on = int(np.count_nonzero(stop - first > begin))
        if 2 * going_on <= work.B:
            work = network.workspace(T, going_on)
            state = tuple(tuple(part[:, :going_on] for part in layer) for layer in state)
        place = first[: work.B] + np.arange(begin, begin + T)[:, None]
        scored = (place >= start[: work.B]) & (place < stop[: work.B])
        y = ids[(place + 1).clip(max=len(ids) - 1)].ravel()
        state = network.forward(ids[place.clip(max=len(ids) - 1)], state, work)
        if scored.any():
            yield place[scored] + 1, scored.ravel(), work.logits, y
