"""train --resume: a run that was stopped at any step ends with the same arrays as one that was not."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
from support.checkpoint_content import content

from charrnn import load

RUN = shlex.split("train corpus.txt --cell gru --hidden 6 --batch-size 3 --seq-length 9 --dropout 0.2 --val-every 7")


@pytest.mark.parametrize("step", [1, 6, 7, 8, 45, 49, 50])
def test_stopped_at_any_step(charrnn, folder, stop_at, step):
    """At the first step; before, at and after a validation; with dropout in force; and at the last step."""
    charrnn(*RUN, "--steps", 50)
    os.rename("charrnn.npz", "whole.npz")
    stop_at(step)
    err = charrnn(*RUN, "--steps", 50, status=130).err
    assert f"stopped at step {step} of 50; saved in charrnn.npz" in err
    assert load("charrnn.npz").progress.step == step
    assert content("charrnn.npz") != content("whole.npz")
    stop_at(None)
    resume = shlex.split(err.splitlines()[-1].partition("resume with: charrnn ")[2])
    charrnn(*resume)
    assert content("charrnn.npz") == content("whole.npz")


def test_stopped_at_every_step(charrnn, stop_at):
    charrnn(*RUN, "--steps", 12)
    os.rename("charrnn.npz", "whole.npz")
    stop_at(1)
    charrnn(*RUN, "--steps", 12, status=130)
    for step in range(2, 12):
        stop_at(step)
        charrnn("train", "--resume", status=130)
    stop_at(None)
    charrnn("train", "--resume")
    assert content("charrnn.npz") == content("whole.npz")


def test_stopped_before_the_number_of_steps_was_known(charrnn, stop_at):
    stop_at(2)
    charrnn(*RUN, "--minutes", 0.01, status=130)
    run = load("charrnn.npz")
    assert (run.schedule.total, run.progress.step) == (None, 2)
    assert "--minutes" in run.commands[0]
    stop_at(None)
    charrnn("train", "--resume")
    run = load("charrnn.npz")
    assert run.progress.step == run.schedule.total > 2
    assert f"--steps {run.schedule.total}" in run.commands[0]
    charrnn(*shlex.split(run.commands[0])[1:], "-c", "again.npz")
    assert content("again.npz")[0] == content("charrnn.npz")[0]


def train_and_signal(number, before, steps):
    """Train in a new process with `before` as the handler of the signal, and send the signal after a logged step."""
    command = [sys.executable, "-m", "charrnn", *RUN, "--steps", str(steps), "--log", "log"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, before)
    ) as process:
        try:
            while not (os.path.exists("log") and os.path.getsize("log")) and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert out == b""
    return process.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_from_outside(shell, folder, number):
    status, err = train_and_signal(number, signal.SIG_DFL, steps=1_000_000)
    assert status == 130, err
    assert "resume with: charrnn train corpus.txt --resume" in err
    step = load("charrnn.npz").progress.step
    logged = [json.loads(line)["step"] for line in (folder / "log").read_text().splitlines()]
    assert max(logged) in range(step - 9, step + 1)

    result = shell("train", "--resume", "--steps", 5)
    assert result.returncode == 0
    assert load("charrnn.npz").progress.step == step + 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_ignored_signal_does_not_stop_training(folder, number):
    """As under nohup, when the terminal closes."""
    status, err = train_and_signal(number, signal.SIG_IGN, steps=700)
    assert status == 0, err
    assert load("charrnn.npz").progress.step == 700


DIFFERENT = {
    "--cell": "gru",
    "--hidden": 13,
    "--layers": 3,
    "--dropout": 0.2,
    "--recurrent-dropout": 0.3,
    "--batch-size": 5,
    "--seq-length": 17,
    "--lr": 0.01,
    "--grad-clip": 2,
    "--weight-decay": 0.1,
    "--val-fraction": 0.2,
    "--val-every": 21,
    "--seed": 2,
    "--encoding": "latin-1",
}


@pytest.mark.parametrize("option", DIFFERENT)
def test_a_different_option_is_refused(charrnn, trained, option):
    before = trained.read_bytes()
    err = charrnn("train", "--resume", "--steps", 1, option, DIFFERENT[option], status=2).err
    assert re.search(rf"This run was started with(out)? {option}\b", err)
    assert trained.read_bytes() == before


def test_a_run_on_characters_is_not_resumed_with_bytes(charrnn, trained):
    err = charrnn("train", "--resume", "--steps", 1, "--bytes", status=2).err
    assert "This run was started without --bytes." in err


def test_the_same_options_may_be_given_again(charrnn, trained):
    command = load(trained).commands[0]
    words = shlex.split(command)[1:]
    charrnn(*words[: words.index("--threads")], "--resume", "--steps", 2)
    assert load(trained).progress.step == 62


def test_the_batch_that_a_short_text_shrank_may_be_given_again(charrnn, folder, text):
    (folder / "short.txt").write_text(text[:200], encoding="utf-8")
    words = ["train", "short.txt", "--hidden", 4, "--batch-size", 32, "--seq-length", 64, "--steps", 2]
    charrnn(*words)
    charrnn(*words, "--resume")
    assert load("charrnn.npz").progress.step == 4


def test_resuming_a_finished_run_asks_for_a_budget(charrnn, trained):
    before = trained.read_bytes()
    result = charrnn("train", "--resume")
    assert "finished: 60 steps" in result.err
    assert "--steps" in result.err
    assert trained.read_bytes() == before


def test_a_budget_is_added(charrnn, trained):
    charrnn("train", "corpus.txt", "--resume", "--steps", 7)
    run = load(trained)
    assert (run.progress.step, run.schedule.start, run.schedule.total) == (67, 60, 67)
    assert len(run.commands) == 2
    charrnn("train", "--resume", "--epochs", 0.1)
    again = load(trained)
    assert again.progress.step == 67 + max(1, round(0.1 * run.epoch_steps))


def test_another_text_is_refused(charrnn, trained, folder, text):
    before = trained.read_bytes()
    (folder / "other.txt").write_text(text[::-1], encoding="utf-8")
    assert "checksum" in charrnn("train", "other.txt", "--resume", "--steps", 1, status=1).err
    err = charrnn("train", "corpus.txt", "corpus.txt", "--resume", "--steps", 1, status=1).err
    assert f"more than {len(text):,} characters" in err
    (folder / "corpus.txt").write_text(text + "!", encoding="utf-8")
    assert charrnn("train", "--resume", "--steps", 1, status=1).err == err
    (folder / "corpus.txt").write_text(text[1:], encoding="utf-8")
    assert "checksum" in charrnn("train", "--resume", "--steps", 1, status=1).err
    (folder / "corpus.txt").unlink()
    err = charrnn("train", "--resume", "--steps", 1, status=1).err
    assert "corpus.txt: no such file" in err
    assert "resumed only with the text it was trained on" in err
    assert trained.read_bytes() == before


def test_the_text_may_have_moved(charrnn, trained, folder):
    (folder / "corpus.txt").rename("moved.txt")
    charrnn("train", "moved.txt", "--resume", "--steps", 2)
    assert load(trained).progress.step == 62


def test_the_log_must_not_be_the_text(charrnn, trained, folder):
    """Also if the text is found by its recorded name."""
    before = (folder / "corpus.txt").read_bytes()
    charrnn("train", "--resume", "--steps", 10, "--log", "corpus.txt", status=1)
    assert (folder / "corpus.txt").read_bytes() == before
