"""charrnn train: what it says, what it leaves behind, and that the command it records makes the same again."""

import json
import os
import re
import shlex
from math import log

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


def test_only_the_checkpoint_comes_of_it(charrnn, folder):
    result = charrnn("train", "corpus.txt", *SMALL, "--steps", 3)
    assert result.out == b""
    assert sorted(path.name for path in folder.iterdir()) == ["charrnn.npz", "corpus.txt"]
    assert load("charrnn.npz").progress.step == 3


def test_what_it_says_before_and_after(charrnn, text):
    err = charrnn("train", "corpus.txt", "--cell", "lstm", *SMALL, "--steps", 3).err
    held_out = len(text) - int(len(text) * 0.9)
    distinct = len(set(text))
    parameters = 4 * 5 * (distinct + 5 + 1) + distinct * (5 + 1)
    for figure in (
        f"{len(text):,} characters",
        f"{distinct} distinct",
        f"{held_out:,} held out",
        f"{parameters:,} param",
    ):
        assert figure in err
    run = load("charrnn.npz")
    loss = run.progress.closing_val_loss
    assert f"{loss:.4f} nats = {loss / log(2):.4f} bits per character over all {held_out:,}" in err
    assert run.commands[0] in err


def test_the_next_commands_can_be_typed(charrnn, invoke):
    err = charrnn("train", "corpus.txt", *SMALL, "--steps", 3, "-c", "the model.npz").err
    commands = [shlex.split(line)[1:] for line in err.splitlines() if line.strip().startswith("charrnn ")]
    assert {words[0] for words in commands} == {"train", "sample", "eval"}
    for words in commands:
        if words[0] != "train":
            assert invoke(*words).status == 0


def test_quiet_is_quiet(charrnn):
    assert charrnn("train", "corpus.txt", *SMALL, "--steps", 3, "--quiet").err == ""
    assert "is finished" in charrnn("train", "--resume", "--quiet").err


def test_plain_lines_where_there_is_no_terminal(charrnn):
    err = charrnn("train", "corpus.txt", *SMALL, "--steps", 9, "--val-every", 3).err
    assert re.findall(r"^step (\d) of 9, epoch ", err, re.MULTILINE) == ["3", "6", "9"]
    assert "\r" not in err
    assert "\x1b" not in err


def test_a_checkpoint_is_not_overwritten(charrnn, trained):
    before = trained.read_bytes()
    err = charrnn("train", "corpus.txt", *SMALL, "--steps", 1, status=1).err
    assert err.count("\n") == 1
    assert all(word in err for word in ("charrnn.npz", "--resume", "--force", "-c"))
    assert trained.read_bytes() == before
    charrnn("train", "corpus.txt", *SMALL, "--steps", 1, "--force")
    assert load(trained).config.hidden == 5


@pytest.mark.parametrize(
    "words",
    [
        ["corpus.txt", "-c", "nowhere/new.npz"],
        ["corpus.txt", "-c", "."],
        ["corpus.txt", "-c", "", "--force"],
        ["corpus.txt", "-c", "corpus.txt", "--force"],
        ["corpus.txt", "-c", "link.npz", "--force"],
        ["corpus.txt", "--log", "corpus.txt"],
        ["corpus.txt", "--log", "nowhere/log"],
        ["corpus.txt", "--log", "charrnn.npz"],
        ["nowhere.txt"],
        ["corpus.txt", "--encoding", "rot13"],
        ["corpus.txt", "--encoding", "ascii"],
        ["corpus.txt", "--encoding", "utf-16"],
        ["corpus.txt", "--encoding", "utf-32"],
        ["corpus.txt", "--init-from", "nowhere.npz"],
        ["corpus.txt", "--init-from", "corpus.txt"],
        ["corpus.txt", "--hidden", "1000000"],
        ["corpus.txt", "--val-fraction", "0.9999"],
        ["--resume"],
    ],
    ids=" ".join,
)
def test_refused_before_anything_is_written(charrnn, folder, words):
    (folder / "link.npz").symlink_to("corpus.txt")
    before = (folder / "corpus.txt").read_bytes()
    err = charrnn("train", *SMALL, "--steps", 1, *words, status=1).err
    assert re.fullmatch(r"charrnn: .*\n", err)
    assert sorted(path.name for path in folder.iterdir()) == ["corpus.txt", "link.npz"]
    assert (folder / "corpus.txt").read_bytes() == before


def test_what_is_no_file_is_not_replaced_by_one(charrnn, folder):
    """Not even with --force: it might be /dev/null."""
    os.mkfifo("pipe")
    charrnn("train", "corpus.txt", *SMALL, "--steps", 1, "-c", "pipe", "--force", status=1)
    assert (folder / "pipe").is_fifo()


@pytest.mark.parametrize(
    "words",
    [
        ["--minutes", "1", "--steps", "1"],
        ["--epochs", "1", "--steps", "1"],
        ["--minutes", "1", "--epochs", "1"],
        ["--minutes", "3", "--steps", "1", "--resume"],
        ["--resume", "--force"],
        ["--resume", "--init-from", "charrnn.npz"],
    ],
    ids=" ".join,
)
def test_contradictions_are_wrong_usage(charrnn, trained, words):
    before = trained.read_bytes()
    charrnn("train", "corpus.txt", *words, status=2)
    assert trained.read_bytes() == before


def test_the_log(charrnn):
    words = ["--steps", 12, "--val-every", 5, "--log-every", 4, "--log", "log.jsonl"]
    charrnn("train", "corpus.txt", *SMALL, *words)
    with open("log.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    steps = [line for line in lines if "loss" in line]
    validations = [line for line in lines if "val_loss" in line]
    assert len(lines) == len(steps) + len(validations)
    names = ("step", "epoch", "elapsed", "loss", "lr", "grad_norm", "chars_per_second")
    assert [list(line) for line in steps] == [list(names)] * 3
    assert [list(line) for line in validations] == [["step", "elapsed", "val_loss", "val_bpc"]] * 3
    assert [line["step"] for line in steps] == [4, 8, 12]
    run = load("charrnn.npz")
    assert [(line["step"], line["val_loss"]) for line in validations] == run.progress.validations
    for line in validations:
        assert line["val_bpc"] == pytest.approx(line["val_loss"] / log(2), rel=1e-12)
    for line in steps:
        assert line["epoch"] == pytest.approx(line["step"] / run.epoch_steps)
    elapsed = [line["elapsed"] for line in lines]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] == run.elapsed


def test_the_log_is_appended_to_and_its_elapsed_goes_on(charrnn):
    words = ["train", "corpus.txt", *SMALL, "--steps", 3, "--log", "log", "--log-every", 1]
    charrnn(*words)
    before = load("charrnn.npz").elapsed
    charrnn(*words, "--resume")
    with open("log", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
    assert steps[2]["elapsed"] <= before < steps[3]["elapsed"]
    elapsed = [line["elapsed"] for line in lines]
    assert elapsed == sorted(elapsed)


@pytest.mark.parametrize("characters", [2, 3, 4, 30, 70])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_short_texts(charrnn, folder, cell, characters):
    text = "naïve 世界 text, short\r\n".replace("\r", "") * 5
    (folder / "short.txt").write_text(text[:characters], encoding="utf-8")
    err = charrnn("train", "short.txt", "--cell", cell, "--hidden", 4, "--steps", 3).err
    run = load("charrnn.npz")
    assert run.progress.step == 3
    assert run.options.batch_size * run.options.seq_length <= characters - 1 - run.held_out_characters
    assert "--batch-size 32 becomes 1" in err
    assert ("--seq-length 64 becomes" in err) == (characters < 65 + 7)
    assert ("no validation" in err) == (characters < 20) == (run.best is None)
    sampled = charrnn("sample", "--length", 9, "--seed", 1).out.decode()
    assert len(sampled) == 9
    assert set(sampled) <= set(text[:characters])


@pytest.mark.parametrize("data", [b"", b"x", b"xxxx"])
def test_nothing_to_learn_from(charrnn, folder, data):
    (folder / "text").write_bytes(data)
    assert charrnn("train", "text", status=1).err.startswith("charrnn: text: ")


def test_without_validation(charrnn):
    charrnn("train", "corpus.txt", *SMALL, "--steps", 3, "--val-fraction", 0)
    run = load("charrnn.npz")
    assert (run.best, run.progress.validations, run.progress.closing_val_loss) == (None, [], None)
    assert "held-out part" in charrnn("eval", status=1).err
    assert "best weights" in charrnn("sample", "--weights", "best", "--length", 1, status=1).err


class TestAgain:
    """The recorded command, typed again for another checkpoint, makes the same arrays to the bit."""

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
        options = "--dropout 0.3 --lr 0.02 --grad-clip 0.5 --weight-decay 0.1 --val-fraction 0.2 --val-every 4 --seed 7"
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

    def test_of_a_file_that_is_named_like_an_option(self, charrnn, folder, text):
        (folder / "-x.txt").write_text(text, encoding="utf-8")
        self.again(charrnn, *SMALL, "--steps", 2, "--", "-x.txt")


class TestInitFrom:
    """--init-from: the weights of the characters that are known move with them. A tiny --lr leaves all as it was."""

    STILL = ("--steps", 1, "--lr", 1e-30, "--batch-size", 2)

    def test_known_characters_take_their_weights_along(self, charrnn, trained, folder, text):
        trained.rename("old.npz")
        (folder / "new.txt").write_text("0é世~ some new text\n" * 9, encoding="utf-8")
        charrnn("train", "new.txt", "--init-from", "old.npz", *self.STILL, "-c", "new.npz")
        old, new = load("old.npz"), load("new.npz")
        assert new.vocab.characters == "".join(sorted(set(text) | set("0é世~ some new text\n")))
        assert new.config.hidden == old.config.hidden == 12
        before, after = old.best, new.network.params
        for name in before:
            if name not in ("Wxh0", "Why", "by"):
                np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-20)
        for place, character in enumerate(new.vocab.characters):
            known = old.vocab.characters.find(character)
            if known >= 0:
                np.testing.assert_allclose(after["Wxh0"][:, place], before["Wxh0"][:, known], rtol=0, atol=1e-20)
                np.testing.assert_allclose(after["Why"][place], before["Why"][known], rtol=0, atol=1e-20)
                np.testing.assert_allclose(after["by"][place], before["by"][known], rtol=0, atol=1e-20)
            else:
                assert np.abs(after["Wxh0"][:, place]).min() > 0
                np.testing.assert_allclose(after["Why"][place], 0, atol=1e-20)

    def test_the_old_text_is_as_likely_as_before(self, charrnn, trained):
        before = json.loads(charrnn("eval", "corpus.txt", "--json").out)
        charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", *self.STILL, "-c", "new.npz")
        after = json.loads(charrnn("eval", "corpus.txt", "--json", "-c", "new.npz").out)
        assert after == before

    @pytest.mark.parametrize(
        ("option", "value"), [("--hidden", 13), ("--layers", 1), ("--cell", "lstm"), ("--bytes", None)]
    )
    def test_another_shape_is_wrong_usage(self, charrnn, trained, option, value):
        words = [option] if value is None else [option, value]
        err = charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", *words, "-c", "new.npz", status=2).err
        assert option in err

    def test_its_own_shape_may_be_said(self, charrnn, trained):
        shape = ["--hidden", 12, "--layers", 2, "--cell", load("charrnn.npz").config.cell]
        charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", *shape, "--steps", 1, "-c", "new.npz")

    def test_bytes_stay_bytes(self, charrnn, folder):
        (folder / "data").write_bytes(bytes(range(256)))
        charrnn("train", "data", "--bytes", *SMALL, "--steps", 1)
        charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", "--steps", 1, "-c", "new.npz")
        assert load("new.npz").vocab.of_bytes


def test_bytes_of_any_file(charrnn, folder):
    data = bytes(range(256)) * 2 + b"\r\n\xef\xbb\xbf"
    (folder / "data").write_bytes(data)
    charrnn("train", "data", "--bytes", *SMALL, "--steps", 3)
    info = json.loads(charrnn("info", "--json").out)
    assert (info["vocabulary"]["of_bytes"], info["vocabulary"]["size"]) == (True, 256)
    assert info["corpus"]["characters"] == 517
    words = ["sample", "--length", 3000, "--seed", 1, "--temp", 5]
    drawn = charrnn(*words).out
    assert len(drawn) == 3000
    assert drawn == charrnn(*words).out
    assert len(set(drawn)) > 128
    assert charrnn(*words, "--prime", "é").out.startswith("é".encode())
    (folder / "prime").write_bytes(b"\xff\r\n")
    assert charrnn(*words, "--prime-file", "prime").out.startswith(b"\xff\r\n")
    assert json.loads(charrnn("eval", "data", "--json").out)["chars"] == len(data) - 1


def test_every_option_is_one_of_the_recorded_command(charrnn):
    """Or has nothing to do with the model that comes of it."""
    charrnn("train", "corpus.txt", *SMALL, "--steps", 1)
    command = shlex.split(load("charrnn.npz").commands[0])
    apart = {"--minutes", "--epochs", "--resume", "--force", "--save-every", "--log", "--log-every", "--quiet"}
    apart |= {"--encoding", "--bytes", "--lines", "--init-from"}  # said where they were chosen
    for option in main.commands["train"].params:
        assert option.opts[-1] in command or apart & set(option.opts) or option.name in ("corpus", "checkpoint")
