"""Typed records of a run: its options, its text, its budget and its progress. Each checks its values when made."""

from __future__ import annotations

from dataclasses import dataclass, field
from reprlib import repr as short

from ..checks import MOST, real, switch, whole
from ..errors import OptionError
from ..nn.dropout import Dropout

SEEDS = 1 << 63
MOST_SHARDS = 1024
MOST_SECONDS = 1e9  # of a budget


def require(holds: bool, record: object) -> None:
    """Raises OptionError if the values of a record do not fit together. For records that come from a checkpoint."""
    if not holds:
        values = ", ".join(f"{name} {short(value)}" for name, value in vars(record).items())
        raise OptionError(f"impossible values: {values}")


@dataclass(frozen=True)
class Options:
    """What the result of a run depends on, besides the text, the shape of the network and the number of steps.

        >>> charrnn.Options(dropout=0.2, batch_size=64, seed=7)

    Options are compared and hashed by their values. Raises OptionError for a value that is not possible.
    """

    dropout: float = 0.1  # of each layer's outputs at the end of the budget; it grows from zero
    recurrent_dropout: float = 0.0  # the same, of each layer's Whh
    batch_size: int = 32  # B, the number of streams
    seq_length: int = 64  # T, the characters of each stream in a step
    lr: float = 1e-2  # the highest learning rate of the schedule
    grad_clip: float = 1.0  # the largest norm of a gradient; 0 for no clipping
    weight_decay: float = 0.0
    val_fraction: float = 0.1  # of the text, held out for validation
    val_every: int | None = None  # steps; None: chosen when the number of steps is known
    seed: int = 1
    shards: int = 1  # into which each batch is split
    lines: bool = False  # each line is a record
    threads: int = 0  # that `shards` was chosen for; 0 in files that do not record it

    def __post_init__(self) -> None:
        for name in ("batch_size", "seq_length"):
            self._set(name, whole(name, getattr(self, name)))
        self._set("shards", whole("shards", self.shards, 1, min(MOST_SHARDS, self.batch_size)))
        self._set("threads", whole("threads", self.threads, 0))
        self._set("seed", whole("seed", self.seed, 0, SEEDS - 1))
        if self.val_every is not None:
            self._set("val_every", whole("val_every", self.val_every))
        for name in ("lr", "grad_clip", "weight_decay"):
            self._set(name, real(name, getattr(self, name)))
        for name in ("dropout", "recurrent_dropout", "val_fraction"):
            self._set(name, real(name, getattr(self, name), below=1))
        self._set("lines", switch("lines", self.lines))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the way to set a field of a frozen dataclass

    @property
    def max_dropout(self) -> Dropout:
        """The dropout at the end of the budget."""
        return Dropout(self.dropout, self.recurrent_dropout)


@dataclass(frozen=True)
class CorpusInfo:
    """Where the training text is, and what identifies it."""

    names: tuple[str, ...]
    encoding: str | None
    sha256: str
    characters: int
    parts: tuple[int, int] | None = None  # training and held-out characters, for records

    def __post_init__(self) -> None:
        require(len(self.names) > 0 and not any("\0" in name for name in self.names), self)
        require(2 <= self.characters < MOST, self)
        require(self.encoding is None or (self.encoding.isascii() and self.encoding.isprintable()), self)
        if self.parts is not None:
            training, held_out = self.parts
            require(2 <= training < MOST and (held_out == 0 or 2 <= held_out < MOST), self)


@dataclass
class Schedule:
    """The current budget: from step `start` to step `total`, which is None until a budget in seconds became steps."""

    start: int = 0
    total: int | None = None
    val_every: int | None = None
    seconds: float | None = None
    most_steps: int | None = None  # the limit for a budget in seconds

    def __post_init__(self) -> None:
        counts = (self.total or 0, self.val_every or 1, self.most_steps or 1)
        require(0 <= self.start < MOST and min(counts) >= 0 and max(counts) < MOST, self)
        require(self.total is None or self.total >= self.start, self)
        require(self.val_every is None or self.val_every >= 1, self)
        require(self.seconds is None or 0 < self.seconds <= MOST_SECONDS, self)


@dataclass
class TrainProgress:
    """How far a run has come."""

    step: int = 0
    best_step: int | None = None
    best_val_loss: float | None = None
    validations: list[tuple[int, float]] = field(default_factory=list)  # step, nats per character
    closing_val_loss: float | None = None  # of the best weights, over the whole held-out part
    recoveries: list[tuple[int, int]] = field(default_factory=list)  # the step that diverged, that of the snapshot

    def __post_init__(self) -> None:
        require(0 <= self.step < MOST and 0 <= (self.best_step or 0) <= self.step, self)
        require(all(0 <= good < failed < MOST for failed, good in self.recoveries), self)
        require(all(0 <= step <= self.step and loss >= 0 for step, loss in self.validations), self)
        require((self.best_val_loss or 0) >= 0 and (self.closing_val_loss or 0) >= 0, self)
