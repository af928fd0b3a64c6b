"""Signals at bad moments: before training, during a save, twice, and while text is read or written."""

import os
import signal
import subprocess
import sys
import time

import pytest

from charrnn import load
from charrnn.files import archive

SMALL = ("--hidden", "5", "--layers", "1", "--batch-size", "3", "--seq-length", "11")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def default():
    """Reset the handlers: a shell starts background processes with some signals ignored."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_numpy_is_imported(shell, trained, number):
    """While any module is imported: the process ends without output."""
    code = """
import signal, sys
awaited, number = sys.argv[1:3]
class Finder:
    def find_spec(self, name, *_):
        if name == awaited:
            signal.raise_signal(int(number))
sys.meta_path.insert(0, Finder())
from charrnn.__main__ import main
sys.argv[1:] = ["sample", "--length", "5", "--seed", "1"]
main()
"""
    for name in ("click", "numpy", "charrnn.sampling.text"):
        result = shell(args=[sys.executable, "-c", code, name, str(int(number))], preexec_fn=default)
        assert (result.returncode, result.stdout, result.stderr) == (130, b"", b""), name


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGINT, ("train", "-", "-c", "new.npz")),
        (signal.SIGHUP, ("train", "-", "-c", "new.npz")),
        (signal.SIGTERM, ("eval", "-")),
        (signal.SIGINT, ("sample", "--prime-file", "-")),
    ],
)
def test_while_a_text_is_read(folder, trained, number, words):
    """Reading from a pipe takes as long as the writer does."""
    command = [sys.executable, "-m", "charrnn", *words]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, preexec_fn=default, **pipes) as process:
        wait_until_it_reads(process)
        process.send_signal(number)
        process.wait(timeout=30)
        assert (process.returncode, process.stdout.read(), process.stderr.read()) == (130, b"", b"")
    assert sorted(os.listdir()) == ["charrnn.npz", "corpus.txt"]


def wait_until_it_reads(process):
    """Write more than a pipe holds, which succeeds once the process reads; soon after, it waits for the rest."""
    process.stdin.write(b"the dog runs\n" * 50_000)
    process.stdin.flush()
    time.sleep(0.3)


@pytest.mark.parametrize("number", SIGNALS[:2])
def test_while_text_is_written(folder, trained, number):
    command = [sys.executable, "-m", "charrnn", "sample", "--length", "1000000000", "--seed", "1"]
    with subprocess.Popen(command, preexec_fn=default, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1000)
        process.send_signal(number)
        process.stdout.read()
        assert (process.wait(), process.stderr.read()) == (130, b"")


def test_during_evaluation(folder, trained):
    (folder / "long.txt").write_text("the dog runs\n" * 800_000)
    command = [sys.executable, "-m", "charrnn", "eval", "long.txt", "--unknown", "skip", "--threads", "2"]
    with subprocess.Popen(command, preexec_fn=default, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize("times", [1, 2])
def test_during_a_save(invoke, monkeypatch, at_step, times):
    """After one signal the save is finished and the run stops. After two, the previous save stays."""
    write_members = archive._write_members

    def interrupted(*args):
        monkeypatch.setattr(archive, "_write_members", write_members)
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        write_members(*args)

    monkeypatch.setattr("charrnn.cli.train.autosave.SHARE", float("inf"))
    at_step(3, lambda: monkeypatch.setattr(archive, "_write_members", interrupted))
    result = invoke("train", "corpus.txt", *SMALL, "--steps", 50, "--save-every", 0, "--quiet")
    assert (result.status, result.out, result.err) == (130, b"", "")
    assert load("charrnn.npz").progress.step == {1: 4, 2: 2}[times]
    assert sorted(os.listdir()) == ["charrnn.npz", "corpus.txt"]


def test_two_signals_quit_without_saving(invoke, at_step):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    at_step(5, twice)
    result = invoke("train", "corpus.txt", *SMALL, "--steps", 50, "--quiet")
    assert (result.status, result.out, result.err) == (130, b"", "")
    assert load("charrnn.npz").progress.step == 0  # of the only save
    assert sorted(os.listdir()) == ["charrnn.npz", "corpus.txt"]
