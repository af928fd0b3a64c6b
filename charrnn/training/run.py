"""A training run: everything that is needed to go on with it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import CheckpointError, OptionError
from ..language_model import LanguageModel
from ..nn.config import ModelConfig
from ..nn.ensemble import make_network
from ..nn.model import State
from ..nn.params import Params
from ..optim.adam import Adam
from ..optim.schedule import WARMUP
from ..optim.whitening import Whitening
from ..text.batches import epoch_chunks, shrink_to_text
from ..text.corpus import Corpus, training_length
from ..text.records import Hashes
from ..text.vocab import Vocab
from .settings import CorpusInfo, Options, Schedule, TrainProgress, require


@dataclass
class Snapshot:
    """A state to go back to, after `step` steps: copies of the weights, moments and average, and the carried state."""

    arrays: tuple[Params, ...]
    state: State
    step: int


class Run:
    """A training run. `training.train` moves it one step at a time; `checkpoint` saves and loads it between steps."""

    def __init__(
        self,
        config: ModelConfig,
        options: Options,
        vocab: Vocab,
        bos_id: int,
        corpus: CorpusInfo,
        params: Params,
        state: State | None = None,
    ) -> None:
        self.config = config
        self.options = options
        self.vocab = vocab
        self.bos_id = bos_id
        self.corpus = corpus
        self.network = make_network(config, params)
        self.adam = Adam(params)
        self.whitening = Whitening(params)
        self.best: Params | None = None
        self.snapshot: Snapshot | None = None  # where to go back to (recovery.py); None: to where training goes on
        self.training_hashes: Hashes | None = None  # hashes of the training records, where the lines are records
        self.state = self.network.zero_state(options.batch_size) if state is None else state
        self.schedule = Schedule()
        self.progress = TrainProgress()
        self.init_from: str | None = None  # the checkpoint that the first weights came from
        self.commands: list[str] = []
        self.elapsed = 0.0  # seconds of training and validation; the only thing here that depends on a clock

    @property
    def finished(self) -> bool:
        return self.schedule.total is not None and self.progress.step >= self.schedule.total

    @property
    def closed(self) -> bool:
        """Has the closing validation been made, or is there nothing to validate on?"""
        return self.progress.closing_val_loss is not None or not self.held_out_characters

    @property
    def epoch_steps(self) -> int:
        """How many steps it takes to read the training text once."""
        return epoch_chunks(self.training_characters, self.options.batch_size, self.options.seq_length)

    @property
    def training_characters(self) -> int:
        """How many characters there are to learn from."""
        if self.corpus.parts:
            return self.corpus.parts[0]
        return training_length(self.corpus.characters, self.options.val_fraction)

    @property
    def held_out_characters(self) -> int:
        """How many characters are kept for validation."""
        return self.corpus.parts[1] if self.corpus.parts else self.corpus.characters - self.training_characters

    def check_history(self) -> None:
        """Raises OptionError if its options, budget and progress are not those of one and the same run."""
        B, T = self.options.batch_size, self.options.seq_length
        done = self.progress.step - self.schedule.start
        require(shrink_to_text(self.training_characters, B, T) == (B, T), self.options)
        require(done >= 0 and (self.schedule.total is not None or done < WARMUP), self.schedule)

    def check(self, corpus: Corpus) -> None:
        """Raises CheckpointError if this is not the text that the run was begun with."""
        same = (corpus.sha256, len(corpus.ids)) == (self.corpus.sha256, self.corpus.characters)
        if not same or corpus.vocab != self.vocab:
            raise CheckpointError(
                f"{', '.join(corpus.names)}: not the text that this checkpoint was trained on (its checksum differs)"
            )

    def model(self, weights: str | None = None) -> LanguageModel:
        """The model with its "best" weights by validation or its "last"; None: the best if there are any.

        Both are averages over the steps before (see `Adam`).
        """
        if weights not in (None, "best", "last"):
            raise OptionError(f"weights is {weights!r}; it must be 'best' or 'last'")
        if weights == "best" and self.best is None:
            raise OptionError("there are no best weights, since nothing was validated; use the last")
        params = self.adam.average if weights == "last" or self.best is None else self.best
        return LanguageModel(
            make_network(self.config, params), self.vocab, self.bos_id, self.options.lines, self.training_hashes
        )

    def set_budget(self, steps: int | None = None, seconds: float | None = None, most_steps: int | None = None) -> None:
        """Give the run so many more steps, or as many as fit into so many seconds but `most_steps` at most.

        They get a warm-up and a decay of their own.
        """
        step = self.progress.step
        total = None if steps is None else step + steps
        self.schedule = Schedule(step, total, self.options.val_every, seconds, most_steps)
        self.progress.best_val_loss = self.progress.closing_val_loss = None
        self.snapshot = None
