import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.nn.dropout import dropout_mask
from charrnn.prng import DROPOUT, INITIAL_WEIGHTS, SAMPLING, generator

KEYS = [
    (1, DROPOUT),
    (2, DROPOUT),
    (1, SAMPLING),
    (1, INITIAL_WEIGHTS),
    (1, DROPOUT, 0),
    (1, DROPOUT, 0, 0),
    (1, DROPOUT, 1, 0),
    (1, DROPOUT, 0, 1),
    (2**63 - 1, DROPOUT),
]


def mask(dropout, *key, shape=(40, 30, 20), dtype=np.float64):
    out = np.full(shape, np.nan, dtype)
    dropout_mask(out, dropout, *key)
    return out


def test_the_same_key_gives_the_same_draws():
    for key in KEYS:
        assert_array_equal(generator(*key).random(9), generator(*key).random(9))


def test_different_keys_give_different_draws():
    draws = np.array([generator(*key).random(9) for key in KEYS])
    assert len(np.unique(draws)) == draws.size


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_a_mask_drops_the_requested_share_and_has_mean_one(dropout):
    drawn = mask(dropout, 3, 0)
    dropped = drawn == 0
    deviation = np.sqrt(dropout * (1 - dropout) / drawn.size)
    assert abs(dropped.mean() - dropout) < 5 * deviation
    scale = np.unique(drawn[~dropped])
    assert len(scale) == 1
    assert scale[0] == pytest.approx(1 / (1 - dropout), rel=2e-4)
    assert scale[0] * (65536 - round(65536 * dropout)) == pytest.approx(65536)  # the mean is 1 for the rounded share


def test_nothing_is_dropped_at_zero():
    assert_array_equal(mask(0.0, 3, 0), 1)


def test_masks_depend_on_the_key_and_not_on_the_dtype():
    assert_array_equal(mask(0.3, 1, 7, 0), mask(0.3, 1, 7, 0))
    assert_array_equal(mask(0.3, 1, 7, 0) == 0, mask(0.3, 1, 7, 0, dtype=np.float32) == 0)


@pytest.mark.parametrize("other", [(2, 7, 0), (1, 8, 0), (1, 7, 1)], ids=["seed", "step", "layer"])
def test_masks_of_different_keys_are_independent(other):
    here, there = mask(0.5, 1, 7, 0) == 0, mask(0.5, *other) == 0
    both = (here & there).mean()
    assert abs(both - 0.25) < 5 * np.sqrt(0.25 * 0.75 / here.size)
