"""A network together with the characters it speaks."""

from __future__ import annotations

from dataclasses import dataclass

from .nn.model import Model
from .text.vocab import Vocab


@dataclass(frozen=True)
class LanguageModel:
    """What `sample` and `evaluate` need of a trained model.

    `start` is the id of the character that is read first where no prime is given: a newline, or the first character of
    the training text if that has no newline.
    """

    network: Model
    vocab: Vocab
    start: int
