from dataclasses import replace

import pytest

from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.training import recipe


@pytest.mark.parametrize("cell", CELLS)
def test_twice_the_units_half_the_rate(cell):
    """To the two digits that a rate is rounded to; whether they are side by side or one above the other."""
    for hidden in (256, 300, 1000):
        one = recipe.learning_rate(cell, hidden, 1)
        assert recipe.learning_rate(cell, 2 * hidden, 1) == pytest.approx(one / 2, rel=0.07)
        assert recipe.learning_rate(cell, hidden, 2) == recipe.learning_rate(cell, 2 * hidden, 1)
    most = recipe.learning_rate(cell, 1, 1)
    assert most == recipe.learning_rate(cell, 64, 2) == pytest.approx(2 * recipe.learning_rate(cell, 256, 1), rel=0.07)


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
    sizes = [ModelConfig(65, "gru", *recipe.shape(10**k)).parameters for k in range(10, 20)]
    assert sizes == sorted(sizes)
    assert {recipe.shape(most) for most, _ in recipe.SHAPES} == {shape for _, shape in recipe.SHAPES}
    assert recipe.shape(0) == recipe.SHAPES[0][1]


def test_a_budget_ends_with_its_time_or_its_characters_whichever_comes_first():
    shape, speed = ModelConfig(65, hidden=recipe.UNITS_FULL), 3e11
    timed, counted = recipe.Budget(seconds=60, speed=speed), recipe.Budget(characters=1e6)
    assert timed.arithmetic(shape) == 60 * speed
    assert counted.characters_with(shape) == 1e6
    read = timed.characters_with(shape)
    assert recipe.Budget(characters=read).arithmetic(shape) == pytest.approx(60 * speed)
    assert timed.characters_with(replace(shape, layers=5)) < read / 2
    assert timed.characters_with(replace(shape, vocab_size=6500)) > read / 6  # what is looked up takes no arithmetic
    for characters in (read / 3, read * 3):
        both = recipe.Budget(60, characters, speed)
        assert both.characters_with(shape) == pytest.approx(min(read, characters))
        assert both.arithmetic(shape) == pytest.approx(60 * speed * min(1, characters / read))


def test_small_networks_reach_less_of_the_speed():
    budget = recipe.Budget(seconds=1, speed=1e9)
    reached = [
        budget.characters_with(shape) * shape.multiplied
        for shape in (ModelConfig(65, hidden=hidden) for hidden in (64, 128, 256, 512, 1024))
    ]
    assert reached == sorted(reached)
    assert reached[0] < reached[3] / 2
    assert reached[3] == pytest.approx(1e9 / recipe.ARITHMETIC)
    assert reached[4] < reached[3] * 1.2


def test_threads_count_only_where_they_have_something_to_do():
    """Of a batch of 32, one network has four shares that are worth a thread, and two networks have eight."""
    one = ModelConfig(65, hidden=512)
    two = replace(one, networks=2)
    on = {threads: recipe.Budget(60, speed=1e9, threads=threads) for threads in (1, 2, 4, 8)}
    assert on[2].arithmetic(one) == 2 * on[1].arithmetic(one)
    assert on[8].arithmetic(one) == on[4].arithmetic(one) == 4 * on[1].arithmetic(one)
    assert on[8].arithmetic(two) == 8 * on[1].arithmetic(two)
    assert on[8].characters_with(two) == pytest.approx(on[4].characters_with(one))
    few = replace(on[8], batch_size=8)
    assert few.arithmetic(one) == on[1].arithmetic(one)


def test_a_run_without_a_budget_ends_though_the_text_be_short():
    assert recipe.default_steps(1) == recipe.FEWEST_STEPS
    assert recipe.default_steps(10**6) == recipe.MOST_EPOCHS * 10**6
