"""Every example, of each command's help and of the README, does what it is for when it is pasted into a shell.

They run in a folder with the files they name. The clock alone is spared: training takes a few steps, not minutes.
"""

import gzip
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import charrnn
from charrnn.cli import main

BUDGET = "--steps 3"
README = Path(charrnn.__file__).parent.parent / "README.md"
PLAY = "ROMEO: the dog sees 10 moons!\nJULIET: it runs, naïve. The end? No.\n\n"


def help_examples():
    for name in sorted(main.commands):
        for line in inspect.cleandoc(main.commands[name].help or "").partition("Examples:")[2].splitlines():
            if line.strip():
                yield line.strip()


def readme_examples():
    """The commands on the text of one's own, in their order, those in tables, and those on lists."""
    page = README.read_text(encoding="utf-8")
    commands, lists = (page.partition(f"## {title}")[2].partition("\n## ")[0] for title in ("Commands\n", "Lists"))
    yield from re.findall(r"^    (charrnn .*?)(?:  +#.*)?$", commands, re.MULTILINE)
    yield from (line for line in re.findall(r"`(charrnn [^`]+)`", commands) if "COMMAND" not in line)
    yield from re.findall(r"^    \$ (charrnn .*)$", lists, re.MULTILINE)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The files that examples name, and the bytes of two small models, one of them the checkpoint of a default run."""
    folder = tmp_path_factory.mktemp("examples")
    files = {"corpus.txt": PLAY * 40, "other.txt": PLAY[20:] * 9}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "program.c.gz").write_bytes(gzip.compress(b"int main(void) { return 0; }\n" * 40))
    names = [
        f"{first}{last}\n" for first in ("mar", "an", "jo") for last in ("a", "ia", "tha", "ina", "k", "lene", "es")
    ]
    (folder / "names.txt").write_text("".join(names), encoding="utf-8")
    (folder / "more-names.txt").write_text("joa\nmarina\n", encoding="utf-8")
    run(folder, "charrnn train names.txt --lines -c names.npz --steps 60 --hidden 8 --quiet")
    for name in ("charrnn.npz", "other.npz"):
        run(folder, f"charrnn train corpus.txt -c {name} --steps 5 --hidden 8 --quiet --force")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run(folder, line):
    """A line as it is pasted, with the program that is being tested; it finds a line of text on standard input."""
    line = re.sub(r"--(minutes|epochs) [\d.]+", BUDGET, line)
    if "--steps" not in line:
        line = line.replace("charrnn train", f"charrnn train {BUDGET}")
    function = f'charrnn() {{ {shlex.quote(sys.executable)} -m charrnn "$@"; }}'
    command = ["bash", "-c", f"set -o pipefail\n{function}\n{line}"]
    return subprocess.run(command, cwd=folder, input=b"ROMEO:\n", capture_output=True, timeout=120, check=False)


@pytest.fixture
def workplace(prepared, tmp_path, monkeypatch):
    for name, data in prepared.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", list(help_examples()))
def test_the_examples_of_the_help(workplace, line):
    words = shlex.split(line)
    if words[1] == "train" and "--resume" not in line:
        made = words[words.index("-c") + 1] if "-c" in words else "charrnn.npz"
        (workplace / made).unlink(missing_ok=True)
    result = run(workplace, line)
    assert result.returncode == 0, result.stderr.decode()


def test_the_examples_of_the_readme(workplace):
    """One after the other, as they stand there."""
    for name in ("charrnn.npz", "names.npz"):
        (workplace / name).unlink()
    lines = list(readme_examples())
    assert len(lines) >= 10
    for line in lines:
        result = run(workplace, line)
        assert result.returncode == 0, (line, result.stderr.decode())


@pytest.mark.parametrize("name", ["eval", "sample", "score"])
def test_every_option_of_its_own_is_in_an_example_of_the_help(name):
    shared = {"-c", "--encoding", "--threads", "--weights", "--null", "--prime-file"}
    words = {word for line in help_examples() for word in shlex.split(line) if line.startswith(f"charrnn {name} ")}
    unseen = [option.opts for option in main.commands[name].params if not (words | shared) & set(option.opts)]
    assert [opts for opts in unseen if opts[0].startswith("-")] == []
