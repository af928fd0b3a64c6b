"""charrnn sample --interactive, with a pipe and at a terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from charrnn import load_model, sample

WORDS = ("sample", "--interactive", "--seed", "3")


def lines(shell, trained, data, *words, **how):
    return shell(*WORDS, "--length", 20, *words, input=data.encode("utf-8", "surrogateescape"), **how)


def test_each_line_of_a_pipe_is_a_prime(shell, trained):
    model = load_model(trained)
    result = lines(shell, trained, "the \ndog\r\n世界")
    texts = [prime + sample(model, 20, prime, seed=3 + i) for i, prime in enumerate(["the ", "dog", "世界"])]
    assert result.stdout.decode() == "".join(text + "\n\n" for text in texts)
    assert (result.returncode, result.stderr) == (0, b"")
    bare = lines(shell, trained, "the \ndog\n世界\n", "--no-echo", "-0").stdout.decode().split("\0")
    assert bare == [text[-20:] for text in texts] + [""]


def test_an_empty_line_continues_the_last_text(charrnn, shell, trained):
    model = load_model(trained)
    first = "the " + sample(model, 20, "the ", seed=3)
    second = sample(model, 20, first, seed=4)
    assert lines(shell, trained, "the \n\n").stdout.decode() == f"{first}\n\n{second}\n\n"
    assert lines(shell, trained, "\n").stdout.decode() == sample(model, 20, seed=3) + "\n\n"


def test_an_empty_line_continues_past_the_stop_string_that_ended_the_text(shell, trained):
    result = lines(shell, trained, "the \n\n\n", "--stop", " ", "--temp", "0.5")
    first, second, third = result.stdout.decode().split("\n\n")[:3]
    assert first.startswith("the ")
    assert first.count(" ") == 1
    for text in (second, third):
        assert len(text) > 1
        assert text.rfind(" ") == 0


def test_unknown_characters_are_left_out_with_a_note(shell, trained):
    result = lines(shell, trained, "жthe Ж\udcffж\n\x1b\n", "--temp", "0")
    assert result.stdout.decode().startswith("the ")
    first, second = result.stderr.decode().splitlines()
    assert first.startswith(
        "left out 4 characters that the model does not know: 'ж' (U+0436, CYRILLIC SMALL LETTER ZHE)"
    )
    assert "(U+DCFF, no name)" in first
    assert second == "left out 1 character that the model does not know: (U+001B, no name)"


def test_options_that_exclude_interactive(charrnn, trained):
    for words in (["--prime", "a"], ["--prime-file", "corpus.txt"], ["-n", 2], ["--json"], ["--check", "corpus.txt"]):
        assert words[0] in charrnn(*WORDS, *words, status=2).err


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-"])
def test_closed_streams(shell, trained, stream):
    command = f"{sys.executable} -m charrnn {' '.join(WORDS)} --length 5 < corpus.txt {stream}"
    result = shell(args=["bash", "-c", command])
    assert result.returncode == (0 if stream == "2>&-" else 1)
    assert b"Traceback" not in result.stderr


class Terminal:
    """A command in a terminal of its own: the test presses keys and reads the screen."""

    def __init__(self, *words, **streams):
        self.ours, theirs = pty.openpty()
        how = dict.fromkeys(("stdin", "stdout", "stderr"), theirs) | streams
        command = [sys.executable, "-c", CONTROLLING.format(words=words)]
        self.process = subprocess.Popen(command, start_new_session=True, env=os.environ | {"TERM": "dumb"}, **how)
        os.close(theirs)

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def screen_until(self, pattern, seconds=30):
        """Read the screen until the pattern appears; returns what was read."""
        screen, ends = "", time.monotonic() + seconds
        while not re.search(pattern, screen):
            assert time.monotonic() < ends, f"no {pattern!r} in {screen!r}"
            screen += self.read(1)
        return screen

    def read(self, seconds):
        ready, _, _ = select.select([self.ours], [], [], seconds)
        return os.read(self.ours, 4096).decode(errors="replace").replace("\r\n", "\n") if ready else ""

    def interrupt(self, keys=""):
        """Press some keys and then Ctrl-C; wait for the next prompt."""
        self.press(keys + "\x03")
        self.screen_until("\n> $")

    def close(self):
        self.process.kill()  # if it has not ended by itself
        self.process.wait()
        os.close(self.ours)


CONTROLLING = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches this process
from charrnn.__main__ import main
sys.argv[1:] = {words}
main()
"""


@pytest.fixture
def terminal(trained):
    opened = []

    def terminal(*words, **streams):
        opened.append(Terminal(*WORDS, *words, **streams))
        return opened[-1]

    yield terminal
    for one in opened:
        one.close()


def test_at_a_terminal(terminal, trained):
    """Ctrl-C drops the line being typed, an answer follows, and Ctrl-D quits."""
    model = load_model(trained)
    window = terminal("--length", "100000000", "--stop", "dog")
    assert "Ctrl-D" in window.screen_until("> $")
    window.interrupt()
    for _ in range(60):  # some of them arrive while readline works on a key
        window.interrupt("unfini")
    window.press("the \r")
    text = sample(model, 10**8, "the ", stop="dog", seed=3)
    assert "the \nthe " + text + "\n\n> " in window.screen_until("\n\n> $")

    window.press("\x04")
    window.screen_until("\n$")
    assert window.process.wait(30) == 0


def test_ctrl_c_stops_a_text_and_the_next_line_is_answered(terminal):
    window = terminal("--length", "100000000")
    window.screen_until("> $")
    window.press("moon\r")
    window.screen_until("moon\nmoon(.|\n){50}")
    window.interrupt()
    time.sleep(0.2)  # readline shows the prompt a moment before it has set the terminal up
    window.press("runs\r")
    window.screen_until("runs\nruns(.|\n){50}")
    window.interrupt()
    assert window.process.poll() is None


def test_an_earlier_line_can_be_recalled(terminal):
    pytest.importorskip("readline")
    window = terminal("--length", "3")
    window.screen_until("> $")
    window.press("moon\r")
    window.screen_until("moon\nmoon(.|\n){3}\n\n> $")
    window.press("\x10s\r")  # Ctrl-P works like the up arrow on every terminal
    window.screen_until("moons\nmoons(.|\n){3}\n\n> $")


@pytest.mark.parametrize("typed", ["", "the \r"], ids=["at the prompt", "in a text"])
def test_a_terminal_that_is_closed(terminal, folder, typed):
    with open("err.txt", "wb") as file:
        window = terminal("--length", "100000000", stderr=file)
        window.screen_until("> $")
        window.press(typed)
        window.screen_until("the(.|\n){50}" if typed else "")
        os.close(window.ours)
        window.ours = os.open(os.devnull, os.O_RDONLY)  # for the fixture to close
        assert window.process.wait(30) >= 0  # no signal killed it
    assert "Traceback" not in (folder / "err.txt").read_text(encoding="utf-8")


def test_typed_at_a_terminal_into_a_file(terminal, folder):
    """The prompt does not go into the file."""
    with open("out.txt", "wb") as file:
        window = terminal("--length", "5", stdout=file)
        window.screen_until("> $")
        window.press("the \r")
        window.screen_until("the \n> $")
        window.press("\x04")
        window.process.wait(30)
    assert re.fullmatch(r"the (.|\n){5}\n\n", (folder / "out.txt").read_text(encoding="utf-8"))
