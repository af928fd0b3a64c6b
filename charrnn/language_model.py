"""A network together with the characters it speaks."""

from __future__ import annotations

from dataclasses import dataclass

from .nn.ensemble import Network
from .text.records import Hashes, lay_out
from .text.vocab import Ids, Vocab


@dataclass(frozen=True)
class LanguageModel:
    """What `sample`, `evaluate` and `score` need of a trained model.

    `bos_id` is the id of the character that is read first where no prime is given: a newline, or the first character of
    the training text if that has no newline. `records`: is it a model of records, one a line, each read from the zero
    state after a newline? Then `training_hashes` has the hashes of those it learnt from.
    """

    network: Network
    vocab: Vocab
    bos_id: int
    records: bool = False
    training_hashes: Hashes | None = None

    @property
    def reset_id(self) -> int | None:
        """The id at which, when it is read, the state starts again at zero; None where it never does."""
        return self.bos_id if self.records else None

    def lay_out(self, ids: Ids) -> Ids:
        """A text as this model reads it: as it stands or, for a model of records, a newline and then every line."""
        return lay_out(ids, self.bos_id) if self.records else ids
