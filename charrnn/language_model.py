"""A network together with the characters it speaks."""

from __future__ import annotations

from dataclasses import dataclass

from .nn.model import Model
from .text.records import Hashes, lay_out
from .text.vocab import Ids, Vocab


@dataclass(frozen=True)
class LanguageModel:
    """What `sample` and `evaluate` need of a trained model.

    `start` is the id of the character that is read first where no prime is given: a newline, or the first character of
    the training text if that has no newline. A model of records (`train --lines`) has `known`, the hashes of its
    training records; what it reads is laid out as in `text.records`, and its state starts again with every newline.
    """

    network: Model
    vocab: Vocab
    start: int
    known: Hashes | None = None

    @property
    def lines(self) -> bool:
        """Is it a model of records, one a line?"""
        return self.known is not None

    @property
    def restart(self) -> int | None:
        """The id with which the state starts again at zero: the newline, in a model of records."""
        return self.start if self.lines else None

    def lay_out(self, ids: Ids) -> Ids:
        """A text as this model reads it: as it stands or, for a model of records, a newline and then every line."""
        return lay_out(ids, self.start) if self.lines else ids
