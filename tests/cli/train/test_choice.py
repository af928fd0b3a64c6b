"""charrnn train: what is chosen where the options leave something open, and how the line says so."""

from dataclasses import fields, replace

import pytest
from click import Context

from charrnn import load
from charrnn.cli import main
from charrnn.cli.train import choice as choice_module
from charrnn.cli.train.choice import describe
from charrnn.cli.train.train_options import TrainOptions
from charrnn.training import DEFAULT_MINUTES, recipe
from charrnn.training.recipe import Choice, Requested

PARAMS = main.commands["train"].make_context("train", ["corpus.txt"], Context(main, **main.context_settings)).params
NAMES = {field.name for field in fields(TrainOptions)} - {"explicit"}
DEFAULTS = TrainOptions(frozenset(), **{name: PARAMS[name] for name in NAMES})


@pytest.mark.parametrize(("readings", "times"), [(20.4, "20"), (0.52, "0.5"), (1234.0, "1,234")])
def test_the_line_names_each_open_option_and_the_readings(readings, times):
    choice = Choice(192, 2, 3, 0.3, 0.0066, readings)
    line = describe(Requested("gru"), choice)
    options = "--hidden 192, --layers 2, --networks 3, --dropout 0.3, --lr 0.0066"
    assert line == f"chosen for a text that will be read about {times} times: {options}"


def test_the_line_leaves_out_what_the_user_fixed():
    line = describe(Requested("gru", 40, 3, 2, 0.0), Choice(40, 3, 2, 0.0, 0.02, 0.5))
    assert line == "chosen for a text that will be read about 0.5 times: --lr 0.02"


@pytest.mark.parametrize("words", [["--hidden", 4], ["--layers", 1]], ids=str)
def test_a_network_whose_size_is_given_is_a_single_one(charrnn, words):
    result = charrnn("train", "corpus.txt", *words, "--steps", 1, "-c", "new.npz")
    assert "--networks" not in result.err.partition("chosen")[2].partition("\n")[0]
    assert load("new.npz").config.networks == 1


def test_nothing_is_measured_or_announced_if_nothing_is_left_open(charrnn, monkeypatch):
    monkeypatch.setattr(choice_module, "training_speed", lambda: pytest.fail("measured needlessly"))
    words = ["--hidden", 4, "--layers", 1, "--dropout", 0, "--lr", 0.01, "--minutes", 0.001]
    assert "chosen" not in charrnn("train", "corpus.txt", *words, "-c", "new.npz").err


@pytest.mark.parametrize(
    ("option", "budget"),
    [
        ({"minutes": 2.0}, recipe.Budget(120, speed=1.5e11, threads=2, batch_size=32)),
        ({"epochs": 4.0}, recipe.Budget(characters=4 * 90_000)),
        ({"steps": 7}, recipe.Budget(characters=7 * 32 * 64)),
        ({}, recipe.Budget(60 * DEFAULT_MINUTES, 30 * 44 * 32 * 64, 1.5e11, 2, 32)),
    ],
    ids=["minutes", "epochs", "steps", "none"],
)
def test_the_budget_that_is_planned_for_is_that_of_the_options(monkeypatch, option, budget):
    monkeypatch.setattr(choice_module, "training_speed", lambda: 1.5e11)
    assert choice_module.planned_budget(replace(DEFAULTS, **option), 90_000, threads=2) == budget


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
def test_recurrent_dropout_is_the_same_as_dropout_by_default(charrnn, words, expected):
    charrnn("train", "corpus.txt", "--hidden", 4, "--steps", 1, *words, "-c", "new.npz")
    assert load("new.npz").options.recurrent_dropout == expected
