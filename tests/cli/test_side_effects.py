"""Audit hooks (PEP 578) on every command: no network access, no other program started, only named files written."""

import json
import os
import sys

import pytest

WATCH = """
import json, os, sys

seen = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
CHANGES = ("rename", "remove", "mkdir", "rmdir", "link", "symlink", "chmod", "chown", "truncate", "utime", "mkfifo")

def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and not isinstance(args[0], int):
        seen.append((event, os.fsdecode(args[0])))
    elif event.startswith("socket.") and event != "socket.__new__":
        seen.append((event, ""))
    elif event == "socket.__new__" and args[1] != 1:  # of the machine itself: AF_UNIX
        seen.append((event, str(args[1])))
    elif event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "os.startfile", "pty.spawn"):
        seen.append((event, str(args[0])))
    elif event.startswith(("urllib.", "ftplib.", "http.", "smtplib.", "webbrowser.", "shutil.", "tempfile.")):
        seen.append((event, str(args)))
    elif event.split(".")[-1] in CHANGES and event.startswith("os."):
        seen.extend((event, os.fsdecode(arg)) for arg in args if isinstance(arg, (str, bytes, os.PathLike)))

sys.addaudithook(watch)
from charrnn.cli import main
try:
    main(sys.argv[1:], prog_name="charrnn")
finally:
    print(json.dumps(seen), file=sys.stderr)
"""
SMALL = "--hidden 4 --layers 1 --batch-size 4 --steps 4 --val-every 2 --save-every 0 --force"
COMMANDS = {
    f"train corpus.txt -c new.npz --log new.jsonl --threads 2 {SMALL}": {"new.npz", "new.jsonl"},
    f"train corpus.txt -c new.npz --init-from charrnn.npz {SMALL}".replace("--hidden 4 --layers 1 ", ""): {"new.npz"},
    "train --resume --steps 2": {"charrnn.npz"},
    "eval --threads 2 --json": set(),
    "sample --length 20 -n 3 --prime-file corpus.txt": set(),
    "info -c nowhere.npz": set(),
}


def belongs(path, named):
    """Whether a path is a named file, or a temporary file, lock or backup beside one."""
    folder, name = os.path.split(os.path.abspath(path))
    return folder == os.getcwd() and any(name == other or name.strip(".").startswith(other) for other in named)


@pytest.mark.parametrize("line", COMMANDS)
def test_only_named_files_are_touched(shell, trained, folder, line):
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = shell(args=[sys.executable, "-c", WATCH, *line.split()], env=env)
    assert result.returncode == (1 if "nowhere" in line else 0), result.stderr.decode()
    seen = json.loads(result.stderr.splitlines()[-1])
    stray = [
        (event, path) for event, path in seen if path not in (os.devnull, "") and not belongs(path, COMMANDS[line])
    ]
    assert stray == []
    assert not [event for event, _ in seen if event.startswith("socket.")]
    assert bool(seen) == bool(COMMANDS[line])
    changed = {path.name for path in folder.iterdir() if before.get(path.name) != path.read_bytes()}
    assert all(belongs(name, COMMANDS[line]) for name in changed)


def test_the_audit_hook_sees_what_it_should(shell, folder):
    code = WATCH.split("from charrnn")[0] + (
        "import socket, subprocess\n"
        "open('a', 'w').close(); os.rename('a', 'b'); os.remove('b'); subprocess.run(['true'])\n"
        "socket.socket().close(); socket.getaddrinfo('localhost', 80)\n"
        "print(json.dumps(sorted({event for event, _ in seen})))"
    )
    result = shell(args=[sys.executable, "-c", code])
    expected = {"open", "os.rename", "os.remove", "subprocess.Popen", "socket.__new__", "socket.getaddrinfo"}
    assert expected <= set(json.loads(result.stdout)), result.stderr.decode()
