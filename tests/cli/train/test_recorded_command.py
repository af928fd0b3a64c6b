"""charrnn train: the recorded command makes the same model."""

import json
import shlex

import numpy as np
import pytest

from charrnn import load
from charrnn.cli import main

SMALL = shlex.split("--hidden 5 --layers 1 --batch-size 3 --seq-length 11")


def weights(path):
    with np.load(path) as saved:
        return {name: saved[name] for name in saved.files if name != "metadata.json"}


def assert_same(path, other):
    ours, theirs = weights(path), weights(other)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


class TestAgain:
    """The recorded command, run again for another checkpoint, makes the same arrays, bit for bit."""

    def again(self, charrnn, *words):
        charrnn("train", *words)
        commands = json.loads(charrnn("info", "--json").out)["commands"]
        for command in commands:
            program, *typed = shlex.split(command)
            assert program == "charrnn"
            typed += [] if "-c" in typed else ["-c", "charrnn.npz"]
            typed[typed.index("-c") + 1] = "again.npz"
            charrnn(*typed)
        assert_same("charrnn.npz", "again.npz")
        return commands

    @pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
    def test_with_every_option(self, charrnn, cell):
        options = (
            "--dropout 0.3 --recurrent-dropout 0.2 --lr 0.02 --grad-clip 0.5 --weight-decay 0.1 --val-fraction 0.2 "
            "--val-every 4 --seed 7"
        )
        self.again(charrnn, "corpus.txt", "--cell", cell, *SMALL, *shlex.split(options), "--threads", 1, "--steps", 15)

    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_with_any_number_of_threads(self, charrnn, threads):
        words = ["--hidden", 4, "--seq-length", 6, "--batch-size", 24, "--threads", threads, "--steps", 5]
        self.again(charrnn, "corpus.txt", *words)

    @pytest.mark.parametrize("threads", [1, 2, 4])
    def test_of_a_text_too_short_for_the_batch(self, charrnn, folder, threads, text):
        (folder / "short.txt").write_text(text[:300], encoding="utf-8")
        self.again(charrnn, "short.txt", "--hidden", 4, "--threads", threads, "--steps", 5)

    def test_with_a_budget_in_epochs(self, charrnn):
        self.again(charrnn, "corpus.txt", *SMALL, "--epochs", 0.3)
        run = load("charrnn.npz")
        assert run.progress.step == round(0.3 * run.epoch_steps)

    def test_with_a_budget_in_minutes(self, charrnn):
        (command,) = self.again(charrnn, "corpus.txt", *SMALL, "--minutes", 0.015)
        assert f"--steps {load('charrnn.npz').progress.step}" in command

    def test_with_validations_before_the_steps_are_known(self, charrnn):
        self.again(charrnn, "corpus.txt", *SMALL, "--minutes", 0.001, "--val-every", 1)

    def test_of_bytes(self, charrnn, folder):
        (folder / "data").write_bytes(bytes(range(256)) * 3)
        self.again(charrnn, "data", "--bytes", *SMALL, "--steps", 3)

    def test_of_another_encoding_in_several_files(self, charrnn, folder, text):
        for name in ("a text", "it's another"):
            (folder / name).write_text(text, encoding="utf-16-le")
        self.again(charrnn, "a text", "it's another", "--encoding", "utf-16-le", *SMALL, "--steps", 3)

    def test_of_a_run_with_more_budget(self, charrnn):
        charrnn("train", "corpus.txt", *SMALL, "--steps", 5, "--dropout", 0.3)
        commands = self.again(charrnn, "--resume", "--steps", 4)
        assert len(commands) == 2
        assert load("charrnn.npz").progress.step == 9

    def test_of_a_run_from_other_weights(self, charrnn, trained, folder):
        trained.rename("old.npz")
        self.again(charrnn, "corpus.txt", "--init-from", "old.npz", "--batch-size", 3, "--steps", 5)

    def test_of_a_file_whose_name_looks_like_an_option(self, charrnn, folder, text):
        (folder / "-x.txt").write_text(text, encoding="utf-8")
        self.again(charrnn, *SMALL, "--steps", 2, "--", "-x.txt")


def test_every_option_that_affects_the_model_is_recorded(charrnn):
    charrnn("train", "corpus.txt", *SMALL, "--steps", 1)
    command = shlex.split(load("charrnn.npz").commands[0])
    apart = {"--minutes", "--epochs", "--resume", "--force", "--save-every", "--log", "--log-every", "--quiet"}
    apart |= {"--encoding", "--bytes", "--lines", "--init-from"}  # recorded only if they were given
    for option in main.commands["train"].params:
        assert option.opts[-1] in command or apart & set(option.opts) or option.name in ("corpus", "checkpoint")
