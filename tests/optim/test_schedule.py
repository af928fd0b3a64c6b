from math import cos, pi

import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.optim.schedule import FINAL_LR, WARMUP, decay_progress, learning_rate


def test_linear_warm_up_then_half_a_cosine():
    total = WARMUP + 50
    rates = [learning_rate(step, 2.0, 0, total) for step in range(total)]
    assert_allclose(rates[:WARMUP], 2 * np.arange(1, WARMUP + 1) / WARMUP)
    low = 2 * FINAL_LR
    assert_allclose(rates[WARMUP:], [low + (2 - low) * (1 + cos(pi * k / 50)) / 2 for k in range(1, 51)])
    assert max(rates) == rates[WARMUP - 1] == 2
    assert rates[-1] == pytest.approx(low)
    assert np.all(np.diff(rates[WARMUP - 1 :]) < 0)


def test_a_budget_that_starts_later_has_the_same_rates():
    assert [learning_rate(k, 1.0, 0, 300) for k in range(300)] == [
        learning_rate(70 + k, 1, 70, 370) for k in range(300)
    ]


def test_decay_progress_rises_evenly_from_0_to_1_after_the_warm_up():
    shares = [decay_progress(step, 10, 10 + WARMUP + 4) for step in range(10, 10 + WARMUP + 6)]
    assert shares == [0.0] * WARMUP + [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_the_total_is_not_needed_before_the_warm_up_ends():
    assert learning_rate(WARMUP - 1, 1.0, 0, None) == learning_rate(WARMUP - 1, 1.0, 0, 10**6)
    with pytest.raises(ValueError, match="total number of steps"):
        learning_rate(WARMUP, 1.0, 0, None)
