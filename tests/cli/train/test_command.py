"""charrnn train: its output, the files it writes, and the errors it reports."""

import json
import os
import re
import shlex
from math import log

import pytest

from charrnn import load

SMALL = shlex.split("--hidden 5 --layers 1 --batch-size 3 --seq-length 11")


def test_only_the_checkpoint_is_written(charrnn, folder):
    result = charrnn("train", "corpus.txt", *SMALL, "--steps", 3)
    assert result.out == b""
    assert sorted(path.name for path in folder.iterdir()) == ["charrnn.npz", "corpus.txt"]
    assert load("charrnn.npz").progress.step == 3


def test_the_output_before_and_after_training(charrnn, text):
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


def test_the_suggested_commands_work(charrnn, invoke):
    err = charrnn("train", "corpus.txt", *SMALL, "--steps", 3, "-c", "the model.npz").err
    commands = [shlex.split(line)[1:] for line in err.splitlines() if line.strip().startswith("charrnn ")]
    assert {words[0] for words in commands} == {"train", "sample", "eval"}
    for words in commands:
        if words[0] != "train":
            assert invoke(*words).status == 0


def test_quiet_prints_nothing_but_what_needs_attention(charrnn):
    assert charrnn("train", "corpus.txt", *SMALL, "--steps", 3, "--quiet").err == ""
    assert "is finished" in charrnn("train", "--resume", "--quiet").err


def test_plain_lines_without_a_terminal(charrnn):
    err = charrnn("train", "corpus.txt", *SMALL, "--steps", 9, "--val-every", 3).err
    assert re.findall(r"^step (\d) of 9, epoch ", err, re.MULTILINE) == ["3", "6", "9"]
    assert "\r" not in err
    assert "\x1b" not in err


def test_a_checkpoint_is_not_overwritten_without_force(charrnn, trained):
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


def test_a_device_or_pipe_is_not_replaced(charrnn, folder):
    """Even with --force: it could be /dev/null."""
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
def test_contradictory_options_are_refused(charrnn, trained, words):
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


def test_a_resumed_run_appends_to_the_log_and_elapsed_continues(charrnn):
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
def test_a_text_with_nothing_to_learn_from_is_refused(charrnn, folder, data):
    (folder / "text").write_bytes(data)
    assert charrnn("train", "text", status=1).err.startswith("charrnn: text: ")


def test_without_validation(charrnn):
    charrnn("train", "corpus.txt", *SMALL, "--steps", 3, "--val-fraction", 0)
    run = load("charrnn.npz")
    assert (run.best, run.progress.validations, run.progress.closing_val_loss) == (None, [], None)
    assert "held-out part" in charrnn("eval", status=1).err
    assert "there are no best ones" in charrnn("sample", "--weights", "best", "--length", 1, status=1).err


def test_bytes_of_a_binary_file(charrnn, folder):
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
