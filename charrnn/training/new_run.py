"""A run before its first step: from nothing, or from the weights of another model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..language_model import LanguageModel
from ..nn.config import ModelConfig
from ..nn.init import initial_params
from ..nn.params import Params
from ..parallel.partition import shard_count
from ..text.batches import shrink_to_text
from ..text.corpus import Corpus
from ..text.vocab import Vocab
from .memory import training_memory
from .run import Run
from .settings import CorpusInfo, Options, split


def new_run(
    corpus: Corpus,
    cell: str = "lstm",
    hidden: int = 256,
    layers: int = 2,
    options: Options | None = None,
    init_from: LanguageModel | None = None,
    dtype: npt.DTypeLike = np.float32,
    networks: int = 1,
    threads: int = 1,
) -> Run:
    """A run that has not made a step. The batch and sequence shrink to what the training part is long enough for.

    `networks`: so many, whose probabilities are averaged. `threads`: how many are to train it; with more than one it
    decides the shares of a batch (`options.shards`), which do not change when others go on. With `init_from` the
    network has that model's shape and weights, as far as they go (see `transfer`); the corpus must then have been read
    with its vocabulary. Raises OptionError for a network that the machine's memory cannot hold.
    """
    options = options or Options()
    training, _ = split(corpus, options)
    batch_size, seq_length = shrink_to_text(len(training), options.batch_size, options.seq_length)
    options = replace(options, batch_size=batch_size, seq_length=seq_length, shards=min(options.shards, batch_size))
    if init_from:
        shape = init_from.network.config
        cell, hidden, layers, networks = shape.cell, shape.hidden, shape.layers, shape.networks
    config = ModelConfig(len(corpus.vocab), cell, hidden, layers, networks)
    if threads > 1 or options.shards == 1:
        options = replace(options, shards=shard_count(threads, networks, batch_size), threads=threads)
    training_memory(config, options, corpus, threads)
    params = initial_params(config, options.seed, dtype)
    if init_from:
        transfer(init_from.network.params, init_from.vocab, params, corpus.vocab)
    start = int(training[0]) if options.lines else first_to_read(corpus)
    run = Run(config, options, corpus.vocab, start, CorpusInfo.of(corpus, options), params)
    if options.lines:
        run.training_hashes = corpus.records(options.val_fraction, options.seed).known
    return run


def first_to_read(corpus: Corpus) -> int:
    """The id to begin a text with: a newline if the corpus has one, else its first character."""
    newline, missing = corpus.vocab.encode("\n", "skip")
    found = not missing and bool((corpus.ids == newline[0]).any())
    return int(newline[0] if found else corpus.ids[0])


def transfer(old: Params, old_vocab: Vocab, new: Params, new_vocab: Vocab) -> None:
    """Give `new` the weights of `old`; the rows and columns that belong to a character go where that character is now.

    Those of characters that `old_vocab` lacks stay as they are. Every character of `old_vocab` must be in `new_vocab`.
    """
    moved, _ = new_vocab.encode(old_vocab.decode(np.arange(len(old_vocab))))
    for name, view in new.items():
        if name in ("Wxh0", "by"):
            view[..., moved] = old[name]
        elif name == "Why":
            view[..., moved, :] = old[name]
        else:
            view[...] = old[name]
