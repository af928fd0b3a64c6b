"""Arrays and metadata to write to an archive, and a way to read them back."""

import numpy as np

from charrnn.files.archive import Archive

ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "big.endian": np.arange(3, dtype=">f8"),
    "columns": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "strided": np.arange(10.0)[::2],
    "empty": np.zeros((0, 4), np.float32),
    "single": np.array([np.pi]),
}
DATA = {"text": "é世🙂\n\0", "list": [1, 2.5, None, True], "deeper": {"a": {}}}


def read(path, name="weights", like=None):
    like = ARRAYS[name] if like is None else like
    with Archive(path) as opened:
        return opened.read(name, like.shape, like.dtype)
