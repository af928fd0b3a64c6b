"""Every option that takes a number, with values at its bounds and beyond."""

import os
import resource
import shlex
import subprocess
import sys

import click
import numpy as np
import pytest

from charrnn.cli import main
from charrnn.cli.options import Number

VALUES = ["0", "-0", "-1", "nan", "inf", "-inf", "1e308", "5e-324", "1e-400", "1" + "0" * 30, "1" + "0" * 400]
VALUES += ["9" * 5000, "0x10", "1\0", "", "one"]
SMALL = ["1_0", " 2", "\u0663"]  # which Python takes for 10, 2 and 3
BASE = {
    "train": shlex.split("corpus.txt --hidden 3 --layers 1 --batch-size 2 --seq-length 5 -c new.npz --steps 1"),
    "sample": shlex.split("--length 5 --seed 1"),
    "eval": ["--json"],
}  # any other command gets the text
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
    for command in sorted(main.commands)
    for option, kind in numeric(command)
    for value in dict.fromkeys([*VALUES, *(SMALL if option != "--minutes" else []), *edges(option, kind)])
]


def test_the_cases_are_all_there():
    options = {(command, option) for command, option, _ in CASES}
    assert {("train", "--lr"), ("train", "--steps"), ("sample", "--top-p"), ("eval", "--window")} <= options
    assert len(options) >= 20


@pytest.mark.parametrize(("command", "option", "value"), CASES)
def test_any_number(charrnn, trained, invoke, command, option, value):
    """The command succeeds with finite numbers, or fails with one line or a usage error."""
    words = BASE.get(command, ["corpus.txt"])
    words = words[:-2] if option in BUDGETS else words
    result = invoke(command, *words, option, value)
    assert result.status in (0, 1, 2), result.err
    if result.status == 1:
        assert result.err.splitlines()[-1].startswith("charrnn: ")
    if result.status == 2:
        assert option in result.err
    if command == "train" and result.status == 0:
        with np.load("new.npz") as saved:
            assert all(np.isfinite(saved[name]).all() for name in saved.files if name.endswith("npy"))
    if value in ("nan", "inf", "-inf", "1e308", "", "one") and option not in ("--grad-clip", "--temperature"):
        assert result.status == 2


STRINGS = ["", " ", "-", "\udcff", "x" * 5000, "\x1b[2J\n", "/dev/full", "/", "nowhere/x", "é\u202e🙂"]


def texts(command):
    for option in main.commands[command].params:
        if isinstance(option, click.Option) and isinstance(option.type, click.types.StringParamType | click.Choice):
            yield option.opts[-1]


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command in sorted(main.commands) for option in texts(command)]
)
def test_any_string(trained, invoke, command, option):
    """As a file name, an encoding, a choice or a text."""
    whole = trained.read_bytes()
    for value in STRINGS:
        words = BASE.get(command, [])
        result = invoke(command, *words, option, value, *(["--force"] if command == "train" else []))
        assert result.status in (0, 1, 2), (value, result.err)
        if result.status:
            assert result.out == b""
            assert "\x1b" not in result.err or result.status == 2
            assert result.err.splitlines()[-1].startswith("charrnn: " if result.status == 1 else "Error: ")
        assert trained.read_bytes() == whole


def test_a_log_that_is_a_pipe(charrnn, folder):
    """A pipe without a reader is an error at once; a pipe with a reader gets every line."""
    os.mkfifo("pipe")
    words = (*BASE["train"], "--log", "pipe", "--log-every", 1)
    assert "--log pipe: cannot be written" in charrnn("train", *words, status=1).err
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    charrnn("train", *words)
    assert b'"step": 1' in os.read(reader, 10_000)
    os.close(reader)


CONTRADICTIONS = [
    "train corpus.txt --steps 1 --epochs 1",
    "train corpus.txt --minutes 1 --steps 1",
    "train corpus.txt --resume --force",
    "train corpus.txt --resume --init-from charrnn.npz",
    "train corpus.txt --resume --cell rnn",
    "train corpus.txt --resume --hidden 13",
    "train corpus.txt --resume --layers 1",
    "train corpus.txt --resume --dropout 0.9",
    "train corpus.txt --resume --batch-size 5",
    "train corpus.txt --resume --seq-length 17",
    "train corpus.txt --resume --lr 1",
    "train corpus.txt --resume --seed 7",
    "train corpus.txt --resume --encoding latin-1",
    "train corpus.txt --resume --bytes",
    "train corpus.txt -c new.npz --init-from charrnn.npz --hidden 13",
    "train corpus.txt -c new.npz --init-from charrnn.npz --bytes",
    "train",
    "train --steps 1",
    "sample --prime a --prime-file corpus.txt",
    "eval --encoding utf-8",
]


@pytest.mark.parametrize("line", CONTRADICTIONS)
def test_options_that_contradict_each_other(charrnn, trained, line):
    whole = trained.read_bytes()
    charrnn(*shlex.split(line), status=2)
    assert trained.read_bytes() == whole
    assert sorted(path.name for path in trained.parent.iterdir()) == ["charrnn.npz", "corpus.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("option", ["--length", "--num-samples"])
@pytest.mark.parametrize("value", [10**12, 10**30])
def test_large_amounts_take_bounded_memory(trained, option, value):
    """With half a gigabyte of memory, and a reader that stops after the first characters."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))

    command = [sys.executable, "-m", "charrnn", "sample", "--seed", "1", "--length", "5", option, str(value)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit) as process:
        process.stdout.read(4)
        process.stdout.close()
        err = process.stderr.read().decode()
    assert process.returncode in (0, 1, 2)
    assert "Traceback" not in err
