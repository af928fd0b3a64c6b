"""A fixture that writes a file to read."""

import pytest


@pytest.fixture
def store(tmp_path):
    def store(data, name="text.txt"):
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return store
