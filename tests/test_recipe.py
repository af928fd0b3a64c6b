import pytest

from charrnn import recipe
from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig


@pytest.mark.parametrize("cell", CELLS)
def test_twice_the_units_half_the_rate(cell):
    """To the two digits that a rate is rounded to; whether they are side by side or one above the other."""
    for hidden in (256, 300, 1000):
        one = recipe.learning_rate(cell, hidden, 1)
        assert recipe.learning_rate(cell, 2 * hidden, 1) == pytest.approx(one / 2, rel=0.07)
        assert recipe.learning_rate(cell, hidden, 2) == recipe.learning_rate(cell, 2 * hidden, 1)
    most = recipe.learning_rate(cell, 1, 1)
    assert (
        most == recipe.learning_rate(cell, 64, 2) == pytest.approx(4 / 3 * recipe.learning_rate(cell, 256, 1), rel=0.07)
    )


def test_the_more_often_a_text_is_read_and_the_more_weights_it_has_the_more_is_dropped():
    shape, large = ModelConfig(65, hidden=256, layers=1), ModelConfig(65, hidden=512, layers=1)
    rates = [recipe.dropout(readings, shape, 100_000) for readings in (0, 0.5, 2, 10, 40, 1e9)]
    assert rates == sorted(rates)
    assert rates[0] == 0
    assert rates[-1] == recipe.MOST_DROPOUT
    readings = 0.3**2 / recipe.DROPOUT**2 * 100_000 / shape.multiplied
    assert recipe.dropout(readings, shape, 100_000) == recipe.dropout(2 * readings, shape, 200_000) == 0.3
    assert recipe.dropout(readings / 4, shape, 100_000) == recipe.dropout(readings, shape, 400_000) == 0.15
    as_much_arithmetic = readings * shape.multiplied / large.multiplied
    assert recipe.dropout(as_much_arithmetic, large, 100_000) == 0.3


def test_the_more_networks_the_less_is_dropped():
    one, four = ModelConfig(65, hidden=256, layers=1), ModelConfig(65, hidden=256, layers=1, networks=4)
    assert recipe.dropout(9, four, 25_000) == recipe.dropout(9, one, 100_000) > 0


def test_networks_go_by_the_root_of_weights_and_readings():
    for readings, T in ((2, 10**6), (9, 10**6), (9, 10**5)):
        weights = 3 * T
        arithmetic = 6 * readings * T * weights
        assert recipe.networks(arithmetic, T) == min(recipe.MOST_NETWORKS, round((readings * 3) ** 0.5))
    assert recipe.networks(0, 10**6) == recipe.networks(1e12, 10**9) == 1
    assert recipe.networks(1e20, 100) == recipe.MOST_NETWORKS


def test_enough_is_many_characters_or_many_readings():
    most, readings = recipe.LEAST_READ, recipe.LEAST_READINGS
    assert recipe.enough(most, 10**9)
    assert not recipe.enough(most - 1, 10**9)
    assert recipe.enough(readings * 1000, 1000)
    assert not recipe.enough(readings * 1000 - 1, 1000)


def test_the_more_arithmetic_the_larger_the_network():
    sizes = [ModelConfig(65, "gru", *recipe.network(10**k)).parameters for k in range(10, 20)]
    assert sizes == sorted(sizes)
    assert {recipe.network(most) for most, _ in recipe.NETWORKS} == {network for _, network in recipe.NETWORKS}
    assert recipe.network(0) == recipe.NETWORKS[0][1]


def test_a_budget_ends_with_its_time_or_its_characters_whichever_comes_first():
    shape, speed = ModelConfig(65), 3e11
    timed, counted = recipe.Budget(seconds=60, speed=speed), recipe.Budget(characters=1e6)
    assert timed.arithmetic_with(shape) == 60 * speed
    assert counted.characters_with(shape) == 1e6
    read = timed.characters_with(shape)
    assert recipe.Budget(characters=read).arithmetic_with(shape) == pytest.approx(60 * speed)
    assert timed.characters_with(ModelConfig(65, layers=5)) < read / 2
    assert timed.characters_with(ModelConfig(6500)) > read / 6  # what is looked up takes no arithmetic
    for characters in (read / 3, read * 3):
        both = recipe.Budget(60, characters, speed)
        assert both.characters_with(shape) == min(read, characters)
        assert both.arithmetic_with(shape) == pytest.approx(60 * speed * min(1, characters / read))


def test_a_run_without_a_budget_ends_though_the_text_be_short():
    assert recipe.default_steps(1) == recipe.FEWEST_STEPS
    assert recipe.default_steps(10**6) == recipe.MOST_EPOCHS * 10**6


@pytest.mark.parametrize("threads", [1, 2, 7, 64])
@pytest.mark.parametrize("batch_size", [1, 7, 8, 15, 16, 32, 500])
def test_every_share_has_enough_streams(threads, batch_size):
    shares = recipe.shards(threads, 1, batch_size)
    assert 1 <= shares <= threads
    assert shares == 1 or batch_size // shares >= recipe.STREAMS_A_SHARE
    assert shares == threads or batch_size // (shares + 1) < recipe.STREAMS_A_SHARE


@pytest.mark.parametrize("networks", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("threads", [1, 2, 3, 4, 6, 7])
def test_the_shares_of_all_networks_go_round_evenly(threads, networks):
    shares = recipe.shards(threads, networks, 1000)
    assert networks * shares % threads == 0
    assert all(networks * fewer % threads for fewer in range(1, shares))
