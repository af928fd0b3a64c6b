"""Validation while training: what it says, which weights are the best, and that it changes nothing."""

from itertools import islice

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.small_runs import arrays, small_run, trained

import charrnn
from charrnn.training.budget import validation_length
from charrnn.training.loop import train
from charrnn.training.split import split_corpus
from charrnn.training.step import measure_step
from charrnn.training.validation import closing_metrics


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
    closing = sum(closing_metrics(run, split_corpus(noise, run.options)), start=charrnn.Metrics())
    assert closing.nats == pytest.approx(score.nats)
    assert closing.chars == len(held_out) - 1


def test_a_validation_is_the_score_of_the_weights_at_that_step(noise):
    run, records = trained(small_run(noise, 6, val_every=3), noise)
    _, held_out = noise.split(0.1)
    step_characters = 4 * (269 // 4) // run.epoch_steps
    part = held_out[: validation_length(3, step_characters, len(held_out))]
    score = charrnn.evaluate(run.model("last"), noise.vocab.decode(part))
    assert records[-1].val_loss == pytest.approx(score.nats_per_char)


@pytest.mark.parametrize("threads", [1, 2])
def test_validating_does_not_change_what_is_learnt(noise, threads):
    without, _ = trained(small_run(noise, 60, dropout=0.3, val_every=1000), noise)
    often, _ = trained(small_run(noise, 60, dropout=0.3, val_every=1), noise, threads=threads)
    assert len(without.progress.validations) == 1  # at the end
    assert len(often.progress.validations) == 60
    assert_array_equal(often.network.params.flat, without.network.params.flat)


def test_a_new_budget_compares_with_the_old_best_weights(noise, overfitted):
    """Which are measured again, since another part of the held-out text may be read."""
    run, _ = overfitted
    best, best_step = run.best.flat.copy(), run.progress.best_step
    run.set_budget(steps=5)
    _, records = trained(run, noise)
    assert records[-1].val_loss > run.progress.best_val_loss
    assert run.progress.best_step == best_step
    assert_array_equal(run.best.flat, best)


def test_without_a_held_out_part_nothing_is_validated(noise):
    run, records = trained(small_run(noise, 12, val_fraction=0.0, val_every=1), noise)
    assert {r.val_loss for r in records} == {None}
    assert run.best is None
    assert run.closed
    assert run.progress.validations == list(closing_metrics(run, split_corpus(noise, run.options))) == []
    assert_array_equal(run.model().network.params.flat, run.adam.average.flat)
    assert run.epoch_steps == -(-(299 // 4) // 8)  # the whole text is read


def test_measuring_a_step_leaves_the_run_as_it_is(noise):
    run = small_run(noise, 5, dropout=0.3)
    before = arrays(run)
    assert measure_step(run, split_corpus(noise, run.options)) > 0
    assert arrays(run) == before
