"""train --lines, and what eval, sample and info make of a model of records; names.txt has 64 distinct lines of 70."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from charrnn import evaluate, load, load_model, read_corpus, sample_records
from charrnn.sampling import records as record_sampling

NAMES = [a + b + c for a in ("an", "be", "ce", "do") for b in ("na", "li", "世", "ro") for c in ("", "r", "rt", "s")]
LINES = NAMES + NAMES[:6]
TRAIN = shlex.split("train names.txt --lines --hidden 12 --batch-size 4 --seq-length 16 --steps 60 --val-every 20")
SEEDED = ("sample", "--seed", 3)


@pytest.fixture(scope="module")
def trained_on_names(train_apart):
    """The bytes of a checkpoint, and what training said."""
    return train_apart(TRAIN, "names.txt", "\n".join(LINES))


@pytest.fixture
def names(folder, trained_on_names):
    """names.txt, and a checkpoint of it beside it under the default name."""
    (folder / "names.txt").write_text("\n".join(LINES), encoding="utf-8")
    (folder / "charrnn.npz").write_bytes(trained_on_names[0])
    return folder


@pytest.fixture
def sample(charrnn, names):
    """Run charrnn sample with a seed; returns the lines that it writes."""

    def sample(*words):
        text = charrnn(*SEEDED, *words).out.decode()
        assert text.endswith("\n")
        return text[:-1].split("\n")

    return sample


def test_what_training_says(trained_on_names, names):
    err = trained_on_names[1]
    parts = read_corpus(["names.txt"], lines=True).records(0.1, 1)
    assert "70 records, 6 of them duplicates\n" in err
    assert f"{len(parts.training):,} to learn from, {len(parts.held_out):,} held out" in err


def test_the_recorded_command_makes_it_again(charrnn, names):
    (command,) = load("charrnn.npz").commands
    typed = shlex.split(command)[1:]
    assert "--lines" in typed
    typed[typed.index("-c") + 1] = "again.npz"
    charrnn(*typed)
    with np.load("charrnn.npz") as one, np.load("again.npz") as other:
        assert one.files == other.files
        for name in set(one.files) - {"metadata.json"}:
            np.testing.assert_array_equal(one[name], other[name])


def test_resuming(charrnn, names):
    before = load("charrnn.npz")
    charrnn("train", "--resume", "--steps", 20, "--quiet")
    run = load("charrnn.npz")
    assert (run.progress.step, run.options.lines) == (80, True)
    assert run.training_hashes.tolist() == before.training_hashes.tolist()
    charrnn("train", "--resume", "--lines", "--steps", 1, "--quiet")
    (names / "corpus.txt").write_text("anna\n" * 9)
    charrnn("train", "corpus.txt", "-c", "text.npz", "--hidden", 3, "--steps", 1, "--quiet")
    err = charrnn("train", "--resume", "-c", "text.npz", "--lines", "--steps", 1, status=2).err
    assert "This run was started without --lines." in err


@pytest.mark.parametrize("as_bytes", [(), ("--bytes",)])
def test_eval_scores_whole_lines(charrnn, folder, as_bytes):
    (folder / "names.txt").write_text("\n".join(LINES), encoding="utf-8")
    charrnn(*TRAIN, *as_bytes, "--quiet")
    texts = {"one": "anna\nbert", "two": "\n\ncero\n", "dos": "anna\r\n"}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    result = json.loads(charrnn("eval", "one", "two", "--json").out)
    assert (result["records"], result["chars"]) == (3, 15)
    text = "anna\nbert\ncero"
    score = evaluate(load_model("charrnn.npz"), text.encode() if as_bytes else text)
    assert result["nats_per_char"] == pytest.approx(score.nats_per_char, rel=1e-6)
    assert json.loads(charrnn("eval", "dos", "--json").out)["chars"] == (6 if as_bytes else 5)
    shown = charrnn("eval").out.decode()
    assert re.search(r"records +7\n", shown)
    held_out = load("charrnn.npz").held_out_characters - 1
    assert re.search(rf"scored +{held_out}\n", shown)


def test_unknown_characters_of_lines(charrnn, names):
    (names / "other").write_text("anna\nxyz\nxberty\n")
    assert "'x' (U+0078" in charrnn("eval", "other", status=1).err
    skipped = json.loads(charrnn("eval", "other", "--unknown", "skip", "--json").out)
    assert (skipped["records"], skipped["chars"], skipped["unknown_chars"]) == (2, 10, 5)
    charged = json.loads(charrnn("eval", "other", "--unknown", "uniform", "--json").out)
    assert charged["chars"] == 15


def test_info(charrnn, names):
    kept = len(load("charrnn.npz").training_hashes)
    assert f"the hashes of {kept} distinct training records are stored" in charrnn("info").out.decode()
    assert json.loads(charrnn("info", "--json").out)["options"]["lines"] is True


@pytest.mark.parametrize("n", [1, 2, 300])
def test_n_records_one_per_line(sample, n):
    lines = sample("-n", n)
    assert len(lines) == n
    assert all(lines)
    assert lines == sample("-n", 300)[:n]


def test_the_default_is_one_record_and_a_random_seed_that_is_shown(charrnn, names):
    first = charrnn("sample")
    seed = re.match(r"seed (\d+)\n", first.err)[1]
    again = charrnn("sample", "--seed", seed)
    assert again.out == first.out
    assert again.out.count(b"\n") == 1


def test_python_draws_the_same(sample):
    model = load_model("charrnn.npz")
    assert sample("-n", 40) == sample_records(model, 40, seed=3)
    how = {"min_length": 3, "max_length": 6, "match": ".*[rst]", "unique": True, "novel": True, "temperature": 1.2}
    words = shlex.split("--min-length 3 --max-length 6 --match .*[rst] --unique --novel --temp 1.2")
    assert sample("-n", 15, "--prefix", "a", *words) == sample_records(model, 15, "a", seed=3, **how)


def test_unique_and_novel(sample):
    training = set(read_corpus(["names.txt"], lines=True).vocab.decode(training_ids()).split())
    plain, picky = sample("-n", 400), sample("-n", 100, "--unique", "--novel")
    assert set(plain) & training
    assert len(set(plain)) < 400
    assert not set(picky) & training
    assert len(set(picky)) == 100
    held_out = set(NAMES) - training
    assert set(sample("-n", 2000, "--novel")) & held_out  # the model has not seen these


def training_ids():
    return read_corpus(["names.txt"], lines=True).records(0.1, 1).training


def test_refused_records_are_reported(charrnn, names):
    result = charrnn(*SEEDED, "-n", 50, "--match", "a.*")
    assert re.fullmatch(r"50 of \d+ records drawn were accepted \([\d.]+%\); \d+ no match.*\n", result.err)
    assert all(line.startswith("a") for line in result.out.decode().split())


def test_scores_are_those_of_eval(sample, charrnn, names):
    rows = [line.split("\t") for line in sample("-n", 60, "--scores", "--temp", 0.7, "--prefix", "b")]
    assert [text for text, _ in rows] == sample("-n", 60, "--temp", 0.7, "--prefix", "b")
    (names / "drawn").write_text("\n".join(text for text, _ in rows), encoding="utf-8")
    result = json.loads(charrnn("eval", "drawn", "--json").out)
    total = result["bits_per_char"] * result["chars"]
    assert sum(float(bits) for _, bits in rows) == pytest.approx(total, abs=60 * 1e-4)


def test_ban_and_allow_apply_after_the_prefix(sample):
    """The newline that ends a record is always allowed."""
    assert not set("".join(sample("-n", 60, "--ban", "aer"))) & set("aer")
    assert set("".join(sample("-n", 60, "--allow", "an"))) == set("an")
    assert {line[:2] for line in sample("-n", 20, "--prefix", "be", "--allow", "lrst")} == {"be"}


def test_json(sample, charrnn, names):
    words = ("-n", 5, "--prefix", "a", "--json", "--check", "names.txt")
    answer = json.loads(charrnn(*SEEDED, *words).out)
    assert (answer["seed"], answer["prefix"]) == (3, "a")
    assert [record["text"] for record in answer["records"]] == sample("-n", 5, "--prefix", "a")
    scores = [line.split("\t") for line in sample("-n", 5, "--prefix", "a", "--scores")]
    assert [f"{record['bits']:.4f}" for record in answer["records"]] == [bits for _, bits in scores]
    longest = answer["check"]["longest"]
    assert longest["text"] in "\n".join(LINES)
    assert longest["text"] in answer["records"][longest["sample"]]["text"][1:]


def test_too_few_records_is_an_error_after_those_found(invoke, names, monkeypatch):
    monkeypatch.setattr(record_sampling, "PATIENCE", 20_000)
    result = invoke(*SEEDED, "-n", 10, "--unique", "--match", "anna|anli")
    lines = result.out.decode().split()
    assert result.status == 1
    assert sorted(lines) == ["anli", "anna"]
    assert "too few records: found 2 of 10, and none in the last 20,000 characters" in result.err
    assert result.err.count("\n") == 1

    told = invoke(*SEEDED, "-n", 10, "--unique", "--match", "anna|anli", "--json", "--check", "names.txt")
    assert told.status == 1
    assert told.err == result.err
    answer = json.loads(told.out)
    assert [record["text"] for record in answer["records"]] == lines
    assert answer["check"]["longest"]["length"] == 4


def test_ctrl_c_writes_the_records_drawn_so_far(names):
    command = [sys.executable, "-m", "charrnn", "sample", "-n", "100000000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr.readline().startswith(b"seed ")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        answer = json.loads(process.stdout.read())
    assert process.returncode == 130
    assert len(answer["records"]) > 10


@pytest.mark.parametrize(
    "words",
    [
        "--length 5",
        "--prime a",
        "--prime-file names.txt",
        "--no-echo",
        "--stop a",
        "-0",
        "--min-length 5 --max-length 4",
        "--prefix anna --max-length 3",
        "--prefix 'an\na'",
        "--max-length 0",
        "-n 0",
    ],
)
def test_wrong_usage(charrnn, names, words):
    charrnn(*SEEDED, *shlex.split(words), status=2)


def test_other_errors(charrnn, names):
    err = charrnn("sample", "--match", "(", status=1).err
    assert "not a regular expression" in err
    assert err.count("\n") == 1  # no seed is shown before it
    assert "the prefix" in charrnn("sample", "--prefix", "xyz", status=1).err
    assert charrnn(*SEEDED, "--prefix", "xaxn", "--unknown", "skip").out.startswith(b"an")


@pytest.mark.parametrize("option", ["--prefix=a", "--match=a", "--max-length=9"])
def test_record_options_need_a_model_of_records(charrnn, trained, option):
    assert "train --lines" in charrnn(*SEEDED, option, status=2).err


@pytest.mark.parametrize("option", ["--unique", "--novel", "--scores"])
def test_record_flags_need_a_model_of_records(charrnn, trained, option):
    assert "train --lines" in charrnn(*SEEDED, option, status=2).err
    assert "65536" in charrnn(*SEEDED, "-n", 65537, status=2).err


def test_bytes(charrnn, folder):
    (folder / "data").write_bytes(b"\xff\x00a\n\x80\r\n" * 30)
    charrnn("train", "data", "--bytes", "--lines", "--hidden", 4, "--steps", 30, "--quiet")
    out = charrnn(*SEEDED, "-n", 20, "--scores", "--min-length", 2, "--max-length", 30).out
    rows = [line.rsplit(b"\t", 1) for line in out.split(b"\n")[:-1]]
    assert len(rows) == 20
    assert all(float(bits) > 0 for _, bits in rows)


@pytest.mark.parametrize(
    ("text", "count"), [("a\n", 1), ("a", 1), ("ab\nc", 2), ("\n\nab\n\nc\nde\n\n", 3), ("a" * 5000 + "\nb\nc\n", 3)]
)
def test_very_few_records(charrnn, folder, text, count):
    (folder / "few").write_text(text)
    err = charrnn("train", "few", "--lines", "--hidden", 4, "--steps", 3).err
    assert f"{count} record{'s' * (count > 1)}, 0 of them duplicates" in err
    assert "would hold out no record: no validation" in err
    assert "trained without one" in charrnn("eval", status=1).err
    assert json.loads(charrnn("eval", "few", "--json").out)["records"] == count
    assert charrnn(*SEEDED, "-n", 3, "--max-length", 50).out.count(b"\n") == 3


@pytest.mark.parametrize("text", ["", "\n\n\n"])
def test_no_records(charrnn, folder, text):
    (folder / "none").write_text(text)
    assert charrnn("train", "none", "--lines", "--steps", 1, status=1).err.startswith("charrnn: none: ")


def test_all_held_out(charrnn, names):
    words = ("train", "names.txt", "--lines", "--steps", 1, "--val-fraction", 0.999, "-c", "x.npz")
    assert "leaves none of 70 records to train on" in charrnn(*words, status=1).err
    assert not (names / "x.npz").exists()


def test_the_records_are_split_once(charrnn, names, monkeypatch):
    """By a run from its start to its closing validation: it takes a while for millions of records."""
    from charrnn.text.corpus import Corpus

    calls, records = [], Corpus.records
    monkeypatch.setattr(Corpus, "records", lambda *args: calls.append(args) or records(*args))
    charrnn("train", "names.txt", "--lines", "--steps", 2, "--hidden", 2, "-c", "split.npz")
    assert len(calls) == 1
