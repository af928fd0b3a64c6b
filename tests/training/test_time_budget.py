"""Budgets in seconds, on a clock that only steps move."""

from itertools import islice

import pytest
from support.small_runs import arrays, small_run, trained

import charrnn
from charrnn.parallel.data_parallel import DataParallel
from charrnn.training import budget, loop
from charrnn.training.loop import train

STEP = 0.01  # seconds


@pytest.fixture
def clock(monkeypatch):
    """Every step takes STEP seconds and nothing else takes any time."""
    now = [0.0]
    gradient = DataParallel.gradient

    def slow(*args):
        now[0] += STEP
        return gradient(*args)

    monkeypatch.setattr(DataParallel, "gradient", slow)
    for module in (loop, budget):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])
    return now


def test_a_budget_in_seconds_is_used_up(noise, clock):
    run = small_run(noise, val_fraction=0.0)
    run.set_budget(seconds=1.5)
    _, records = trained(run, noise)
    assert len(records) == run.schedule.total
    assert records[-1].elapsed == pytest.approx(1.5, abs=1.5 * STEP)
    assert records[-1].elapsed <= 1.5 + 1e-9
    assert records[-1].chars_per_second == pytest.approx(4 * 8 / STEP, rel=0.1)


def test_seconds_that_are_set_aside_are_left(noise, clock):
    run = small_run(noise, val_fraction=0.0)
    run.set_budget(seconds=1.5)
    _, records = trained(run, noise, reserved_seconds=0.3)
    assert records[-1].elapsed == pytest.approx(1.2, abs=1.5 * STEP)


@pytest.mark.parametrize(("seconds", "val_every"), [(1.5, None), (1.5, 4), (0.05, 4), (1e-9, None)])
def test_a_budget_in_seconds_is_a_number_of_steps(noise, clock, seconds, val_every):
    options = {"dropout": 0.3, "val_every": val_every}
    timed = small_run(noise, **options)
    timed.set_budget(seconds=seconds)
    trained(timed, noise)
    counted, records = trained(small_run(noise, timed.schedule.total, **options), noise)
    assert arrays(counted)[:4] == arrays(timed)[:4]
    assert counted.schedule.val_every == timed.schedule.val_every
    assert len(records) == timed.schedule.total == timed.progress.validations[-1][0]


@pytest.mark.parametrize(("most_steps", "expected"), [(20, 20), (1, 4), (10**6, 150)])
def test_a_budget_in_seconds_may_have_a_most(noise, clock, most_steps, expected):
    """Less than the few steps that are measured cannot be had."""
    run = small_run(noise, val_fraction=0.0)
    run.set_budget(seconds=1.5, max_steps=most_steps)
    _, records = trained(run, noise)
    assert abs(len(records) - expected) <= 8
    assert len(records) == run.schedule.total
    assert len(records) == most_steps or most_steps != 20


def test_a_run_that_is_stopped_while_it_is_measured_gets_its_steps_later(noise, clock, tmp_path):
    run = small_run(noise, val_fraction=0.0)
    run.set_budget(seconds=1.5)
    list(islice(train(run, noise), 3))
    assert run.schedule.total is None
    charrnn.save(tmp_path / "run.npz", run)
    run, records = trained(charrnn.load(tmp_path / "run.npz"), noise)
    assert run.finished
    assert run.progress.step == run.schedule.total == 3 + len(records)
