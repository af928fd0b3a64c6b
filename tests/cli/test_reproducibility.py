"""The same command gives the same bytes: in a new process, in a terminal, with a log, with more frequent saves."""

import contextlib
import os
import pty
import shlex
import subprocess
import sys

import pytest
from support.checkpoint_content import content

TRAIN = shlex.split(
    "train corpus.txt --cell gru --hidden 9 --layers 2 --batch-size 16 --seq-length 12 --dropout 0.2 "
    "--recurrent-dropout 0.1 --steps 60 --weight-decay 0.01 --val-every 20 --threads 2"
)


@pytest.fixture
def whole(charrnn):
    """The checkpoint that the command makes in this process, with --quiet."""
    charrnn(*TRAIN, "--quiet")
    result = content("charrnn.npz")
    os.unlink("charrnn.npz")
    return result


@pytest.mark.parametrize("extra", [[], ["--log", "log", "--log-every", "1", "--save-every", "0"]], ids=" ".join)
def test_in_a_new_process(shell, whole, extra):
    result = shell(*TRAIN, *extra, env={"PYTHONHASHSEED": str(len(extra))})
    assert result.returncode == 0, result.stderr
    assert content("charrnn.npz") == whole


def test_in_a_terminal_where_samples_are_drawn(folder, whole):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "charrnn", *TRAIN], stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        screen = b""
        with contextlib.suppress(OSError):  # how a terminal says that there is no more
            while piece := os.read(ours, 4096):
                screen += piece
        os.close(ours)
    assert process.returncode == 0, screen
    assert b"step 20 of 60" in screen
    assert content("charrnn.npz") == whole
