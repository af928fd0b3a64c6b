"""What a step of training does, and a run that is stopped and goes on."""

from itertools import islice
from math import inf, log

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.small_runs import arrays, small_run, trained

import charrnn
from charrnn.errors import CheckpointError, OptionError
from charrnn.nn.cells import CELLS
from charrnn.nn.loss import nats
from charrnn.optim import schedule
from charrnn.optim.schedule import FINAL_LR, WARMUP, learning_rate
from charrnn.text.corpus import Corpus
from charrnn.training import step as training_step
from charrnn.training.loop import train
from charrnn.training.new_run import new_run
from charrnn.training.settings import Options
from charrnn.training.step import CHUNKS_CARRIED, initial_state


@pytest.fixture
def carried(monkeypatch):
    """No stream begins again within an epoch."""
    monkeypatch.setattr(training_step, "CHUNKS_CARRIED", inf)


# what a step does


def min_char_rnn(ids, start, V, H, T, rates, clip):
    """Karpathy's min-char-rnn with layer normalisation, whitened gradients and Adam: the losses and the weights."""
    p = {name: array.copy() for name, array in start.items()}
    m, v = ({name: np.zeros_like(array) for name, array in p.items()} for _ in range(2))
    losses, chunks, hs, C = [], (len(ids) - 1) // T, {}, np.zeros((H, H))
    for k, rate in enumerate(rates, 1):
        begin = (k - 1) % chunks * T
        hs = {-1: np.zeros(H) if begin == 0 else hs[T - 1]}
        d, ps, ns, deviations, loss = {name: np.zeros_like(array) for name, array in p.items()}, {}, {}, {}, 0
        for t in range(T):
            hs[t] = np.tanh(p["Wxh0"][:, ids[begin + t]] + p["Whh0"] @ hs[t - 1] + p["bh0"])
            deviations[t] = np.sqrt(hs[t].var() + 1e-5)
            ns[t] = (hs[t] - hs[t].mean()) / deviations[t]
            scores = p["Why"] @ ns[t] + p["by"]
            ps[t] = np.exp(scores) / np.exp(scores).sum()
            loss -= log(ps[t][ids[begin + t + 1]]) / T
        dh_next = np.zeros(H)
        for t in reversed(range(T)):
            dy = (ps[t] - np.eye(V)[ids[begin + t + 1]]) / T
            d["Why"] += np.outer(dy, ns[t])
            d["by"] += dy
            dn = p["Why"].T @ dy
            dh = (dn - dn.mean() - ns[t] * (dn * ns[t]).mean()) / deviations[t]
            da = (dh + dh_next) * (1 - hs[t] ** 2)
            d["bh0"] += da
            d["Wxh0"][:, ids[begin + t]] += da
            d["Whh0"] += np.outer(da, hs[t - 1])
            dh_next = p["Whh0"].T @ da
        norm = np.sqrt(sum((g**2).sum() for g in d.values()))
        for name, g in d.items():
            g *= min(1, clip / norm)
            if name == "Whh0" and k > 1:
                if k in (2, 4, 8) or k % 20 == 1:
                    C += 0.1 * (g.T @ g / (g**2).sum() - C)
                values, vectors = np.linalg.eigh(H * C / np.trace(C) + 1e-3 * np.eye(H))
                g = g @ vectors @ np.diag(values**-0.5) @ vectors.T
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.99 * v[name] + 0.01 * g**2
            p[name] -= rate * m[name] / (1 - 0.9**k) / (np.sqrt(v[name] / (1 - 0.99**k)) + 1e-8)
        losses.append(loss)
    return losses, p


def test_training_is_min_char_rnn(noise, carried):
    """One layer, one stream; the epoch of 6 chunks is read over three times."""
    corpus = Corpus(noise.ids[:49], noise.vocab, noise.names, noise.encoding, noise.sha256)
    options = Options(dropout=0, batch_size=1, seq_length=8, grad_clip=1.5, val_fraction=0, lr=1.0)
    run = new_run(corpus, "rnn", hidden=6, layers=1, options=options, dtype=np.float64)
    start = {name: view.copy() for name, view in run.network.params.items()}
    run.set_budget(steps=22)
    run, records = trained(run, corpus)
    losses, weights = min_char_rnn(corpus.ids, start, 7, 6, 8, [r.lr for r in records], 1.5)
    assert_allclose([r.loss for r in records], losses, rtol=1e-9)
    assert min(r.grad_norm for r in records) < 1.5 < max(r.grad_norm for r in records)
    for name, view in run.network.params.items():
        assert_allclose(view, weights[name], atol=1e-9, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_state_is_carried_from_chunk_to_chunk_as_in_one_long_forward(verse, cell, carried):
    run = small_run(verse, 9, cell, np.float64, lr=0.0)
    run.network.params.flat[:] = np.random.default_rng(1).normal(size=run.network.params.flat.size)
    run, records = trained(run, verse)
    ids, _ = verse.split(0.1)
    S = (len(ids) - 1) // 4
    chunks = -(-S // 8)
    T = S * 9 // chunks
    assert T < S  # still in the first epoch
    x, y = (np.stack([ids[b * S + ahead : b * S + ahead + T] for b in range(4)], axis=1) for ahead in (0, 1))
    work = run.network.workspace(T, 4)
    state = run.network.forward(x, run.network.zero_state(4), work)
    for got, expected in zip(run.state, state, strict=True):
        assert_allclose(got, expected, atol=1e-12)
    lengths = np.diff([S * k // chunks for k in range(10)])
    mean = np.average([r.loss for r in records], weights=lengths)
    assert mean == pytest.approx(nats(work.logits, y.ravel()).mean(), rel=1e-12)


@pytest.mark.parametrize("dropout", [{}, {"dropout": 0.3}, {"recurrent_dropout": 0.3}], ids=str)
def test_every_epoch_begins_at_the_zero_state_and_drops_other_values(verse, dropout, carried):
    run = small_run(verse, lr=0.0, **dropout)
    run.network.params.flat[:] = np.random.default_rng(1).normal(size=run.network.params.flat.size)
    epoch = run.epoch_steps
    epochs = 2 + -(-WARMUP // epoch)
    run.set_budget(steps=epochs * epoch)
    _, records = trained(run, verse)
    one, other = records[-2 * epoch : -epoch], records[-epoch:]
    assert {a.loss == b.loss for a, b in zip(one, other, strict=True)} == {not dropout}
    assert records[epoch - 1].epoch == 1
    assert records[-1].epoch == epochs


@pytest.mark.parametrize("cell", CELLS)
def test_a_stream_begins_again_now_and_then_by_itself_and_as_if_it_had_read_nothing(verse, cell):
    run, steps = small_run(verse, cell=cell), 3000
    began = np.zeros((steps, 4), bool)
    run.state = tuple(tuple(part + 1 for part in layer) for layer in run.state)
    for step in range(steps):
        run.progress.step = step
        parts = [part for layer in initial_state(run, first=False) for part in layer]
        began[step] = (parts[0] == 0).all(axis=0)
        assert all(((part == 1) != began[step]).all() and ((part == 0) == began[step]).all() for part in parts)
    deviation = np.sqrt(1 / CHUNKS_CARRIED / steps)
    assert_allclose(began.mean(axis=0), 1 / CHUNKS_CARRIED, atol=5 * deviation)
    assert began.any(axis=1).sum() > began.sum() * 0.9  # not all of them at a time


def test_which_streams_begin_again_depends_on_the_seed_and_the_step_only(verse):
    def began(seed):
        run = small_run(verse, seed=seed)
        run.state = tuple(tuple(part + 1 for part in layer) for layer in run.state)
        found = []
        for step in range(200):
            run.progress.step = step
            found.append((initial_state(run, first=False)[0][0] == 0).all(axis=0).tolist())
        return found

    assert began(1) == began(1) != began(2)


def test_all_of_them_with_an_epoch(verse):
    run = small_run(verse)
    run.state = tuple(tuple(part + 1 for part in layer) for layer in run.state)
    assert not any(part.any() for layer in initial_state(run, first=True) for part in layer)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_nothing_is_dropped_in_the_warm_up_and_then_more_and_more(verse, kind):
    """At a rate of zero, with weights that tell, the loss differs by what is dropped: nothing, a little, much."""
    run, plain = (small_run(verse, lr=0.0, **{kind: share}) for share in (0.9, 0.0))
    random = np.random.default_rng(1).normal(size=run.network.params.flat.size)
    for each in (run, plain):
        each.network.params.flat[:] = random
        each.set_budget(steps=WARMUP + 60)
    dropping, keeping = ([record.loss for record in trained(each, verse)[1]] for each in (run, plain))
    assert dropping[:WARMUP] == keeping[:WARMUP]
    differences = np.abs(np.subtract(dropping, keeping))[WARMUP:]
    assert 0 < differences[:20].mean() < differences[-20:].mean()


@pytest.mark.parametrize("cell", CELLS)
def test_the_first_loss_is_ln_V_and_the_last_below_the_entropy_of_the_characters(verse, cell):
    _, records = trained(small_run(verse, 150, cell, lr=0.03, dropout=0.1), verse)
    assert records[0].loss == pytest.approx(log(len(verse.vocab)), rel=1e-6)
    share = np.bincount(verse.ids) / len(verse.ids)
    assert np.mean([r.loss for r in records[-10:]]) < -(share * np.log(share)).sum()


def test_the_records_count_steps_and_tell_the_rates(verse):
    _, records = trained(small_run(verse, WARMUP + 20), verse)
    assert [r.step for r in records] == list(range(1, WARMUP + 21))
    assert [r.lr for r in records] == [learning_rate(k, 3e-3, 0, WARMUP + 20) for k in range(WARMUP + 20)]
    assert records[-1].lr == pytest.approx(FINAL_LR * 3e-3)
    assert np.all(np.diff([r.elapsed for r in records]) > 0)


# stopping and going on


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("stops", [[1], [8], range(1, 16)], ids=["early", "late", "every step"])
@pytest.mark.parametrize("networks", [1, 3])
def test_stopped_and_resumed_is_never_stopped(noise, tmp_path, monkeypatch, cell, stops, networks):
    """Through files, with dropout, over an epoch's end, the warm-up's end and validations, on 1 and 2 threads."""
    monkeypatch.setattr(schedule, "WARMUP", 5)
    options = {"dropout": 0.3, "recurrent_dropout": 0.2, "val_every": 3, "weight_decay": 0.1, "lr": 0.03}
    options["networks"] = networks
    whole, records = trained(small_run(noise, 16, cell, **options), noise)
    assert whole.epoch_steps < 16

    run, parts = small_run(noise, 16, cell, **options), []
    for i, stop in enumerate([*stops, 16]):
        parts += islice(train(run, noise, threads=1 + i % 2), stop - run.progress.step)
        charrnn.save(tmp_path / "run.npz", run)
        run = charrnn.load(tmp_path / "run.npz")
    assert arrays(run) == arrays(whole)
    assert [(r.step, r.loss, r.val_loss) for r in parts] == [(r.step, r.loss, r.val_loss) for r in records]


def test_a_second_budget_has_a_warm_up_and_a_decay_of_its_own(noise):
    run, _ = trained(small_run(noise, 7), noise)
    assert list(train(run, noise)) == []
    run.set_budget(steps=WARMUP + 10)
    _, records = trained(run, noise)
    assert [r.step for r in records] == list(range(8, WARMUP + 18))
    assert [r.lr for r in records] == [learning_rate(k, 3e-3, 0, WARMUP + 10) for k in range(WARMUP + 10)]


def test_another_text_is_refused(noise, verse):
    run = small_run(noise, 5)
    before = arrays(run)
    with pytest.raises(CheckpointError, match="not the text"):
        next(train(run, verse))
    assert arrays(run) == before


def test_without_a_budget_nothing_is_trained(noise):
    run = small_run(noise)
    before = arrays(run)
    with pytest.raises(OptionError, match="budget: the run has none"):
        next(train(run, noise))
    assert arrays(run) == before
