"""A network together with its vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .checks import invalid
from .nn.ensemble import Network
from .text.records import Hashes, lay_out
from .text.vocab import Ids, Vocab


@dataclass(frozen=True, eq=False, repr=False)
class LanguageModel:
    """A trained model: what `sample`, `evaluate` and `score` take.

        >>> model = charrnn.load_model("model.npz")
        >>> charrnn.sample(model, length=20, seed=1)

    `bos_id` is the id that is read first where a text has no prime: that of the newline, or that of the first character
    of the training text if there is no newline in it. With `records` the model is one of records, one a line, each read
    from the zero state after a newline; `training_hashes` are then the hashes of the training records.

    A model equals only itself, and can be hashed. `copy.copy` shares the weights; `copy.deepcopy` and `pickle` copy
    them.
    """

    network: Network
    vocab: Vocab
    bos_id: int
    records: bool = False
    training_hashes: Hashes | None = None

    def __repr__(self) -> str:
        kind = ", of records" if self.records else ""
        return f"LanguageModel({self.network.config}, {len(self.vocab)} {self.vocab.unit}s{kind})"

    @property
    def reset_id(self) -> int | None:
        """The id that resets the state to zero before it is read; None for a model of continuous text."""
        return self.bos_id if self.records else None

    def lay_out(self, ids: Ids) -> Ids:
        """The ids of a text in the layout that this model reads: unchanged, or for a model of records as records."""
        return lay_out(ids, self.bos_id) if self.records else ids


def check_model(name: str, model: Any) -> None:
    """Raises OptionError for what is not a LanguageModel, such as a Run."""
    if not isinstance(model, LanguageModel):
        raise invalid(name, model, "a LanguageModel: charrnn.load_model(...) or run.model()")
