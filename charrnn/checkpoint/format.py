"""What is in a checkpoint: the one table that `save` writes by and `load` reads by.

The arrays come in groups; an array is named `GROUP.ARRAY` in the file, such as `raw.Whh0`. GROUPS says of each group
which arrays it has, in which range its numbers must be, and when it is present. A model of records has one more array,
`training_hashes`. Everything else is in `metadata.json`. docs/checkpoint-format.md is the format in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy.typing as npt

from ..nn.cells import CELLS
from ..nn.config import ModelConfig
from ..optim.whitening import moment_shapes

FORMAT = 4
DTYPES = ("float32", "float64")
TRAINING_HASHES = "training_hashes"
MAX_SIZE = 1 << 24  # of every size in the metadata
MAX_MOMENT = 2  # the moments of whitening are means of numbers from -1 to 1
MAX_STATE = 1e15  # an LSTM's cell grows by at most 1 a step

Shapes = dict[str, tuple[int, ...]]
Numbers = Literal["weights", "finite", "not negative", "moments", "state"]


@dataclass(frozen=True)
class Group:
    """A group of arrays: its name in the file, what it holds, which numbers (see `bounds`), and when it is present.

    It holds one of these:
    - `parameters`: an array for each parameter, `Wxh0`, `Whh0`, `bh0` ... `Why`, `by`.
    - `moments`: an array (H, H) for each matrix between hidden units, `Whh0`, `Wxh1`, `Whh1` ...
    - `state`: `h0`, `h1` ..., for an LSTM also `c0`, `c1` ..., each (H, B). The number counts the layers of the first
      network, then those of the next, and so on.

    It is present `always`, or if the run was `validated` (`best_step` is not null), or if the run has a `snapshot` to
    roll back to (`snapshot_step` is not null).
    """

    name: str
    holds: Literal["parameters", "moments", "state"]
    numbers: Numbers
    present: Literal["always", "validated", "snapshot"]

    def network_shapes(self, config: ModelConfig) -> Shapes:
        """The arrays of parameters or moments of one network, without the group's name."""
        return moment_shapes(config.shapes()) if self.holds == "moments" else config.shapes()

    def shapes(self, config: ModelConfig, batch_size: int) -> Shapes:
        """Every array of the group as it is in the file. With several networks, N is the first axis of parameters."""
        if self.holds == "state":
            numbers = range(config.layers * config.networks)
            kinds = CELLS[config.cell].STATE
            return {f"{self.name}.{kind}{n}": (config.hidden, batch_size) for n in numbers for kind in kinds}
        front = (config.networks,) if config.networks > 1 else ()
        return {f"{self.name}.{name}": front + shape for name, shape in self.network_shapes(config).items()}


GROUPS = (
    Group("raw", "parameters", "weights", "always"),  # the weights after the last step
    Group("average", "parameters", "weights", "always"),  # their average over the last steps
    Group("adam_m", "parameters", "finite", "always"),
    Group("adam_v", "parameters", "not negative", "always"),
    Group("whitening", "moments", "moments", "always"),
    Group("state", "state", "state", "always"),
    Group("best", "parameters", "weights", "validated"),  # the average after step `best_step`
    Group("snapshot", "parameters", "weights", "snapshot"),  # all of the above, except best, after `snapshot_step`
    Group("snapshot_adam_m", "parameters", "finite", "snapshot"),
    Group("snapshot_adam_v", "parameters", "not negative", "snapshot"),
    Group("snapshot_average", "parameters", "weights", "snapshot"),
    Group("snapshot_whitening", "moments", "moments", "snapshot"),
    Group("snapshot_state", "state", "state", "snapshot"),
)
# The groups of Snapshot.arrays, in its order.
SNAPSHOT_PARAMS = ("snapshot", "snapshot_adam_m", "snapshot_adam_v", "snapshot_average", "snapshot_whitening")
SNAPSHOT_STATE = "snapshot_state"


def bounds(numbers: Numbers, config: ModelConfig, dtype: npt.DTypeLike) -> tuple[float, float]:
    """The lowest and the highest value that such numbers may have. All of them must be finite as well."""
    weight = config.largest_weight(dtype)
    return {
        "weights": (-weight, weight),
        "finite": (-inf, inf),
        "not negative": (0.0, inf),
        "moments": (-MAX_MOMENT, MAX_MOMENT),
        "state": (-MAX_STATE, MAX_STATE),
    }[numbers]


# Format 3 differs only in these names: of arrays, by the part before the dot, and of metadata. {present: of format 3}
ARRAYS_OF_FORMAT_3 = {
    "raw": "last",
    "snapshot": "good",
    "snapshot_adam_m": "good_m",
    "snapshot_adam_v": "good_v",
    "snapshot_average": "good_average",
    "snapshot_whitening": "good_whitening",
    "snapshot_state": "good_state",
    TRAINING_HASHES: "known",
}
METADATA_OF_FORMAT_3 = {"bos_id": "start", "snapshot_step": "good_step", TRAINING_HASHES: "known"}
EARLIER_NAMES: dict[int, tuple[dict[str, str], dict[str, str]]] = {  # of the formats that can be read
    3: (ARRAYS_OF_FORMAT_3, METADATA_OF_FORMAT_3),
    FORMAT: ({}, {}),
}
