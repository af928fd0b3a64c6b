"""Running commands: in this process where that is enough, else in one of their own."""

import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from charrnn.cli import main

TRAINED = shlex.split(
    "train corpus.txt --hidden 12 --layers 2 --batch-size 4 --seq-length 16 --lr 0.02 --steps 60 --val-every 20 --quiet"
)


@dataclass
class Result:
    status: int
    out: bytes
    err: str


def run_here(*words):
    """Run a command in this process. Whatever it raises but SystemExit is raised here: a traceback fails the test."""
    try:
        runner = CliRunner(mix_stderr=False)  # Click before 8.2
    except TypeError:
        runner = CliRunner()
    result = runner.invoke(main, [str(word) for word in words], prog_name="charrnn")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Result(result.exit_code, result.stdout_bytes, result.stderr)


@pytest.fixture
def folder(tmp_path, monkeypatch, text):
    """A folder of its own to work in, with corpus.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def invoke(folder):
    """Run a command in this process, in that folder."""
    return run_here


@pytest.fixture
def charrnn(folder):
    """Run a command in this process, in that folder; it must end well unless another `status` is said."""

    def charrnn(*words, status=0):
        result = run_here(*words)
        assert result.status == status, result.err
        if status:
            assert result.out == b""
            assert result.err.strip()
        return result

    return charrnn


@pytest.fixture
def shell(folder):
    """Run a command in a process of its own, in that folder; for signals, pipes and the outside of it all."""

    def shell(*words, env=None, **how):
        how = {"args": [sys.executable, "-m", "charrnn", *map(str, words)], "capture_output": True, "timeout": 60} | how
        return subprocess.run(env=os.environ | (env or {}), check=False, **how)

    return shell


@pytest.fixture(scope="session")
def train_apart(tmp_path_factory):
    """Train on a text in a folder apart: the bytes of the checkpoint, and what was said."""

    def train_apart(words, name, text):
        folder, before = tmp_path_factory.mktemp("trained"), os.getcwd()
        (folder / name).write_text(text, encoding="utf-8")
        os.chdir(folder)
        try:
            result = run_here(*words)
        finally:
            os.chdir(before)
        assert result.status == 0, result.err
        return (folder / "charrnn.npz").read_bytes(), result.err

    return train_apart


@pytest.fixture(scope="session")
def trained_bytes(train_apart, text):
    return train_apart(TRAINED, "corpus.txt", text)[0]


@pytest.fixture
def trained(folder, trained_bytes):
    """A checkpoint under the default name, trained on the corpus.txt beside it."""
    path = folder / "charrnn.npz"
    path.write_bytes(trained_bytes)
    return path


@pytest.fixture
def at_step(monkeypatch):
    """Have something happen while the record of a certain step is being logged."""
    from charrnn.cli.progress import Log

    add = Log.add

    def at_step(step, act):
        def add_and_act(self, record):
            add(self, record)
            if record.step == step:
                act()

        monkeypatch.setattr(Log, "add", add_and_act)

    return at_step


@pytest.fixture
def stop_at(at_step):
    """Have the signal come while the record of a certain step is being logged."""

    def stop_at(step, number=signal.SIGINT):
        at_step(step, lambda: signal.raise_signal(number))

    return stop_at
