import pytest

from charrnn import recipe
from charrnn.nn.cells import CELLS


@pytest.mark.parametrize("cell", CELLS)
def test_four_times_the_units_half_the_rate(cell):
    """To the two digits that a rate is rounded to."""
    for hidden in (16, 64, 256, 1000):
        wide, narrow = recipe.learning_rate(cell, 4 * hidden), recipe.learning_rate(cell, hidden)
        assert wide == pytest.approx(narrow / 2, rel=0.07)
        assert wide < narrow


def test_only_a_short_text_is_held_back_hard():
    assert recipe.dropout(recipe.SHORT_TEXT - 1) > recipe.dropout(recipe.SHORT_TEXT) == recipe.dropout(10**9)


def test_a_run_without_a_budget_ends_though_the_text_be_short():
    assert recipe.default_steps(1) == recipe.FEWEST_STEPS
    assert recipe.default_steps(10**6) == recipe.MOST_EPOCHS * 10**6


@pytest.mark.parametrize("threads", [1, 2, 7, 64])
@pytest.mark.parametrize("batch_size", [1, 7, 8, 15, 16, 32, 500])
def test_every_share_has_enough_streams(threads, batch_size):
    shares = recipe.shards(threads, batch_size)
    assert 1 <= shares <= threads
    assert shares == 1 or batch_size // shares >= recipe.STREAMS_A_SHARE
    assert shares == threads or batch_size // (shares + 1) < recipe.STREAMS_A_SHARE
