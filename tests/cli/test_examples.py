"""Every example in the commands' help and in the README works when it is pasted into a shell or into Python.

The examples run in a folder that has the files they name. Only the budget differs: training takes a few steps.
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
    """The README's commands in their order: in code blocks, after a `$` or alone, and in the table."""
    page = README.read_text(encoding="utf-8")
    commands = page.partition("## Commands\n")[2].partition("\n## ")[0]
    yield from re.findall(r"^    \$ (charrnn .*)$", page.partition("## Commands\n")[0], re.MULTILINE)
    yield from re.findall(r"^    (charrnn .*?)(?:  +#.*)?$", commands, re.MULTILINE)
    yield from (line for line in re.findall(r"`(charrnn [^`]+)`", commands) if "COMMAND" not in line)
    yield from re.findall(r"^    \$ (charrnn .*)$", page.partition("## Commands\n")[2], re.MULTILINE)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The bytes of the files that the examples name, among them small models; by their paths in the folder."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "data").mkdir()
    files = {"corpus.txt": PLAY * 40, "other.txt": PLAY[20:] * 9, "data/shakespeare.txt": "HAMLET.\n" * 99}
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
    run(folder, "charrnn train data/shakespeare.txt -c data/demo.npz --steps 5 --hidden 8 --quiet")
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(folder, line):
    """Run a line in a shell with the charrnn under test; its standard input is one line of text."""
    line = re.sub(r"--(minutes|epochs) [\d.]+", BUDGET, line)
    if "--steps" not in line:
        line = line.replace("charrnn train", f"charrnn train {BUDGET}")
    function = f'charrnn() {{ {shlex.quote(sys.executable)} -m charrnn "$@"; }}'
    command = ["bash", "-c", f"set -o pipefail\n{function}\n{line}"]
    return subprocess.run(command, cwd=folder, input=b"ROMEO:\n", capture_output=True, timeout=120, check=False)


@pytest.fixture
def workplace(prepared, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    for name, data in prepared.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", list(help_examples()))
def test_help_example_works(workplace, line):
    words = shlex.split(line)
    if words[1] == "train" and "--resume" not in line:
        made = words[words.index("-c") + 1] if "-c" in words else "charrnn.npz"
        (workplace / made).unlink(missing_ok=True)
    result = run(workplace, line)
    assert result.returncode == 0, result.stderr.decode()


def test_readme_commands_work_one_after_the_other(workplace):
    for name in ("charrnn.npz", "names.npz"):
        (workplace / name).unlink()
    lines = list(readme_examples())
    assert len(lines) >= 15
    for line in lines:
        result = run(workplace, line)
        assert result.returncode == 0, (line, result.stderr.decode())


def test_readme_python_example_works(workplace, capsys):
    block = README.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    for shown, small in (("steps=500", "steps=3"), ("hidden=128", "hidden=8"), ("some text", "the moons")):
        assert shown in block
        block = block.replace(shown, small)
    exec(block, {})
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[:3] + printed[-2:]] == ["1", "2", "3", "the", "moons"]


@pytest.mark.parametrize("name", ["eval", "sample", "score"])
def test_every_option_of_a_command_is_in_an_example_of_its_help(name):
    shared = {"-c", "--encoding", "--threads", "--weights", "--null", "--prime-file"}
    words = {word for line in help_examples() for word in shlex.split(line) if line.startswith(f"charrnn {name} ")}
    unseen = [option.opts for option in main.commands[name].params if not (words | shared) & set(option.opts)]
    assert [opts for opts in unseen if opts[0].startswith("-")] == []
