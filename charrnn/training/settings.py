"""What a run is made with, what its text is, and how far it has come: typed records, each checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from reprlib import repr as short

from ..errors import OptionError
from ..nn.dropout import Dropout
from ..text.corpus import Corpus
from ..text.vocab import Ids

COUNT = 10**15  # more than any count of steps, characters or seconds
SEEDS = 1 << 63
MOST_SHARDS = 1024
MOST_SECONDS = 1e9  # of a budget


def require(holds: bool, record: object) -> None:
    """Raises OptionError if a record has a value that no run can have; the command line has narrower bounds."""
    if not holds:
        values = ", ".join(f"{name} {short(value)}" for name, value in vars(record).items())
        raise OptionError(f"no run can be like this: {values}")


@dataclass(frozen=True)
class Options:
    """What a run's result depends on, besides the text, the shape of the network and the number of steps."""

    dropout: float = 0.1  # of each layer's outputs, at the end of the budget; it grows evenly from none
    recurrent_dropout: float = 0.0  # the same, of its Whh
    batch_size: int = 32
    seq_length: int = 64
    lr: float = 1e-2
    grad_clip: float = 1.0
    weight_decay: float = 0.0
    val_fraction: float = 0.1
    val_every: int | None = None  # steps; None: chosen when the number of steps is known
    seed: int = 1
    shards: int = 1
    lines: bool = False  # each line is a record
    threads: int = 0  # that the shards were chosen for; 0: unknown

    def __post_init__(self) -> None:
        sizes = (self.batch_size, self.seq_length, self.shards, self.val_every or 1)
        amounts = (self.lr, self.grad_clip, self.weight_decay)
        require(all(1 <= size < COUNT for size in sizes) and self.val_every != 0, self)
        require(all(0 <= amount < inf for amount in amounts) and 0 <= self.seed < SEEDS, self)
        require(self.shards <= MOST_SHARDS, self)
        shares = (self.dropout, self.recurrent_dropout, self.val_fraction)
        require(all(0 <= share < 1 for share in shares) and self.shards <= self.batch_size, self)

    @property
    def max_dropout(self) -> Dropout:
        """What is dropped in the last step of the budget."""
        return Dropout(self.dropout, self.recurrent_dropout)


@dataclass(frozen=True)
class CorpusInfo:
    """What it takes to find the training text again, and to know that it is the same."""

    names: tuple[str, ...]
    encoding: str | None
    sha256: str
    characters: int
    parts: tuple[int, int] | None = None  # characters to learn from and held out, where the lines are records

    @classmethod
    def of(cls, corpus: Corpus, options: Options) -> CorpusInfo:
        training, held_out = split(corpus, options)
        parts = (len(training), len(held_out)) if options.lines else None
        return cls(corpus.names, corpus.encoding, corpus.sha256, len(corpus.ids), parts)

    def __post_init__(self) -> None:
        require(len(self.names) > 0 and not any("\0" in name for name in self.names), self)
        require(2 <= self.characters < COUNT, self)
        require(self.encoding is None or (self.encoding.isascii() and self.encoding.isprintable()), self)
        if self.parts is not None:
            training, held_out = self.parts
            require(2 <= training < COUNT and (held_out == 0 or 2 <= held_out < COUNT), self)


def split(corpus: Corpus, options: Options) -> tuple[Ids, Ids]:
    """The training part and the held-out part: of the records, or the beginning of the text and its end."""
    if options.lines:
        records = corpus.records(options.val_fraction, options.seed)
        return records.training, records.held_out
    return corpus.split(options.val_fraction)


@dataclass
class Schedule:
    """From which step to which the present budget goes. `total` is None until a budget in seconds has been measured."""

    start: int = 0
    total: int | None = None
    val_every: int | None = None
    seconds: float | None = None
    most_steps: int | None = None  # however many more would fit into those seconds

    def __post_init__(self) -> None:
        counts = (self.total or 0, self.val_every or 1, self.most_steps or 1)
        require(0 <= self.start < COUNT and min(counts) >= 0 and max(counts) < COUNT, self)
        require(self.total is None or self.total >= self.start, self)
        require(self.val_every is None or self.val_every >= 1, self)
        require(self.seconds is None or 0 < self.seconds <= MOST_SECONDS, self)


@dataclass
class TrainProgress:
    """What has come of it so far."""

    step: int = 0
    best_step: int | None = None
    best_val_loss: float | None = None
    validations: list[tuple[int, float]] = field(default_factory=list)  # step, nats per character
    closing_val_loss: float | None = None  # of the best weights, over the whole held-out part
    recoveries: list[tuple[int, int]] = field(default_factory=list)  # the step that failed, that which it went back to

    def __post_init__(self) -> None:
        require(0 <= self.step < COUNT and 0 <= (self.best_step or 0) <= self.step, self)
        require(all(0 <= good < failed < COUNT for failed, good in self.recoveries), self)
        require(all(0 <= step <= self.step and loss >= 0 for step, loss in self.validations), self)
        require((self.best_val_loss or 0) >= 0 and (self.closing_val_loss or 0) >= 0, self)
