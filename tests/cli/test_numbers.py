"""Every option that takes a number, at its edges and beyond."""

import resource
import shlex
import subprocess
import sys

import click
import numpy as np
import pytest

from charrnn.cli import main
from charrnn.cli.options import Number

VALUES = ["0", "-1", "nan", "inf", "-inf", "1e308", "5e-324", "1" + "0" * 30, "1" + "0" * 400, "0x10", ""]
BASE = {
    "train": shlex.split("corpus.txt --hidden 3 --layers 1 --batch-size 2 --seq-length 5 -c new.npz --steps 1"),
    "sample": shlex.split("--length 5 --seed 1"),
    "eval": ["--json"],
}
BUDGETS = ("--minutes", "--epochs", "--steps")
WORK = (*BUDGETS, "--length", "--num-samples", "--layers")  # at their greatest they take their time


def numeric(command):
    for option in main.commands[command].params:
        if isinstance(option.type, Number | click.IntRange | click.FloatRange):
            yield option.opts[-1], option.type


def edges(option, kind):
    bounds = getattr(kind, "bounds", kind)
    return [str(bound) for bound in (bounds.min, None if option in WORK else bounds.max) if bound is not None]


CASES = [
    (command, option, value)
    for command in BASE
    for option, kind in numeric(command)
    for value in dict.fromkeys([*VALUES, *edges(option, kind)])
]


def test_the_cases_are_all_there():
    options = {(command, option) for command, option, _ in CASES}
    assert {("train", "--lr"), ("train", "--steps"), ("sample", "--top-p"), ("eval", "--window")} <= options
    assert len(options) >= 20


@pytest.mark.parametrize(("command", "option", "value"), CASES)
def test_no_number_is_too_much(charrnn, trained, invoke, command, option, value):
    """Done, an error in one line, or wrong usage; and a run that is done is a run of finite numbers."""
    words = BASE[command] if option not in BUDGETS else BASE[command][:-2]
    result = invoke(command, *words, option, value)
    assert result.status in (0, 1, 2), result.err
    if result.status == 1:
        assert result.err.splitlines()[-1].startswith("charrnn: ")
    if result.status == 2:
        assert option in result.err
    if command == "train" and result.status == 0:
        with np.load("new.npz") as saved:
            assert all(np.isfinite(saved[name]).all() for name in saved.files if name.endswith("npy"))
    if value in ("nan", "inf", "-inf", "1e308", "") and option not in ("--grad-clip", "--temperature"):
        assert result.status == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("option", ["--length", "--num-samples"])
@pytest.mark.parametrize("value", [10**12, 10**30])
def test_no_amount_brings_the_machine_down(trained, option, value):
    """Within half a gigabyte of memory, and with a reader that has seen enough after the first characters."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))

    command = [sys.executable, "-m", "charrnn", "sample", "--seed", "1", "--length", "5", option, str(value)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit) as process:
        process.stdout.read(4)
        process.stdout.close()
        err = process.stderr.read().decode()
    assert process.returncode in (0, 1, 2)
    assert "Traceback" not in err
