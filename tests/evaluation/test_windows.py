"""Texts of records: read from the zero state after each newline, by the same cut as any text."""

from itertools import pairwise
from math import log
from threading import Event

import numpy as np
import pytest

from charrnn.evaluation import windows
from charrnn.evaluation.metrics import partial_metrics
from charrnn.evaluation.windows import group_edges, map_in_order, predictions, window_spec
from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params

V, NEWLINE = 6, 0


def network_of(cell, dtype=np.float64):
    config = ModelConfig(V, cell, hidden=5, layers=2)
    params = Params(config.shapes(), dtype)
    params.flat[:] = np.random.default_rng(1).normal(0, 0.8, params.flat.size)
    return Model(config, params)


def records(count, longest, seed=0):
    """Ids of a newline and so many records, each ended by one."""
    rng = np.random.default_rng(seed)
    lines = [[*rng.integers(1, V, rng.integers(1, longest + 1)), NEWLINE] for _ in range(count)]
    return np.array([NEWLINE, *(i for line in lines for i in line)], np.uint8)


def naive(network, ids, piece, warm_up):
    """The nats of each place after the first, one character at a time."""
    work, losses = network.workspace(1, 1), []
    for place in range(len(ids) - 1):
        start = max(0, place // piece * piece - warm_up)
        newlines = [i for i in range(start, place + 1) if ids[i] == NEWLINE]
        state = network.zero_state(1)
        for i in range(max([start, *newlines]), place + 1):
            state = network.forward(ids[[i], None], state, work)
        probs = np.exp(work.logits[:, 0]) / np.exp(work.logits[:, 0]).sum()
        losses.append(-log(probs[ids[place + 1]]))
    return np.array(losses)


@pytest.fixture
def small(monkeypatch):
    for name, value in {"WINDOW": 10, "WARM_UP": 4, "STREAMS": 3, "CHUNK": 4}.items():
        monkeypatch.setattr(windows, name, value)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-4)])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("longest", [1, 3, 40])
def test_records_are_read_from_the_zero_state(small, cell, longest, dtype, tolerance):
    ids = records(120 // longest, longest)
    network = network_of(cell, dtype)
    expected = naive(network_of(cell), ids, 10, 4)
    total = sum(part.nats for part in partial_metrics(network, ids, reset_id=NEWLINE))
    assert total / len(expected) == pytest.approx(expected.mean(), abs=tolerance)
    threaded = sum(part.nats for part in partial_metrics(network, ids, reset_id=NEWLINE, threads=2))
    assert threaded == total


def test_records_are_the_batch_with_a_mask():
    """Of one piece: a single forward pass in which the state is kept wherever no newline is read."""
    network, ids = network_of("gru"), records(20, 9)
    x = ids[:-1, None]
    work = network.workspace(len(x), 1)
    network.forward(x, network.zero_state(1), work, carry_mask=(x != NEWLINE).astype(float))
    probs = np.exp(work.logits) / np.exp(work.logits).sum(axis=0)
    nats = -np.log(probs[ids[1:], np.arange(len(x))]).sum()
    assert sum(part.nats for part in partial_metrics(network, ids, reset_id=NEWLINE)) == pytest.approx(nats, rel=1e-12)


def test_the_order_of_records_does_not_matter():
    """However they are sorted into batches, each has a loss of its own."""
    network, rng = network_of("lstm"), np.random.default_rng(2)
    lines = [np.append(rng.integers(1, V, n), NEWLINE).astype(np.uint8) for n in (1, 200, 3, 3, 70, 1, 9)]
    alone = [
        sum(p.nats for p in partial_metrics(network, np.append(np.uint8(0), line), reset_id=NEWLINE)) for line in lines
    ]
    for order in (range(7), reversed(range(7))):
        ids = np.concatenate([[NEWLINE], *(lines[i] for i in order)]).astype(np.uint8)
        assert sum(p.nats for p in partial_metrics(network, ids, reset_id=NEWLINE)) == pytest.approx(
            sum(alone), rel=1e-12
        )


@pytest.mark.parametrize(("begin", "end"), [(0, 99), (0, 1), (7, 99), (10, 20), (13, 17), (38, 39), (5, 31)])
@pytest.mark.parametrize("reset_id", [None, NEWLINE])
def test_any_stretch_of_a_text_can_be_asked_for(small, begin, end, reset_id):
    """Each place once, with what the whole text gives for it."""
    network, ids = network_of("rnn"), records(40, 6)[:100]
    spec, found = window_spec(reset_id), {}

    def nats(first, last):
        for places, scored, logits, y in predictions(network, ids, spec, Event(), first, last):
            losses = -np.log(np.exp(logits[y, np.arange(len(y))]) / np.exp(logits).sum(axis=0))
            yield from zip(places.tolist(), losses[scored].tolist(), strict=True)

    whole = dict(nats(0, 99))
    for place, loss in nats(begin, end):
        assert place not in found
        found[place] = loss
    assert found.keys() == set(range(begin + 1, end + 1))
    assert [found[place] for place in found] == pytest.approx([whole[place] for place in found], abs=1e-12)


@pytest.mark.parametrize("piece", [1, 3, 10])
@pytest.mark.parametrize(("begin", "end"), [(0, 1), (0, 1000), (17, 18), (19, 997), (5, 6)])
def test_groups_are_cut_where_pieces_are(piece, begin, end):
    edges = group_edges(begin, end, piece)
    assert (edges[0], edges[-1]) == (begin, end)
    assert all(a < b for a, b in pairwise(edges))
    assert all(edge % piece == 0 for edge in edges[1:-1])


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads):
    edges = list(range(0, 100, 7))
    assert list(map_in_order(lambda cancelled, a, b: (a, b), edges, threads)) == list(pairwise(edges))


def test_who_gives_up_does_not_wait_for_what_is_being_read():
    """As on Ctrl-C: pieces that other threads are in the middle of are left."""
    network, ids, told = network_of("rnn"), records(40, 6)[:100], []

    def work(cancelled, begin, end):
        if begin == 0:
            raise KeyboardInterrupt
        told.append(cancelled.wait(60) and not list(predictions(network, ids, window_spec(), cancelled, begin, end)))

    with pytest.raises(KeyboardInterrupt):
        list(map_in_order(work, [0, 20, 40, 99], threads=3))
    assert all(told)
