"""A training run: everything that is needed to continue it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from ..checks import invalid, one_of, real, whole
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
from .settings import MOST_SECONDS, CorpusInfo, Options, Schedule, TrainProgress, require


@dataclass
class Snapshot:
    """The state after `step` steps, to go back to: copies of weights, moments and average, and the carried state."""

    arrays: tuple[Params, ...]
    state: State
    step: int


class Run:
    """A training run: the network, the optimiser, the options, and how far it has come.

        >>> run = charrnn.new_run(corpus, hidden=128)
        >>> run.set_budget(steps=100)

    `train` moves it one step at a time, and between two steps it can be saved. `run.model()` is the trained model.
    A run equals only itself, and can be hashed. It cannot be copied: save it and load it again.
    """

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
        self.snapshot: Snapshot | None = None  # what to go back to if training diverges (rollback.py)
        self.training_hashes: Hashes | None = None  # of the training records, if the lines are records
        self.state = self.network.zero_state(options.batch_size) if state is None else state
        self.schedule = Schedule()
        self.progress = TrainProgress()
        self.init_from: str | None = None  # the checkpoint that gave the initial weights
        self.commands: list[str] = []
        self.elapsed = 0.0  # seconds of training and validation; nothing else here depends on the clock

    def __repr__(self) -> str:
        total = "an open number of" if self.schedule.total is None else f"{self.schedule.total:,}"
        best = self.progress.best_val_loss
        loss = "" if best is None else f", best validation loss {best:.4f} nats"
        return f"Run({self.config}, step {self.progress.step:,} of {total}{loss})"

    def __copy__(self) -> Run:
        raise TypeError("a Run cannot be copied; save it and load it again")

    def __deepcopy__(self, memo: object) -> Run:
        return self.__copy__()

    @property
    def finished(self) -> bool:
        """Whether the budget is used up."""
        return self.schedule.total is not None and self.progress.step >= self.schedule.total

    @property
    def closed(self) -> bool:
        """Whether the closing validation has been made, or there is nothing to validate on."""
        return self.progress.closing_val_loss is not None or not self.held_out_characters

    @property
    def epoch_steps(self) -> int:
        """The number of steps in which the training part is read once."""
        return epoch_chunks(self.training_characters, self.options.batch_size, self.options.seq_length)

    @property
    def training_characters(self) -> int:
        """The number of characters in the training part."""
        if self.corpus.parts:
            return self.corpus.parts[0]
        return training_length(self.corpus.characters, self.options.val_fraction)

    @property
    def held_out_characters(self) -> int:
        """The number of characters in the held-out part."""
        return self.corpus.parts[1] if self.corpus.parts else self.corpus.characters - self.training_characters

    def check_history(self) -> None:
        """Raises OptionError if the options, the budget and the progress do not fit together."""
        B, T = self.options.batch_size, self.options.seq_length
        done = self.progress.step - self.schedule.start
        require(shrink_to_text(self.training_characters, B, T) == (B, T), self.options)
        require(done >= 0 and (self.schedule.total is not None or done < WARMUP), self.schedule)

    def check(self, corpus: Corpus) -> None:
        """Raises CheckpointError if this is not the text that the run was started with."""
        same = (corpus.sha256, len(corpus.ids)) == (self.corpus.sha256, self.corpus.characters)
        if not same or corpus.vocab != self.vocab:
            raise CheckpointError(
                f"{', '.join(corpus.names)}: not the text that this checkpoint was trained on (its checksum differs); "
                "give that text, or start a new run with --init-from"
            )

    def model(self, weights: str | None = None) -> LanguageModel:
        """The model with its "best" weights by validation, or its "last" ones. None: the best if there are any.

        Both are averages of the weights over the steps before (see `Adam`).
        """
        if weights is not None:
            one_of("weights", weights, ("best", "last"))
        if weights == "best" and self.best is None:
            raise OptionError("weights: there are no best ones, because there was no validation; use the last")
        params = self.adam.average if weights == "last" or self.best is None else self.best
        return LanguageModel(
            make_network(self.config, params), self.vocab, self.bos_id, self.options.lines, self.training_hashes
        )

    def set_budget(self, steps: int | None = None, seconds: float | None = None, max_steps: int | None = None) -> None:
        """Give the run a new budget: so many more steps, or as many as fit into so many seconds, up to `max_steps`.

        The budget has a warm-up and a learning-rate decay of its own. Raises OptionError unless exactly one of `steps`
        and `seconds` is given.
        """
        if (steps is None) == (seconds is None):
            raise OptionError("budget: give either steps or seconds")
        step = self.progress.step
        self.schedule = Schedule(
            start=step,
            total=None if steps is None else step + whole("steps", steps),
            val_every=self.options.val_every,
            seconds=None if seconds is None else _budget_seconds(seconds),
            most_steps=None if max_steps is None else whole("max_steps", max_steps),
        )
        self.progress.best_val_loss = self.progress.closing_val_loss = None
        self.snapshot = None


def _budget_seconds(seconds: float) -> float:
    number = real("seconds", seconds, highest=MOST_SECONDS)
    if number == 0:
        raise invalid("seconds", seconds, "a number above 0")
    return number
