"""The help is complete, and its examples can be pasted."""

import inspect
import re
import shlex
import sys

import click
import pytest

from charrnn import Options, __version__, new_run
from charrnn.cli import main
from charrnn.training import recipe

COMMANDS = sorted(main.commands)


def options(name):
    return [param for param in main.commands[name].params if isinstance(param, click.Option)]


def examples(name):
    lines = inspect.cleandoc(main.commands[name].help).partition("Examples:")[2].splitlines()
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(charrnn, name):
    shown = re.sub(r"\s+", " ", charrnn(name, "--help").out.decode())
    assert shown == re.sub(r"\s+", " ", charrnn(name, "-h").out.decode())
    for option in options(name):
        assert option.help, option.name
        assert all(word in shown for word in option.opts)
        assert re.sub(r"\s+", " ", option.help) in shown, option.name


@pytest.mark.parametrize(("name", "line"), [(name, line) for name in COMMANDS for line in examples(name)])
def test_every_example_can_be_typed(name, line):
    program, command, *words = shlex.split(re.split(" [<>] ", line)[0])
    assert (program, command) == ("charrnn", name)
    context = main.commands[name].make_context(name, list(words))
    given = {param for param in context.params if context.get_parameter_source(param).name == "COMMANDLINE"}
    options = {word for word in words if word.startswith("-") and word != "-"}
    assert len(given) == len(options) + ("corpus" in given or "texts" in given)


RECORDS = "Records (models of train --lines)"


def test_the_many_options_of_sample_stand_under_headings(charrnn):
    shown = charrnn("sample", "--help").out.decode()
    headings = ["Where to begin", "How to draw", "Where to end", "What to print", RECORDS, "Options"]
    assert re.findall(r"^(\w.*):$", shown, re.MULTILINE) == headings
    for before, option, after in zip(
        headings, ["--prime", "--ban", "--stop", "--check", "--novel"], headings[1:], strict=False
    ):
        assert option in shown.partition(f"{before}:\n")[2].partition(f"{after}:\n")[0]


def test_every_command_has_examples(charrnn):
    shown = charrnn("--help").out.decode()
    for name in COMMANDS:
        assert len(examples(name)) >= 2
        assert f"charrnn {name}" in shown


def test_the_defaults_are_those_of_the_python_functions():
    shown = {option.name: option.default for option in options("train")}
    chosen = {
        "shards",
        "threads",
        "val_every",
        "lr",
        "dropout",
        "recurrent_dropout",
    }  # by threads, number of steps, network and budget
    for name, value in vars(Options()).items():
        assert name in chosen or shown[name] == value, name
    assert shown["cell"] == inspect.signature(new_run).parameters["cell"].default


def test_the_default_network_in_python_is_the_middle_one_of_the_recipe():
    parameters = inspect.signature(new_run).parameters
    assert (parameters["hidden"].default, parameters["layers"].default) == recipe.MIDDLE
    assert Options().lr == recipe.learning_rate(*(parameters[name].default for name in ("cell", "hidden", "layers")))


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"], ["sample", "-h"]], ids=" ".join)
def test_help_does_not_import_numpy(shell, words):
    code = f"import sys; from charrnn.cli import main; main({words}, standalone_mode=False); print(sorted(sys.modules))"
    result = shell(args=[sys.executable, "-c", code])
    modules = result.stdout.decode().splitlines()[-1]
    assert "'click'" in modules
    assert "'charrnn.cli.train.command'" in modules
    assert "'numpy'" not in modules
    assert "'tqdm'" not in modules


def test_the_version(charrnn):
    assert charrnn("--version").out.decode() == f"charrnn {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["--nonsense"], ["train"], ["sample", "--nonsense"], ["eval", "--window", "x"], ["info", "x"]],
)
def test_wrong_usage(charrnn, words):
    result = charrnn(*words, status=2)
    assert "Usage: charrnn" in result.err
    assert "Error: " in result.err
