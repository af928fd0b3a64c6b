"""What the model predicts at every position of a text: the one definition that `eval`, `score` and validation share.

The text is cut into windows of WINDOW characters. Each window is read from the zero state, after a warm-up: the WARM_UP
characters before it are read first, but not scored. The first window has no warm-up.

    position       0             4096            8192            12288
    window 0       [== scored ===]
    window 1                 [wu][=== scored ====]
    window 2                             [wu][=== scored ====]
                             ^ zero state: 512 characters (wu, the warm-up) before position 4096

Reading the character at position i predicts the character at i + 1. So every character after the first is scored
exactly once. Windows do not depend on each other and are read side by side, as the streams of a batch; the number of
streams and threads changes the speed and not the figure. How far the figure is from that of one sequential pass is
measured in benchmarks/HISTORY.md.

In a text of records the state is reset to zero whenever a newline is read. So the text is cut there as well, and
nothing before that newline is read:

    \\n a n n a \\n b e n \\n
    [= scored =]            reads \\n a n n a    predicts a n n a \\n
               [ scored ]   reads \\n b e n      predicts b e n \\n
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Event
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ..nn.ensemble import Network
from ..nn.params import Array
from ..text.vocab import Ids

WINDOW = 4096  # characters
WARM_UP = 512  # characters
STREAMS = 32  # windows read side by side, at most
GROUPS = 4  # a text is cut into at least so many groups of windows, one task each, so that threads can share the work,
FEWEST_STREAMS = 4  # as long as each group has at least so many windows
CHUNK = 64  # characters of each stream in one forward pass, at most

Result = TypeVar("Result")
Positions = npt.NDArray[np.intp]


class WindowSpec(NamedTuple):
    """How a text is cut. Sizes are in characters."""

    window: int  # characters scored after one warm-up
    warm_up: int  # characters read before each window and not scored
    reset_id: int | None  # reading this id resets the state: that of the newline in a text of records, else None


def window_spec(reset_id: int | None = None, window: int | None = None) -> WindowSpec:
    """The standard windows with their warm-up or, if `window` is given, windows of that size without a warm-up."""
    return WindowSpec(WINDOW, WARM_UP, reset_id) if window is None else WindowSpec(window, 0, reset_id)


def group_edges(begin: int, end: int, window: int) -> list[int]:
    """Cut the positions `begin` to `end` into groups of windows that are read side by side.

    Returns the edges of the groups in ascending order, `begin` and `end` included; the others are edges of windows.
    """
    first = begin // window
    count = -(-end // window) - first
    groups = max(1, -(-count // STREAMS), min(GROUPS, count // FEWEST_STREAMS))
    return [begin, *((first + count * i // groups) * window for i in range(1, groups)), end]


def most_streams(characters: int) -> int:
    """The largest number of windows that are read side by side in a text of so many characters."""
    return max(-(-(end - begin) // WINDOW) for begin, end in pairwise(group_edges(0, characters, WINDOW)))


def map_in_order(work: Callable[[Event, int, int], Result], edges: Sequence[int], threads: int) -> Iterator[Result]:
    """Call work(cancelled, begin, end) for each pair of neighbouring edges, on `threads` threads.

    Yields the results in the order of the edges. If the caller stops before the last one, `cancelled` is set: calls
    that are still running should return at once, and what they return is dropped.
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


class Predictions(NamedTuple):
    """What the model predicts in some columns of a batch. Shapes: N columns, of which n are scored."""

    positions: Positions  # (n,), in the text, of the characters predicted in the scored columns
    scored: npt.NDArray[np.bool_]  # (N,); the other columns are warm-up or padding
    logits: Array  # (V, N), overwritten when the next predictions are asked for
    y: Ids  # (N,), the character that follows in the text


def predictions(
    network: Network, ids: Ids, spec: WindowSpec, cancelled: Event, begin: int, end: int
) -> Iterator[Predictions]:
    """Predict the characters at positions `begin` + 1 to `end` of a text, each once, in no particular order.

    Spans are sorted by length, so that those read side by side end at nearly the same time. Stops early once
    `cancelled` is set.
    """
    spans = spans_between(ids, spec, begin, end)
    longest_first = np.argsort(spans.first - spans.stop, kind="stable")
    while len(longest_first):
        length = int(spans.length[longest_first[0]])
        T = -(-length // -(-length // CHUNK))  # chunks of equal length, none above CHUNK
        batch, longest_first = np.split(longest_first, [STREAMS * CHUNK // T])
        for columns in _read_side_by_side(network, ids, spans.select(batch), T):
            if cancelled.is_set():
                return
            yield columns


class Spans(NamedTuple):
    """Spans of a text, each read from the zero state. One item for each span in each array.

    Span s reads the ids at `first`[s] to `stop`[s] - 1. Those before `scored_from`[s] are its warm-up. Each id from
    there on is followed by a character to be scored, at the next position.
    """

    first: Positions
    scored_from: Positions
    stop: Positions

    @property
    def length(self) -> Positions:
        """The number of ids that each span reads."""
        return self.stop - self.first

    def select(self, which: Positions) -> Spans:
        """The spans of these numbers, in this order."""
        return Spans(self.first[which], self.scored_from[which], self.stop[which])


def spans_between(ids: Ids, spec: WindowSpec, begin: int, end: int) -> Spans:
    """The spans that together predict the positions `begin` + 1 to `end` of a text.

    A span begins to be scored at `begin`, at every edge of a window and, in a text of records, at every newline.
    `begin` and `end` need not be edges of windows.
    """
    starts = [np.array([begin]), np.arange(begin // spec.window + 1, -(-end // spec.window)) * spec.window]
    if spec.reset_id is not None:
        starts.append(begin + np.flatnonzero(ids[begin:end] == spec.reset_id))
    scored_from = np.unique(np.concatenate(starts))
    first = np.maximum(0, scored_from // spec.window * spec.window - spec.warm_up)
    if spec.reset_id is not None:  # nothing is read before the last newline at or before scored_from
        resets = first[0] + np.flatnonzero(ids[first[0] : end] == spec.reset_id)
        first = np.maximum(first, np.append(0, resets)[np.searchsorted(resets, scored_from, "right")])
    return Spans(first, scored_from, np.append(scored_from[1:], end))


def _read_side_by_side(network: Network, ids: Ids, spans: Spans, T: int) -> Iterator[Predictions]:
    """Read spans, the longest first, as the streams of one batch, T characters of each at a time.

    Streams whose span has ended read padding. Once half of the streams or more have ended, those are dropped.
    """
    first, scored_from, stop = spans
    work, state = network.workspace(T, len(first)), network.zero_state(len(first))
    for begin in range(0, int(stop[0] - first[0]), T):
        going_on = int(np.count_nonzero(stop - first > begin))
        if 2 * going_on <= work.B:
            work = network.workspace(T, going_on)
            state = tuple(tuple(part[:, :going_on] for part in layer) for layer in state)
        position = first[: work.B] + np.arange(begin, begin + T)[:, None]  # (T, B), of the ids read
        scored = (position >= scored_from[: work.B]) & (position < stop[: work.B])
        y = ids[(position + 1).clip(max=len(ids) - 1)].ravel()
        state = network.forward(ids[position.clip(max=len(ids) - 1)], state, work)
        if scored.any():
            yield Predictions(position[scored] + 1, scored.ravel(), work.logits, y)
