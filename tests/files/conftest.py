import pytest
from support.archives import ARRAYS, DATA

from charrnn.files.archive import write_archive


@pytest.fixture
def path(tmp_path):
    write_archive(tmp_path / "some.npz", ARRAYS, DATA)
    return tmp_path / "some.npz"
