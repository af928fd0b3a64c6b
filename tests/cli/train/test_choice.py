import pytest

from charrnn import load
from charrnn.cli.train import choose as choose_module
from charrnn.cli.train.choose import choose, planned
from charrnn.nn.config import ModelConfig
from charrnn.training import recipe

OPEN = {"cell": "gru", "hidden": None, "layers": None, "networks": None, "dropout": None, "lr": None}
BUDGETS = dict.fromkeys(("minutes", "epochs", "steps"))


def test_what_is_left_open_is_chosen_and_said():
    values = dict(OPEN)
    line = choose(values, recipe.Budget(characters=20e6), vocab_size=65, training=1_000_000)
    arithmetic = 20e6 * 6 * (657_985 - 3 * 256 * 65)
    assert values["networks"] == recipe.networks(arithmetic, 1_000_000) > 1
    assert (values["hidden"], values["layers"]) == recipe.shape(arithmetic / values["networks"])
    shape = ModelConfig(65, "gru", values["hidden"], values["layers"], values["networks"])
    assert values["dropout"] == recipe.dropout(20, shape, 1_000_000) > 0
    assert values["lr"] == recipe.learning_rate("gru", values["hidden"], values["layers"])
    said = " ".join(f"--{name} {values[name]}," for name in ("hidden", "layers", "networks", "dropout", "lr"))
    assert line == f"chosen for a text that will be read about 20 times: {said}".rstrip(",")


def test_what_was_asked_for_stays_and_the_rest_follows_from_it():
    asked = {"hidden": 40, "layers": 3, "networks": 2, "dropout": 0.0}
    values = OPEN | asked
    line = choose(values, recipe.Budget(characters=5e5), 65, 1_000_000)
    assert values == OPEN | asked | {"lr": recipe.learning_rate("gru", 40, 3)}
    assert line == f"chosen for a text that will be read about 0.5 times: --lr {values['lr']}"


def test_so_many_networks_that_each_has_enough_to_read():
    """A large vocabulary takes its time: in as many networks as the text would bear, none would learn much."""
    budget = recipe.Budget(seconds=180, speed=0.7e11, threads=2)
    small, large = dict(OPEN), dict(OPEN)
    choose(small, budget, vocab_size=65, training=360_000)
    choose(large, budget, vocab_size=4000, training=360_000)
    assert small["networks"] > large["networks"] >= 1
    for values, V in ((small, 65), (large, 4000)):
        shape = ModelConfig(V, "gru", values["hidden"], values["layers"], values["networks"])
        assert values["networks"] == 1 or recipe.enough(budget.characters_with(shape), 360_000)


@pytest.mark.parametrize("words", [["--hidden", 4], ["--layers", 1]], ids=str)
def test_a_network_that_is_asked_for_is_one(charrnn, words):
    result = charrnn("train", "corpus.txt", *words, "--steps", 1, "-c", "new.npz")
    assert "--networks" not in result.err.partition("chosen")[2].partition("\n")[0]
    assert load("new.npz").config.networks == 1


def test_where_nothing_is_left_open_nothing_is_measured_or_said(charrnn, monkeypatch):
    monkeypatch.setattr(choose_module, "training_speed", lambda: pytest.fail("measured in vain"))
    words = ["--hidden", 4, "--layers", 1, "--dropout", 0, "--lr", 0.01, "--minutes", 0.001]
    assert "chosen" not in charrnn("train", "corpus.txt", *words, "-c", "new.npz").err


@pytest.mark.parametrize(
    ("option", "budget"),
    [
        ({"minutes": 2.0}, recipe.Budget(120, speed=1.5e11, threads=2, batch_size=32)),
        ({"epochs": 4.0}, recipe.Budget(characters=4 * 90_000)),
        ({"steps": 7}, recipe.Budget(characters=7 * 32 * 64)),
        ({}, recipe.Budget(60 * recipe.DEFAULT_MINUTES, 30 * 44 * 32 * 64, 1.5e11, 2, 32)),
    ],
    ids=["minutes", "epochs", "steps", "none"],
)
def test_the_budget_is_the_one_that_was_given(monkeypatch, option, budget):
    monkeypatch.setattr(choose_module, "training_speed", lambda: 1.5e11)
    assert planned(BUDGETS | option, 90_000, 32, 64, threads=2) == budget


@pytest.mark.parametrize("words", [["--steps", 3], ["--epochs", 0.1], ["--minutes", 0.001], []], ids=str)
def test_a_short_run_gets_a_small_network_and_the_command_records_it(charrnn, stop_at, words):
    stop_at(1)  # the default budget would take most of a minute
    result = charrnn("train", "corpus.txt", *words, "-c", "new.npz", status=130)
    chosen = [line for line in result.err.splitlines() if line.startswith("chosen")]
    assert len(chosen) == 1
    assert chosen[0].partition(": ")[2].split(", ")[:2] == ["--hidden 128", "--layers 1"]
    assert "--hidden 128 --layers 1" in load("new.npz").commands[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--dropout", 0.3], 0.3),
        (["--dropout", 0.3, "--recurrent-dropout", 0], 0.0),
        (["--recurrent-dropout", 0.2, "--dropout", 0], 0.2),
    ],
    ids=str,
)
def test_as_much_of_the_recurrence_is_dropped_as_of_the_outputs_unless_told_otherwise(charrnn, words, expected):
    charrnn("train", "corpus.txt", "--hidden", 4, "--steps", 1, *words, "-c", "new.npz")
    assert load("new.npz").options.recurrent_dropout == expected
