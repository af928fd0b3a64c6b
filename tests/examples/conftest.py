"""Fixtures: the example files, loaded by path because they are not in a package."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def min_char_rnn():
    return load("min_char_rnn")


@pytest.fixture(scope="session")
def textbook():
    return load("textbook_steps")
