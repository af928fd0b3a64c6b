"""The content of a checkpoint that does not depend on a clock."""

import numpy as np

from charrnn.files.archive import METADATA, Archive


def content(path):
    """All that must be equal in the checkpoints of a resumed run and of one that was never stopped."""
    with np.load(path) as saved:
        arrays = {name: saved[name].tolist() for name in saved.files if name != METADATA}
    with Archive(path) as archive:
        return arrays, {name: value for name, value in archive.metadata.items() if name != "clock"}
