"""charrnn score: rows that add up, whatever they are asked for as, and as the text comes."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from math import inf, log, log2

import pytest

from charrnn.cli import output
from charrnn.cli import score_rows as rows
from charrnn.evaluation.scoring import ScoredUnit

PER = ["char", "word", "line"]


@pytest.fixture
def table(charrnn, trained):
    """The rows that a command writes, as dictionaries of strings."""

    def table(*words):
        lines = charrnn("score", *words).out.decode().split("\n")
        assert lines.pop() == ""
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))

    return table


@pytest.fixture
def evaluated(charrnn, trained):
    return lambda *words: json.loads(charrnn("eval", "--json", *words).out)


def unescaped(shown):
    return shown.encode("latin-1", "backslashreplace").decode("unicode_escape")


@pytest.mark.parametrize("per", PER)
@pytest.mark.parametrize("words", [(), ("corpus.txt",)], ids=str)
def test_rows_add_up_to_the_figure_of_eval(table, evaluated, per, words):
    rows, whole = table(*words, "--per", per), evaluated(*words)
    assert sum(int(row["chars"]) for row in rows) == whole["chars"]
    total = sum(float(row["bits"]) for row in rows) * log(2)
    assert total / whole["chars"] == pytest.approx(whole["nats_per_char"], abs=1e-6)
    millionths = sum(int(row["bits"].replace(".", "")) for row in rows)
    assert millionths == sum(int(row["bits"].replace(".", "")) for row in table(*words))
    for row in rows:
        assert float(row["bits_per_char"]) == pytest.approx(float(row["bits"]) / int(row["chars"]), abs=1e-6)


def test_columns_and_offsets(table, text):
    for per in PER:
        rows = table("corpus.txt", "--per", per)
        names = [per, "start", "end", "chars", "bits", "bits_per_char", *["rank"] * (per == "char"), "text"]
        assert list(rows[0]) == names
        for row in rows:
            whole = text[int(row["start"]) : int(row["end"])]
            assert unescaped(row["text"]) == (whole.removesuffix("\n") if per == "line" else whole)
    assert [row["text"] for row in table("corpus.txt")] == text.splitlines()
    assert {int(row["rank"]) for row in table("corpus.txt", "--per", "char")} > {1, 2, 3}


@pytest.mark.parametrize("per", PER)
def test_json_has_the_same(charrnn, table, per):
    lines = charrnn("score", "--jsonl", "--per", per).out.decode().splitlines()
    records, rows = [json.loads(line) for line in lines], table("--per", per)
    assert [list(record) for record in records] == [list(row) for row in rows]
    for record, row in zip(records, rows, strict=True):
        assert record["text"] == unescaped(row["text"])
        assert f"{record['bits']:.6f}" == row["bits"]
        others = set(row) - {"text", "bits", "bits_per_char"}
        assert all(record[name] == int(row[name]) for name in others)


def test_threshold_and_top(charrnn, table):
    rows = table("--per", "word")
    odd = [row for row in rows if float(row["bits_per_char"]) >= 1]
    assert 0 < len(odd) < len(rows)
    assert table("--per", "word", "--threshold", 1) == odd
    top_units = sorted(rows, key=lambda row: -float(row["bits"]) / (int(row["chars"]) + 16))
    assert table("--per", "word", "--top", 5) == top_units[:5]
    assert table("--per", "word", "--top", 10**6) == top_units
    assert len(table("--per", "word", "--top", 10**6, "--threshold", 1)) == len(odd)
    assert charrnn("score", "--threshold", 1000).out.count(b"\n") == 1


def test_against_another_model(charrnn, table, trained, folder):
    words = ("--steps", 5, "--hidden", 4, "--layers", 1, "--quiet")
    charrnn("train", "corpus.txt", "-c", "other.npz", *words)
    rows, own, other = table("--against", "other.npz"), table(), table("-c", "other.npz")
    assert list(rows[0])[-3:] == ["other_bits", "ratio", "text"]
    for row, ours, theirs in zip(rows, own, other, strict=True):
        assert (row["bits"], row["other_bits"]) == (ours["bits"], theirs["bits"])
        assert float(row["ratio"]) == pytest.approx(float(theirs["bits"]) - float(ours["bits"]), abs=1e-6)
    likely = [row for row in rows if float(row["ratio"]) >= 20]
    assert 0 < len(likely) < len(rows)
    assert table("--against", "other.npz", "--threshold", 20) == likely
    assert table("--against", "other.npz", "--top", 1) == [max(rows, key=lambda row: float(row["ratio"]))]
    charrnn("train", "corpus.txt", "--bytes", "-c", "bytes.npz", *words)
    assert "read different things" in charrnn("score", "--against", "bytes.npz", status=1).err
    assert "no such checkpoint" in charrnn("score", "--against", "missing.npz", status=1).err


def test_unknown_characters(charrnn, table, folder, text):
    (folder / "text").write_text("the dog жж\tsees.\n", encoding="utf-8")
    rows = table("text", "--per", "char")
    unknown = [row for row in rows if row["text"] == "ж"]
    assert [(row["bits"], row["rank"]) for row in unknown] == [(f"{log2(len(set(text))):.6f}", "")] * 2
    words = [row["text"] for row in table("text", "--per", "word", "--unknown", "skip")]
    assert words == ["the", " dog", " жж", "\\tsees.", "\\n"]
    assert "'ж' (U+0436" in charrnn("score", "text", "--unknown", "error", status=1).err


def test_a_model_of_bytes(charrnn, table, folder):
    charrnn("train", "corpus.txt", "--bytes", "--steps", 5, "--hidden", 4, "--layers", 1, "--quiet", "--force")
    (folder / "data").write_bytes("naïve\x1b世 \\".encode() + b"\xff\n\xf0")
    assert [row["text"] for row in table("data")] == [r"naïve\x1b世 \\\xff", r"\xf0"]
    assert [row["text"] for row in table("data", "--per", "char")][:4] == ["a", r"\xc3", r"\xaf", "v"]
    line = charrnn("score", "data", "--jsonl").out.splitlines()[1]
    assert json.loads(line)["text"] == r"\xf0"
    assert table("data", "--top", 1)[0]["end"] in ("15", "14")


def test_several_texts_are_one(table, folder, text):
    (folder / "1").write_text(text[:103], encoding="utf-8")
    (folder / "2").write_text(text[103:], encoding="utf-8")
    assert table("1", "2") == table("corpus.txt")


@pytest.mark.parametrize("words", [["--colour", "always", "--jsonl"], ["--color", "--top", 3], ["--encoding", "utf-8"]])
def test_what_does_not_go_together(charrnn, trained, words):
    charrnn("score", *words, status=2)


@pytest.mark.parametrize("words", [["missing.txt"], ["corpus.txt", "-c", "missing.npz"], ["corpus.txt", "missing.txt"]])
def test_a_file_that_is_not_there(invoke, trained, words):
    result = invoke("score", *words)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert "missing" in result.err


def test_no_text_at_all(charrnn, trained, folder):
    (folder / "empty").write_bytes(b"")
    assert charrnn("score", "empty").out.decode() == "line\tstart\tend\tchars\tbits\tbits_per_char\ttext\n"
    assert charrnn("score", "empty", "--jsonl").out == b""
    assert charrnn("score", "empty", "--colour", "always").out == b""


class TestStreams:
    def test_rows_come_before_the_input_ends(self, trained, folder):
        """All but the last piece of what was written to a pipe that stays open."""
        command = [sys.executable, "-m", "charrnn", "score", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            lines = [f"the dog sees. {i}\n".encode() for i in range(600)]
            process.stdin.write(b"".join(lines))
            process.stdin.flush()
            shown = [process.stdout.readline() for _ in range(200)]  # would wait for ever if they did not come
            assert [line.split(b"\t")[-1] for line in shown[1:]] == lines[:199]
            process.stdin.close()
            assert len(process.stdout.readlines()) == 401
        assert process.returncode == 0

    def test_the_oddest_of_a_stream_come_when_it_is_stopped(self, trained, folder):
        command = [sys.executable, "-m", "charrnn", "score", "-", "--top", "1"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(b"the dog sees.\n" * 300 + b"QZXVQZXVQZXV\n" + b"the dog sees.\n" * 600)
            process.stdin.flush()
            assert process.stdout.readline().endswith(b"text\n")
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            (row,) = process.stdout.read().splitlines()
        assert row.endswith(b"\tQZXVQZXVQZXV")
        assert process.returncode == 130

    def test_into_head(self, trained, folder):
        (folder / "long").write_text("the moon\n" * 8000)
        line = f"{sys.executable} -m charrnn score long | head -n 2; echo ${{PIPESTATUS[0]}}"
        result = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
        assert result.stderr == b""
        assert result.stdout.splitlines()[2:] == [b"0"]

    @pytest.mark.slow
    def test_a_long_stream_takes_no_more_memory_than_a_short_one(self, trained, folder):
        peaks = []
        for count in (400_000, 1_200_000):  # lines of 21 bytes
            feed = f"{sys.executable} -c \"for i in range({count}): print('the dog sees.', i % 7, 'runs')\""
            code = "import resource, sys; from charrnn.cli import main; main(['score', '-'], standalone_mode=False)"
            code += "; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
            line = f'{feed} | {sys.executable} -c "{code}" > rows.tsv'
            result = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
            peaks.append(int(result.stderr.split()[-1]))
        assert peaks[1] < 1.1 * peaks[0], peaks


class TestColours:
    def test_the_text_is_shown_as_it_is(self, charrnn, trained, text):
        for words in (["--per", "word"], ["--per", "line"], []):
            result = charrnn("score", "corpus.txt", "--colour", "always", *words)
            shown = result.out.decode()
            assert re.sub(r"\x1b\[[0-9;]*m", "", shown).removesuffix("\n") == text
            assert all(line.count("\x1b[48") == line.count("\x1b[0m") for line in shown.split("\n"))
            assert result.err.startswith("bits per character: under 2")

    def test_what_is_odd_is_shaded(self):
        plain = ScoredUnit(1, 0, 1, 1, 1.9, 1.9, None, None, None, "word")
        assert rows.shaded(plain, "word") == "word"
        shades = {rows.shaded(plain._replace(bits_per_char=bits), "word") for bits in (2, 4, 6, 8, 12, inf)}
        assert len(shades) == 5
        assert rows.shaded(plain._replace(bits_per_char=9, text="\x1b[2J\n"), "word").startswith("\x1b[38;5;16m\x1b[48")
        assert "\x1b[2J" not in rows.shaded(plain._replace(bits_per_char=9, text="\x1b[2J"), "word")

    @pytest.mark.parametrize("words", [["--colour"], ["--color", "auto"], ["--colour", "never"]])
    def test_no_colours_in_a_pipe(self, charrnn, trained, words):
        assert charrnn("score", *words, "corpus.txt").out == charrnn("score", "corpus.txt").out

    def test_a_terminal_gets_them_if_it_has_and_likes_them(self, monkeypatch):
        class Terminal:
            def isatty(self):
                return True

        monkeypatch.setattr(output.sys, "stdout", Terminal())
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        assert output.wants_colour("auto")
        monkeypatch.setenv("TERM", "dumb")
        assert not output.wants_colour("auto")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "")
        assert output.wants_colour("auto")
        monkeypatch.setenv("NO_COLOR", "1")
        assert not output.wants_colour("auto")
        assert output.wants_colour("always")
        assert not output.wants_colour("never")


EVERYTHING = "".join(map(chr, range(0x3100))) + "🙂\U000e0001\U0010ffff"


@pytest.mark.parametrize("text", ["", "plain ünïcödé 世界🙂", "\\t\t\\\\n\n", "\\x41", EVERYTHING])
def test_escaped_text_is_one_line_and_can_be_had_back(text):
    shown = rows.escaped(text)
    assert shown.isprintable()
    assert "\t" not in shown
    assert unescaped(shown) == text
    assert rows.escaped("plain ünïcödé 世界🙂") == "plain ünïcödé 世界🙂"


def test_escaped_bytes_can_be_had_back():
    for data in (bytes(range(256)), EVERYTHING.encode(), b"\xf0\x9f", b"\\xff\xff", os.urandom(1000)):
        shown = rows.escaped(data)
        assert shown.isprintable()
        plain = re.sub(r"[^\x00-\x7f]", lambda found: "".join(f"\\x{byte:02x}" for byte in found[0].encode()), shown)
        assert plain.encode().decode("unicode_escape").encode("latin-1") == data


def test_figures_that_are_not_finite():
    row = ScoredUnit(1, 0, 1, 1, inf, inf, None, None, None, "a")
    assert json.loads(rows.jsonl(row, "line"))["bits"] is None
    assert rows.tsv(row, "line") == "1\t0\t1\t1\tinf\tinf\ta\n"
