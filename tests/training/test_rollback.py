"""Runs that diverge go back to a good state and on with a lower rate, whether someone stops them meanwhile or not."""

from contextlib import suppress
from itertools import islice

import numpy as np
import pytest

import charrnn
from charrnn import Options, new_run, train
from charrnn.errors import DivergedError
from charrnn.nn.cells import CELLS
from charrnn.optim.schedule import learning_rate
from charrnn.parallel.data_parallel import DataParallel
from charrnn.training import rollback, step, validation
from charrnn.training.rollback import SLOWER, SNAPSHOT_EVERY, TRIES

LR = 3e-3


@pytest.fixture
def noise(tmp_path):
    (tmp_path / "noise.txt").write_text("".join(np.random.default_rng(0).choice(list("abcdefg"), 300)))
    return charrnn.read_corpus([str(tmp_path / "noise.txt")])


def small_run(corpus, steps, cell="rnn", **options):
    defaults = {"batch_size": 4, "seq_length": 8, "dropout": 0.3, "lr": LR, "val_every": 10_000}
    run = new_run(corpus, cell, hidden=6, layers=2, options=Options(**defaults | options))
    run.set_budget(steps=steps)
    return run


def content(run, folder):
    """All that a checkpoint of the run holds, but the clock."""
    run.elapsed = 0.0
    charrnn.save(folder / "content.npz", run)
    return (folder / "content.npz").read_bytes()


def shown(records):
    return [(r.step, r.loss, r.lr, r.val_loss, r.recoveries) for r in records]


@pytest.fixture
def diverge(monkeypatch):
    """Have the weights overflow in these steps (from 0), as often as the rate is not lower than `below`."""

    def diverge(*steps, below=LR):
        def rate(step, lr, *budget):
            return np.nan if step in steps and lr >= below else learning_rate(step, lr, *budget)

        monkeypatch.setattr(step, "learning_rate", rate)

    return diverge


def test_it_goes_back_and_on_with_a_lower_rate(noise, tmp_path, diverge):
    """What comes of it is what comes of the good state, lowered by hand."""
    failed = 2 * SNAPSHOT_EVERY + 30
    expected = small_run(noise, 260)
    list(islice(train(expected, noise), 2 * SNAPSHOT_EVERY))
    expected.progress.recoveries.append((failed + 1, 2 * SNAPSHOT_EVERY))
    after = list(train(expected, noise))

    diverge(failed)
    run = small_run(noise, 260)
    records = list(train(run, noise))
    assert content(run, tmp_path) == content(expected, tmp_path)
    assert [r.step for r in records] == [*range(1, failed + 1), *range(2 * SNAPSHOT_EVERY + 1, 261)]
    (told,) = records[failed].recoveries
    assert (told.failed, told.step) == (failed + 1, 2 * SNAPSHOT_EVERY)
    assert told.lr == SLOWER * LR
    assert all(not r.recoveries for i, r in enumerate(records) if i != failed)
    assert [r.loss for r in records[failed:]] == [r.loss for r in after]
    assert after[0].lr == SLOWER * learning_rate(2 * SNAPSHOT_EVERY, LR, 0, 260)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "stops", [[99, 100, 101, 112, 113], [115], [*range(90, 150, 3)]], ids=["before", "in", "often"]
)
def test_stopped_and_resumed_is_never_stopped(noise, tmp_path, diverge, cell, stops):
    """Through files; stopped between the good state and the divergence, and while the way is gone a second time."""
    diverge(113, below=LR)
    options = {"val_every": 55, "weight_decay": 0.1}
    whole = small_run(noise, 130, cell, **options)
    records = list(train(whole, noise))
    assert whole.progress.recoveries == [(114, 110 if whole.progress.best_step >= 110 else 100)]

    run, parts, stops = small_run(noise, 130, cell, **options), [], list(stops)
    while not run.finished:
        for record in train(run, noise):
            parts.append(record)
            if stops and record.step == stops[0]:
                del stops[0]
                break
        charrnn.save(tmp_path / "run.npz", run)
        run = charrnn.load(tmp_path / "run.npz")
    assert shown(parts) == shown(records)
    assert content(run, tmp_path) == content(whole, tmp_path)


def test_a_generator_that_was_left_can_be_replaced_without_a_file(noise, tmp_path, diverge):
    diverge(113)
    whole, run = small_run(noise, 130), small_run(noise, 130)
    list(train(whole, noise))
    list(islice(train(run, noise), 112))
    list(train(run, noise))
    assert content(run, tmp_path) == content(whole, tmp_path)


def test_the_best_so_far_is_where_it_goes_back_to(noise, diverge):
    diverge(37)
    run = small_run(noise, 60, val_every=10, lr=0.01)
    list(train(run, noise))
    (_, good), best = (
        run.progress.recoveries[0],
        [(step, loss) for step, loss in run.progress.validations if step <= 30],
    )
    assert good == min(best, key=lambda one: one[1])[0] > 0
    assert [step for step, _ in run.progress.validations] == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize("what", ["loss", "gradient", "validation loss"])
def test_whatever_is_not_finite(noise, tmp_path, monkeypatch, what):
    run = small_run(noise, 30, val_every=10)

    def spoil(function, name):
        def spoilt(*args):
            value = function(*args)
            bad = run.progress.step in (19, 20) and not run.progress.recoveries
            if name == "gradient" and bad:
                value[1].flat[3] = np.inf
            return (np.nan, *value[1:]) if bad and name == "loss" else np.nan if bad and name == "_loss" else value

        return spoilt

    name = {"validation loss": "_loss"}.get(what, what)
    if name == "_loss":
        monkeypatch.setattr(validation, "_loss", spoil(validation._loss, name))
    else:
        monkeypatch.setattr(DataParallel, "gradient", spoil(DataParallel.gradient, name))
    records = list(train(run, noise))
    assert run.progress.recoveries == [(20, 10)]
    assert what in next(r.recoveries for r in records if r.recoveries)[0].what
    assert [step for step, _ in run.progress.validations] == [10, 20, 30]
    assert all(np.isfinite(loss) for _, loss in run.progress.validations)
    charrnn.save(tmp_path / "run.npz", run)
    assert charrnn.load(tmp_path / "run.npz").progress == run.progress


def test_a_state_that_is_hopeless_is_not_remembered(noise, monkeypatch, diverge):
    diverge(150)
    monkeypatch.setattr(rollback, "INSANE", 0.5)
    run = small_run(noise, 160, val_fraction=0.0)
    list(train(run, noise))
    assert run.progress.recoveries == [(151, 0)]


def test_after_a_few_tries_from_one_state_it_gives_up(noise, tmp_path, diverge):
    diverge(107, below=0)
    good, run = small_run(noise, 150), small_run(noise, 150)
    list(islice(train(good, noise), 100))
    rollback.take_snapshot(good)
    with pytest.raises(DivergedError, match=r"step 108 .* attempts from step 100 .*0\.003 down to 1\.2e-05; .*--lr"):
        list(train(run, noise))
    assert run.progress.recoveries == [(108, 100)] * TRIES
    run.progress.recoveries.clear()
    assert content(run, tmp_path) == content(good, tmp_path)


def test_each_good_state_has_its_own_tries(noise, diverge):
    diverge(*range(5, 1000, SNAPSHOT_EVERY), below=LR * SLOWER ** (2 * TRIES))
    run = small_run(noise, 250)
    with suppress(DivergedError):
        list(train(run, noise))
    assert run.progress.recoveries == [(6, 0)] * TRIES


def test_a_new_budget_keeps_the_lower_rate_and_goes_back_to_where_it_began(noise, tmp_path, diverge):
    diverge(33, 55, below=LR * SLOWER)
    run = small_run(noise, 50)
    list(train(run, noise))
    charrnn.save(tmp_path / "run.npz", run)
    run = charrnn.load(tmp_path / "run.npz")
    run.set_budget(steps=20)
    list(train(run, noise))
    assert run.progress.recoveries == [(34, 0), (34, 0), (56, 50)][: len(run.progress.recoveries)]
    assert run.progress.step == 70


# divergence that is real


@pytest.mark.parametrize("cell", CELLS)
def test_a_run_that_is_too_fast_by_far_recovers(noise, tmp_path, cell):
    """And does so in the same way every time."""
    run, again = (small_run(noise, 120, cell, lr=1, weight_decay=1000, val_every=40) for _ in range(2))
    records = list(train(run, noise))
    assert len(run.progress.recoveries) > 1
    assert sum(len(r.recoveries) for r in records) == len(run.progress.recoveries)
    assert run.finished
    assert records[-1].loss < 2 * np.log(7)
    list(train(again, noise))
    assert content(run, tmp_path) == content(again, tmp_path)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_a_hopeless_run_ends_with_the_weights_it_had(noise, tmp_path, cell, grad_clip):
    run, untouched = (small_run(noise, 50, cell, lr=1e30, grad_clip=grad_clip) for _ in range(2))
    with pytest.raises(DivergedError, match=r"attempts from step 0 .*--lr"):
        list(train(run, noise))
    np.testing.assert_array_equal(run.network.params.flat, untouched.network.params.flat)
    charrnn.save(tmp_path / "run.npz", run)
    assert content(charrnn.load(tmp_path / "run.npz"), tmp_path) == content(run, tmp_path)


@pytest.mark.parametrize("val_every", [1, 10_000])
@pytest.mark.parametrize(
    ("steps", "lr", "weight_decay"),
    [
        *((steps, 1e6, 1000.0) for steps in range(4, 8)),
        (1, 2e40, 0.0),
        (1, 1e41, 0.0),
        (2, 1e300, 0.0),
        (50, 1e30, 0.0),
    ],
)
def test_whatever_step_breaks_the_weights_what_is_left_can_be_saved_and_read(
    noise, tmp_path, steps, lr, weight_decay, val_every
):
    """The last step may be the one that makes the weights overflow, or the scores of a validation."""
    run = small_run(noise, steps, lr=lr, weight_decay=weight_decay, val_every=val_every)
    with suppress(DivergedError):
        list(train(run, noise))
    charrnn.save(tmp_path / "run.npz", run)
    assert content(charrnn.load(tmp_path / "run.npz"), tmp_path) == content(run, tmp_path)
