"""What two checkpoints must have in common to be of one run."""

import numpy as np

from charrnn.files.archive import METADATA, Archive


def content(path):
    """All that a resumed run must have in common with one that was never stopped."""
    with np.load(path) as saved:
        arrays = {name: saved[name].tolist() for name in saved.files if name != METADATA}
    with Archive(path) as archive:
        return arrays, {name: value for name, value in archive.metadata.items() if name != "clock"}
