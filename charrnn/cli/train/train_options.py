"""The options of `charrnn train` that decide what a run is, as one typed record."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...training.settings import Options

SHAPE = ("cell", "hidden", "layers", "networks")
OPTIONS = tuple(field.name for field in fields(Options) if field.name not in ("shards", "threads"))
BUDGETS = ("minutes", "epochs", "steps")


@dataclass(frozen=True)
class TrainOptions:
    """The values of the options; None where an option was not given and has no fixed default.

    `explicit` holds the names of the parameters that were given on the command line.
    """

    explicit: frozenset[str]
    minutes: float | None
    epochs: float | None
    steps: int | None
    cell: str
    hidden: int | None
    layers: int | None
    networks: int | None
    dropout: float | None
    recurrent_dropout: float | None
    batch_size: int
    seq_length: int
    lr: float | None
    grad_clip: float
    weight_decay: float
    val_fraction: float
    val_every: int | None
    seed: int
    encoding: str
    as_bytes: bool
    lines: bool
    init_from: str | None
    force: bool

    @property
    def has_budget(self) -> bool:
        return not self.explicit.isdisjoint(BUDGETS)

    def run_options(self, dropout: float, lr: float) -> Options:
        """The options of a new run, where `dropout` and `lr` have been chosen."""
        return Options(
            dropout=dropout,
            recurrent_dropout=dropout if self.recurrent_dropout is None else self.recurrent_dropout,
            batch_size=self.batch_size,
            seq_length=self.seq_length,
            lr=lr,
            grad_clip=self.grad_clip,
            weight_decay=self.weight_decay,
            val_fraction=self.val_fraction,
            val_every=self.val_every,
            seed=self.seed,
            lines=self.lines,
        )
