from dataclasses import asdict
from hashlib import sha256
from itertools import islice
from math import log

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import charrnn
from charrnn import training
from charrnn.errors import CheckpointError, OptionError
from charrnn.nn import optim
from charrnn.nn.cells import CELLS
from charrnn.nn.optim import FINAL_LR, WARMUP, learning_rate
from charrnn.nn.shards import Shards
from charrnn.nn.softmax import nats
from charrnn.run import Options
from charrnn.starting import new_run
from charrnn.text.corpus import Corpus
from charrnn.text.vocab import Vocab
from charrnn.training import closing_scores, measure_step, train


def corpus_of(text):
    vocab = Vocab(text)
    return Corpus(vocab.encode(text)[0], vocab, ("text",), "utf-8", sha256(text.encode()).hexdigest())


@pytest.fixture
def noise():
    """300 characters that nothing can be learnt from but by heart."""
    return corpus_of("".join(np.random.default_rng(0).choice(list("abcdefg"), 300)))


@pytest.fixture
def verse():
    return corpus_of("the cat sat on the mat, the rat sat on the cat; " * 12)


def small_run(corpus, steps=None, cell="rnn", dtype=np.float32, **options):
    defaults = {"batch_size": 4, "seq_length": 8, "dropout": 0.0, "lr": 3e-3, "shards": 2}
    run = new_run(corpus, cell, hidden=6, layers=2, options=Options(**defaults | options), dtype=dtype)
    if steps:
        run.budget(total_steps=steps)
    return run


def trained(run, corpus, **settings):
    """The run after all of its steps, and their records."""
    return run, list(train(run, corpus, **settings))


def arrays(run):
    """Everything that a run holds but the clock, comparable to the bit."""
    numbers = [run.network.params, run.adam.m, run.adam.v, run.best or run.network.params]
    state = [part.tobytes() for layer in run.state for part in layer]
    updates = run.adam.updates
    return [params.flat.tobytes() for params in numbers], updates, state, asdict(run.progress), asdict(run.schedule)


# what a step does


def min_char_rnn(ids, start, V, H, T, rates, clip):
    """Karpathy's min-char-rnn with Adam: the losses and the weights, from dictionaries of arrays."""
    p = {name: array.copy() for name, array in start.items()}
    m, v = ({name: np.zeros_like(array) for name, array in p.items()} for _ in range(2))
    losses, chunks, hs = [], (len(ids) - 1) // T, {}
    for k, rate in enumerate(rates, 1):
        begin = (k - 1) % chunks * T
        hs = {-1: np.zeros(H) if begin == 0 else hs[T - 1]}
        d, ps, loss = {name: np.zeros_like(array) for name, array in p.items()}, {}, 0
        for t in range(T):
            hs[t] = np.tanh(p["Wxh0"][:, ids[begin + t]] + p["Whh0"] @ hs[t - 1] + p["bh0"])
            scores = p["Why"] @ hs[t] + p["by"]
            ps[t] = np.exp(scores) / np.exp(scores).sum()
            loss -= log(ps[t][ids[begin + t + 1]]) / T
        dh_next = np.zeros(H)
        for t in reversed(range(T)):
            dy = (ps[t] - np.eye(V)[ids[begin + t + 1]]) / T
            d["Why"] += np.outer(dy, hs[t])
            d["by"] += dy
            da = (p["Why"].T @ dy + dh_next) * (1 - hs[t] ** 2)
            d["bh0"] += da
            d["Wxh0"][:, ids[begin + t]] += da
            d["Whh0"] += np.outer(da, hs[t - 1])
            dh_next = p["Whh0"].T @ da
        norm = np.sqrt(sum((g**2).sum() for g in d.values()))
        for name, g in d.items():
            g *= min(1, clip / norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.99 * v[name] + 0.01 * g**2
            p[name] -= rate * m[name] / (1 - 0.9**k) / (np.sqrt(v[name] / (1 - 0.99**k)) + 1e-8)
        losses.append(loss)
    return losses, p


def test_training_is_min_char_rnn(noise):
    """One layer, one stream; the epoch of 6 chunks is read one and a half times."""
    corpus = Corpus(noise.ids[:49], noise.vocab, noise.names, noise.encoding, noise.sha256)
    options = Options(dropout=0, batch_size=1, seq_length=8, grad_clip=0.5, val_fraction=0, lr=1.0)
    run = new_run(corpus, "rnn", hidden=6, layers=1, options=options, dtype=np.float64)
    start = {name: view.copy() for name, view in run.network.params.items()}
    run.budget(total_steps=9)
    run, records = trained(run, corpus)
    losses, weights = min_char_rnn(corpus.ids, start, 7, 6, 8, [r.lr for r in records], 0.5)
    assert_allclose([r.loss for r in records], losses, rtol=1e-9)
    assert min(r.grad_norm for r in records) < 0.5 < max(r.grad_norm for r in records)
    for name, view in run.network.params.items():
        assert_allclose(view, weights[name], atol=1e-9, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_state_is_carried_from_chunk_to_chunk_as_in_one_long_forward(verse, cell):
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


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_every_epoch_begins_at_the_zero_state_and_drops_other_values(verse, dropout):
    run = small_run(verse, lr=0.0, dropout=dropout)
    run.network.params.flat[:] = np.random.default_rng(1).normal(size=run.network.params.flat.size)
    epoch = run.epoch_steps
    run.budget(total_steps=2 * epoch)
    _, records = trained(run, verse)
    again = [one.loss == other.loss for one, other in zip(records[:epoch], records[epoch:], strict=True)]
    assert set(again) == {dropout == 0}
    assert records[epoch - 1].epoch == 1
    assert records[-1].epoch == 2


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
def test_stopped_and_resumed_is_never_stopped(noise, tmp_path, monkeypatch, cell, stops):
    """Through files, with dropout, over an epoch's end, the warm-up's end and validations, on 1 and 2 threads."""
    monkeypatch.setattr(optim, "WARMUP", 5)
    options = {"dropout": 0.3, "val_every": 3, "weight_decay": 0.1, "lr": 0.03}
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
    run.budget(total_steps=WARMUP + 10)
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
    with pytest.raises(OptionError, match="no budget"):
        next(train(run, noise))
    assert arrays(run) == before


# budgets in seconds, on a clock that only steps move


STEP = 0.01  # seconds


@pytest.fixture
def clock(monkeypatch):
    """Every step takes STEP seconds and nothing else takes any time."""
    now = [0.0]
    gradient = Shards.gradient

    def slow(*args):
        now[0] += STEP
        return gradient(*args)

    monkeypatch.setattr(Shards, "gradient", slow)
    monkeypatch.setattr(training, "perf_counter", lambda: now[0])
    return now


def test_a_budget_in_seconds_is_used_up(noise, clock):
    run = small_run(noise, val_fraction=0.0)
    run.budget(seconds=1.5)
    _, records = trained(run, noise)
    assert len(records) == run.schedule.total
    assert records[-1].elapsed == pytest.approx(1.5, abs=1.5 * STEP)
    assert records[-1].elapsed <= 1.5 + 1e-9
    assert records[-1].chars_per_second == pytest.approx(4 * 8 / STEP, rel=0.1)


def test_seconds_that_are_set_aside_are_left(noise, clock):
    run = small_run(noise, val_fraction=0.0)
    run.budget(seconds=1.5)
    _, records = trained(run, noise, set_aside=0.3)
    assert records[-1].elapsed == pytest.approx(1.2, abs=1.5 * STEP)


@pytest.mark.parametrize(("seconds", "val_every"), [(1.5, None), (1.5, 4), (0.05, 4), (1e-9, None)])
def test_a_budget_in_seconds_is_a_number_of_steps(noise, clock, seconds, val_every):
    options = {"dropout": 0.3, "val_every": val_every}
    timed = small_run(noise, **options)
    timed.budget(seconds=seconds)
    trained(timed, noise)
    counted, records = trained(small_run(noise, timed.schedule.total, **options), noise)
    assert arrays(counted)[:4] == arrays(timed)[:4]
    assert counted.schedule.val_every == timed.schedule.val_every
    assert len(records) == timed.schedule.total == timed.progress.validations[-1][0]


@pytest.mark.parametrize(("most_steps", "expected"), [(20, 20), (1, 4), (10**6, 150)])
def test_a_budget_in_seconds_may_have_a_most(noise, clock, most_steps, expected):
    """Less than the few steps that are measured cannot be had."""
    run = small_run(noise, val_fraction=0.0)
    run.budget(seconds=1.5, most_steps=most_steps)
    _, records = trained(run, noise)
    assert abs(len(records) - expected) <= 8
    assert len(records) == run.schedule.total
    assert len(records) == most_steps or most_steps != 20


def test_a_run_that_is_stopped_while_it_is_measured_gets_its_steps_later(noise, clock, tmp_path):
    run = small_run(noise, val_fraction=0.0)
    run.budget(seconds=1.5)
    list(islice(train(run, noise), 3))
    assert run.schedule.total is None
    charrnn.save(tmp_path / "run.npz", run)
    run, records = trained(charrnn.load(tmp_path / "run.npz"), noise)
    assert run.finished
    assert run.progress.step == run.schedule.total == 3 + len(records)


# validation


@pytest.fixture
def overfitted(noise):
    """Noise that is learnt by heart: its validation loss must rise in the end."""
    return trained(small_run(noise, 120, lr=0.1, val_every=5, val_fraction=0.3), noise)


def test_the_best_weights_are_those_of_the_lowest_validation(noise, overfitted):
    run, records = overfitted
    validations = [(r.step, r.val_loss) for r in records if r.val_loss is not None]
    assert run.progress.validations == validations
    assert [step for step, _ in validations] == list(range(5, 121, 5))
    best_step, best_loss = min(validations, key=lambda one: one[1])
    assert (run.progress.best_step, run.progress.best_val_loss) == (best_step, best_loss)
    assert best_step < 120

    again = small_run(noise, 120, lr=0.1, val_every=5, val_fraction=0.3)
    list(islice(train(again, noise), best_step))
    assert_array_equal(again.adam.average.flat, run.best.flat)
    assert_array_equal(run.model().network.params.flat, run.best.flat)
    assert not np.array_equal(run.model("last").network.params.flat, run.best.flat)


def test_the_closing_score_is_that_of_the_best_weights_over_the_whole_held_out_part(noise, overfitted):
    run, _ = overfitted
    _, held_out = noise.split(0.3)
    score = charrnn.evaluate(run.model("best"), noise.vocab.decode(held_out))
    assert sum(part.nats for part in closing_scores(run, noise)) == pytest.approx(score.nats)
    assert sum(part.chars for part in closing_scores(run, noise)) == len(held_out) - 1


def test_a_validation_is_the_score_of_the_weights_at_that_step(noise):
    run, records = trained(small_run(noise, 6, val_every=3), noise)
    _, held_out = noise.split(0.1)
    step_characters = 4 * (269 // 4) // run.epoch_steps
    part = held_out[: training.validation_length(3, step_characters, len(held_out))]
    score = charrnn.evaluate(run.model("last"), noise.vocab.decode(part))
    assert records[-1].val_loss == pytest.approx(score.nats_per_char)


@pytest.mark.parametrize("threads", [1, 2])
def test_validating_does_not_change_what_is_learnt(noise, threads):
    without, _ = trained(small_run(noise, 20, dropout=0.3, val_every=1000), noise)
    often, _ = trained(small_run(noise, 20, dropout=0.3, val_every=1), noise, threads=threads)
    assert len(without.progress.validations) == 1  # at the end
    assert len(often.progress.validations) == 20
    assert_array_equal(often.network.params.flat, without.network.params.flat)


def test_a_new_budget_compares_with_the_old_best_weights(noise, overfitted):
    """Which are measured again, since another part of the held-out text may be read."""
    run, _ = overfitted
    best, best_step = run.best.flat.copy(), run.progress.best_step
    run.budget(total_steps=5)
    _, records = trained(run, noise)
    assert records[-1].val_loss > run.progress.best_val_loss
    assert run.progress.best_step == best_step
    assert_array_equal(run.best.flat, best)


def test_without_a_held_out_part_nothing_is_validated(noise):
    run, records = trained(small_run(noise, 12, val_fraction=0.0, val_every=1), noise)
    assert {r.val_loss for r in records} == {None}
    assert run.best is None
    assert run.closed
    assert run.progress.validations == list(closing_scores(run, noise)) == []
    assert_array_equal(run.model().network.params.flat, run.adam.average.flat)
    assert run.epoch_steps == -(-(299 // 4) // 8)  # the whole text is read


def test_measuring_a_step_leaves_the_run_as_it_is(noise):
    run = small_run(noise, 5, dropout=0.3)
    before = arrays(run)
    assert measure_step(run, noise) > 0
    assert arrays(run) == before
