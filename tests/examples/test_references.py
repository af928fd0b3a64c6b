"""Comments in charrnn such as `# (L4)` name lines of the examples, which must exist."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

import charrnn
from charrnn.nn.cells import CELLS

PACKAGE = Path(charrnn.__file__).parent
EXAMPLES = PACKAGE.parent / "examples"
LABEL = re.compile(r"\(([LG]?\d{1,2})\)")


def labels(source):
    """The labels in the comments of a Python source; those in docstrings do not count."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {label for token in tokens if token.type == tokenize.COMMENT for label in LABEL.findall(token.string)}


def read(path):
    return path.read_text(encoding="utf-8")


def reference_labels(cell):
    """The labels of the lines of a cell's functions in textbook_steps.py."""
    source = read(EXAMPLES / "textbook_steps.py")
    lines = source.splitlines(keepends=True)
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    own = (lines[f.lineno - 1 : f.end_lineno] for f in functions if f.name.startswith(f"{cell}_"))
    return set().union(*(labels("".join(body)) for body in own))


def test_the_examples_have_labels():
    assert labels(read(EXAMPLES / "min_char_rnn.py")) == {str(number) for number in range(1, 16)}
    assert reference_labels("rnn") == {"1", "8", "10"}
    assert reference_labels("lstm") == {f"L{number}" for number in range(1, 13)}
    assert reference_labels("gru") == {f"G{number}" for number in range(1, 11)}


def test_every_label_in_charrnn_exists_in_the_examples():
    existing = set().union(*(labels(read(path)) for path in EXAMPLES.glob("*.py")))
    wrong = {
        path.name: cited - existing for path in PACKAGE.rglob("*.py") if not (cited := labels(read(path))) <= existing
    }
    assert not wrong


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_cites_every_line_of_its_reference_and_of_no_other(cell):
    assert labels(read(PACKAGE / "nn" / "cells" / f"{cell}.py")) == reference_labels(cell)


def test_the_network_the_loss_and_adam_cite_the_rest_of_min_char_rnn():
    """(15), the temperature, belongs to sampling."""
    cited = {
        name: labels(read(PACKAGE / f"{name}.py")) for name in ("nn/model", "nn/loss", "nn/cells/rnn", "optim/adam")
    }
    assert set().union(*cited.values()) == {str(number) for number in range(1, 15)}
    assert cited["nn/loss"] == {"3", "4", "5"}
    assert cited["optim/adam"] == {"11", "12", "13", "14"}
