"""Pipes, terminals, locales, closed streams and full disks. Each command runs in its own process."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from charrnn import load

CHARRNN = f"{sys.executable} -m charrnn"
SMALL = ("--hidden", "4", "--layers", "1", "--batch-size", "4", "--steps", "2")
C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.fixture
def bash(folder):
    """Run a line in bash, where $CHARRNN is the program."""

    def bash(line, **env):
        env = os.environ | {"CHARRNN": CHARRNN} | env
        return subprocess.run(["bash", "-c", line], env=env, capture_output=True, timeout=60, check=False)

    return bash


@pytest.mark.parametrize("command", ["sample --seed 1", "sample -n 9 --seed 1 -0"])
def test_into_head(bash, trained, command):
    """The output is far larger than a pipe's buffer, and the reader stops after the first lines."""
    result = bash(f"$CHARRNN {command} --length 1000000 | head -c 100; echo ${{PIPESTATUS[0]}}")
    assert result.stderr == b""
    assert result.stdout[100:] == b"0\n"
    assert result.stdout[:100] == bash(f"$CHARRNN {command} --length 100").stdout[:100]


@pytest.mark.parametrize(
    "command", ["sample --length 5 --seed 1", "eval", "eval --json", "score", "info", "info --json"]
)
def test_a_pipe_without_a_reader(bash, trained, command):
    """The reader of the pipe is gone before anything is written."""
    result = bash(f"{{ sleep 0.3; $CHARRNN {command}; echo $? >&2; }} | true")
    assert result.stderr == b"0\n"


@pytest.mark.parametrize(
    "command", ["sample --length 5 --seed 1", "eval", "score", "info --json", "--help", "--version", "eval --help"]
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk(bash, trained, command):
    result = bash(f"$CHARRNN {command} > /dev/full")
    assert result.returncode == 1
    assert result.stderr == b"charrnn: output: No space left on device\n"


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-"])
@pytest.mark.parametrize(
    "command",
    [
        "train corpus.txt -c new.npz --steps 2 --hidden 3 --val-every 1",
        "train - -c new.npz --steps 2 --hidden 3",
        "sample --length 5",
        "sample --length 5 --prime-file -",
        "sample --length 5 --json",
        "eval",
        "eval - --json",
        "score -",
        "info",
        "info --json",
    ],
)
def test_closed_streams(bash, trained, command, stream):
    """A command succeeds or fails with one line; training succeeds even if its messages cannot be written."""
    result = bash(f"$CHARRNN {command} {stream} < corpus.txt" if stream != "<&-" else f"$CHARRNN {command} <&-")
    assert result.returncode in (0, 1), result.stderr
    assert b"Traceback" not in result.stderr
    assert b"Exception ignored" not in result.stderr
    if stream == ">&-" and not command.startswith("train"):
        assert result.stderr.endswith(b"charrnn: standard output: it is closed; redirect it to a file or a pipe\n")
        assert result.returncode == 1
    if command.startswith("train") and (stream != "<&-" or "corpus.txt" in command):
        assert result.returncode == 0
        assert load("new.npz").progress.step == 2


@pytest.mark.parametrize("env", [C_LOCALE, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
def test_a_pipe_gets_utf8_in_any_locale(shell, trained, env):
    words = ("sample", "--length", 300, "--seed", 1, "--temp", 2)
    plain, result = shell(*words), shell(*words, env=env)
    assert result.stdout == plain.stdout
    assert any(c in result.stdout.decode() for c in "世界🙂ï")
    assert result.stderr == b""


@pytest.mark.parametrize("env", [C_LOCALE, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
@pytest.mark.parametrize(
    "command", ["info", "info --json", "eval é世.txt", "train é世.txt -c n.npz --steps 1 --hidden 2"]
)
def test_characters_that_the_locale_lacks(shell, trained, folder, text, env, command):
    """Such characters may be replaced in what is shown, but the command does not fail."""
    (folder / "é世.txt").write_text(text, encoding="utf-8")
    result = shell(*command.split(), env=env)
    assert (result.returncode, b"Traceback" in result.stderr) == (0, False), result.stderr.decode()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_a_file_name_that_is_not_utf8(shell, folder, text):
    name = b"\xff\xfe.txt"
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    for words in (
        ["train", name, *SMALL],
        ["info"],
        ["info", "--json"],
        ["eval"],
        ["eval", name],
        ["train", "--resume"],
    ):
        result = shell(args=[sys.executable, "-m", "charrnn", *words], env={"PYTHONIOENCODING": "utf-8:strict"})
        assert result.returncode == 0, result.stderr.decode()


class TestStandardInput:
    def test_as_the_corpus(self, shell, folder, text):
        result = shell("train", "-", *SMALL, input=text.encode())
        assert (result.returncode, result.stdout) == (0, b"")
        assert shell("train", "corpus.txt", "-c", "file.npz", *SMALL).returncode == 0
        ours, theirs = load("charrnn.npz"), load("file.npz")
        assert ours.corpus.sha256 == theirs.corpus.sha256
        assert (ours.network.params.flat == theirs.network.params.flat).all()

        result = shell("eval")
        assert result.returncode == 1
        assert b"standard input" in result.stderr
        assert shell("train", "--resume", "--steps", 1).returncode == 2
        assert shell("train", "-", "--resume", "--steps", 1, input=text.encode()).returncode == 0
        assert load("charrnn.npz").progress.step == 3
        for other in (text + "!", text[:-1] + "!", text[:-1]):
            result = shell("train", "-", "--resume", "--steps", 1, input=other.encode())
            assert result.returncode == 1
            assert re.search(b"checksum|more than .* characters", result.stderr)

    def test_bad_bytes_and_nothing(self, shell, folder):
        result = shell("train", "-", *SMALL, input=b"abc\xff")
        assert result.stderr.startswith(b"charrnn: standard input: not utf-8 at byte offset 3 (0xff")
        result = shell("train", "-", *SMALL, input=b"")
        assert result.stderr.startswith(b"charrnn: standard input: is empty")
        assert shell("train", "-", "--bytes", *SMALL, input=b"abc\xff").returncode == 0

    def test_beside_a_file(self, shell, folder, text):
        (folder / "head").write_text(text[:100], encoding="utf-8")
        assert shell("train", "head", "-", *SMALL, input=text[100:].encode()).returncode == 0
        assert json.loads(shell("info", "--json").stdout)["corpus"]["characters"] == len(text)


def in_a_terminal(*words, **env):
    """Run a command in a new terminal: the exit status, and what was on the screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-m", "charrnn", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | env) as process:
        os.close(theirs)
        screen = b""
        with contextlib.suppress(OSError):  # how a terminal says that there is no more
            while piece := os.read(ours, 4096):
                screen += piece
        os.close(ours)
    return process.returncode, screen.replace(b"\r\n", b"\n")


class TestTerminal:
    def test_training_shows_a_bar_and_samples(self, folder):
        status, screen = in_a_terminal("train", "corpus.txt", *SMALL, "--steps", "900", "--val-every", "300")
        assert status == 0
        shown = screen.decode()
        assert re.search(r"\d+%\|.*\| \d+/900 steps, [\d,]+ chars/s, train \d.\d+, val \d.\d+ bpc, .* left", shown)
        samples = re.findall(r"^.*step (?:300|600|900) of 900, .* bpc\n    \S", shown, re.MULTILINE)
        assert len(samples) == 3

    def test_quiet_is_quiet(self, folder):
        assert in_a_terminal("train", "corpus.txt", *SMALL, "--quiet") == (0, b"")

    def test_a_terminal_that_is_not_utf8(self, trained, shell):
        words = ("sample", "--length", "300", "--seed", "1", "--temp", "2")
        status, screen = in_a_terminal(*words, PYTHONIOENCODING="latin-1")
        plain = shell(*words).stdout.decode()
        assert status == 0
        assert screen == plain.encode("latin-1", "replace") + b"\n"
        assert "世" in plain

    def test_a_terminal_that_closes_does_not_stop_training(self, folder):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "charrnn", "train", "corpus.txt", *SMALL, "--steps", "300"]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
            os.close(theirs)
            os.read(ours, 10)
            os.close(ours)
        assert process.returncode == 0
        assert load("charrnn.npz").progress.step == 300
