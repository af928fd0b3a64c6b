from dataclasses import replace

import pytest

from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.training import MOST_DROPOUT, recipe
from charrnn.training.recipe import Budget, Choice, Requested, choose


@pytest.mark.parametrize("cell", CELLS)
def test_twice_the_units_get_half_the_learning_rate(cell):
    """Up to rounding to two digits; whether the units are in one layer or in two."""
    for hidden in (256, 300, 1000):
        one = recipe.learning_rate(cell, hidden, 1)
        assert recipe.learning_rate(cell, 2 * hidden, 1) == pytest.approx(one / 2, rel=0.07)
        assert recipe.learning_rate(cell, hidden, 2) == recipe.learning_rate(cell, 2 * hidden, 1)
    most = recipe.learning_rate(cell, 1, 1)
    assert most == recipe.learning_rate(cell, 64, 2) == pytest.approx(2 * recipe.learning_rate(cell, 256, 1), rel=0.07)


def test_dropout_grows_with_readings_and_with_weights():
    shape, large = ModelConfig(65, hidden=256, layers=1), ModelConfig(65, hidden=512, layers=1)
    rates = [recipe.dropout(readings, shape, 100_000) for readings in (0, 0.5, 2, 10, 40, 1e9)]
    assert rates == sorted(rates)
    assert rates[0] == 0
    assert rates[-1] == MOST_DROPOUT
    readings = 0.3**2 / recipe.DROPOUT**2 * 100_000 / shape.multiplied
    assert recipe.dropout(readings, shape, 100_000) == recipe.dropout(2 * readings, shape, 200_000) == 0.3
    assert recipe.dropout(readings / 4, shape, 100_000) == recipe.dropout(readings, shape, 400_000) == 0.15
    as_much_arithmetic = readings * shape.multiplied / large.multiplied
    assert recipe.dropout(as_much_arithmetic, large, 100_000) == 0.3


def test_more_networks_get_less_dropout():
    one, four = ModelConfig(65, hidden=256, layers=1), ModelConfig(65, hidden=256, layers=1, networks=4)
    assert recipe.dropout(9, four, 25_000) == recipe.dropout(9, one, 100_000) > 0


def test_the_number_of_networks_is_the_root_of_weights_times_readings():
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


def test_a_larger_budget_gets_a_larger_network():
    sizes = [ModelConfig(65, "gru", *recipe.shape(10**k)).parameters for k in range(10, 20)]
    assert sizes == sorted(sizes)
    assert {recipe.shape(most) for most, _ in recipe.SHAPES} == {shape for _, shape in recipe.SHAPES}
    assert recipe.shape(0) == recipe.SHAPES[0][1]


def test_a_budget_is_limited_by_seconds_or_characters_whichever_is_less():
    shape, speed = ModelConfig(65, hidden=recipe.UNITS_FULL), 3e11
    timed, counted = recipe.Budget(seconds=60, speed=speed), recipe.Budget(characters=1e6)
    assert timed.arithmetic(shape) == 60 * speed
    assert counted.characters_with(shape) == 1e6
    read = timed.characters_with(shape)
    assert recipe.Budget(characters=read).arithmetic(shape) == pytest.approx(60 * speed)
    assert timed.characters_with(replace(shape, layers=5)) < read / 2
    assert timed.characters_with(replace(shape, vocab_size=6500)) > read / 6  # a look-up takes no arithmetic
    for characters in (read / 3, read * 3):
        both = recipe.Budget(60, characters, speed)
        assert both.characters_with(shape) == pytest.approx(min(read, characters))
        assert both.arithmetic(shape) == pytest.approx(60 * speed * min(1, characters / read))


def test_small_networks_train_at_a_lower_speed():
    budget = recipe.Budget(seconds=1, speed=1e9)
    reached = [
        budget.characters_with(shape) * shape.multiplied
        for shape in (ModelConfig(65, hidden=hidden) for hidden in (64, 128, 256, 512, 1024))
    ]
    assert reached == sorted(reached)
    assert reached[0] < reached[3] / 2
    assert reached[3] == pytest.approx(1e9 / recipe.ARITHMETIC)
    assert reached[4] < reached[3] * 1.2


def test_only_busy_threads_count():
    """A batch of 32 is split into four shards at most, for one network; two networks have eight tasks."""
    one = ModelConfig(65, hidden=512)
    two = replace(one, networks=2)
    on = {threads: recipe.Budget(60, speed=1e9, threads=threads) for threads in (1, 2, 4, 8)}
    assert on[2].arithmetic(one) == 2 * on[1].arithmetic(one)
    assert on[8].arithmetic(one) == on[4].arithmetic(one) == 4 * on[1].arithmetic(one)
    assert on[8].arithmetic(two) == 8 * on[1].arithmetic(two)
    assert on[8].characters_with(two) == pytest.approx(on[4].characters_with(one))
    few = replace(on[8], batch_size=8)
    assert few.arithmetic(one) == on[1].arithmetic(one)


def test_the_default_number_of_steps():
    assert recipe.default_steps(1) == recipe.FEWEST_STEPS
    assert recipe.default_steps(10**6) == recipe.MOST_EPOCHS * 10**6


def test_what_is_left_open_is_chosen():
    choice = choose(Requested("gru"), Budget(characters=20e6), vocab_size=65, training_characters=1_000_000)
    arithmetic = 20e6 * 6 * (657_985 - 3 * 256 * 65)
    assert choice.networks == recipe.networks(arithmetic, 1_000_000) > 1
    assert (choice.hidden, choice.layers) == recipe.shape(arithmetic / choice.networks)
    shape = ModelConfig(65, "gru", choice.hidden, choice.layers, choice.networks)
    assert choice.readings == 20
    assert choice.dropout == recipe.dropout(20, shape, 1_000_000) > 0
    assert choice.lr == recipe.learning_rate("gru", choice.hidden, choice.layers)


def test_what_the_user_fixed_stays_and_the_rest_follows_from_it():
    requested = Requested("gru", hidden=40, layers=3, networks=2, dropout=0.0)
    choice = choose(requested, Budget(characters=5e5), 65, 1_000_000)
    assert choice == Choice(40, 3, 2, 0.0, recipe.learning_rate("gru", 40, 3), readings=0.5)


def test_each_of_several_networks_has_enough_to_read():
    """With a large vocabulary a step takes long: as many networks as the text would bear could not learn much."""
    budget = Budget(seconds=180, speed=0.7e11, threads=2)
    small, large = (choose(Requested("gru"), budget, V, 360_000) for V in (65, 4000))
    assert small.networks > large.networks >= 1
    for choice, V in ((small, 65), (large, 4000)):
        shape = ModelConfig(V, "gru", choice.hidden, choice.layers, choice.networks)
        assert choice.networks == 1 or recipe.enough(budget.characters_with(shape), 360_000)
