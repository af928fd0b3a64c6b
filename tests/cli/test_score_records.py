"""charrnn score on a model of records: each line by itself, as `eval` scores it, and at once."""

import json
import subprocess
import sys
from math import log

import pytest


@pytest.fixture
def names(charrnn, folder):
    lines = [a + b + c for a in ("an", "be", "ce", "do") for b in ("na", "lo", "世") for c in ("", "r", "th")]
    (folder / "names.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    charrnn("train", "names.txt", "--lines", "--steps", 30, "--hidden", 8, "--layers", 1, "--quiet")


@pytest.mark.parametrize("per", ["char", "word", "line"])
@pytest.mark.parametrize("words", [[], ["names.txt"], ["other.txt", "names.txt", "other.txt"]], ids=len)
def test_rows_add_up_to_the_figure_of_eval(charrnn, names, folder, per, words):
    (folder / "other.txt").write_text("\n\nanna\n?\n?be lo\n\n" + "ce" * 3000, encoding="utf-8")
    rows = [json.loads(line) for line in charrnn("score", *words, "--per", per, "--jsonl").out.splitlines()]
    policy = ["--unknown", "uniform"] if words else []
    whole = json.loads(charrnn("eval", *words, *policy, "--json").out)
    assert sum(row["chars"] for row in rows) == whole["chars"]
    assert sum(row["bits"] for row in rows) * log(2) / whole["chars"] == pytest.approx(whole["nats_per_char"], abs=1e-6)


def test_each_line_is_told_before_the_next_comes(names):
    command = [sys.executable, "-m", "charrnn", "score", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        expected = [[b"text\n", b"anna\n"], [], [b"beloth\n"]]
        for line, rows in zip((b"anna\n", b"\n", b"beloth\n"), expected, strict=True):
            process.stdin.write(line)
            shown = [process.stdout.readline() for _ in rows]  # would wait for ever if they did not come
            assert [row.split(b"\t")[-1] for row in shown] == rows
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0
