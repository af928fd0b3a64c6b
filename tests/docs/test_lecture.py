"""The guided tour: its code runs from top to bottom, and the files and equations it refers to exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LECTURE = ROOT / "docs" / "lecture.md"
TEXT = LECTURE.read_text(encoding="utf-8")


def blocks():
    """The Python blocks, padded with empty lines so that an error names the line of the page."""
    for match in re.finditer(r"^```python\n(.*?)^```$", TEXT, re.M | re.S):
        yield "\n" * TEXT.count("\n", 0, match.start(1)) + match[1]


def test_every_code_block_runs_and_its_assertions_hold(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    namespace, sections = {}, len(re.findall("^## ", TEXT, re.M))
    pieces = list(blocks())
    assert len(pieces) > sections
    for piece in pieces:
        exec(compile(piece, LECTURE, "exec"), namespace)
    assert sum("assert " in piece for piece in pieces) >= sections


@pytest.mark.parametrize("page", ["docs/lecture.md", "examples/README.md"])
def test_every_file_it_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:charrnn|examples|tests)/[\w/.]+)`", text))
    linked = set(re.findall(r"\]\(([\w/.]+)\)", text))
    missing = {name for name in named if not (ROOT / name).exists()}
    missing |= {name for name in linked if not (ROOT / page).parent.joinpath(name).exists()}
    assert len(named) > 5
    assert not missing


def test_every_equation_it_refers_to_is_in_the_examples():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py"))
    labels = set(re.findall(r"\(([LG]?\d+)\)", re.sub(r"```.*?```", "", TEXT, flags=re.S)))
    assert {"1", "10", "L4", "G5"} <= labels
    assert labels <= set(re.findall(r"# \(([LG]?\d+)\)", code))
