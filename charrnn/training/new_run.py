"""Making a run: with random weights, or from the weights of another model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..checks import instance, invalid, one_of, whole
from ..language_model import LanguageModel, check_model
from ..nn.cells import CELLS
from ..nn.config import ModelConfig
from ..nn.init import initial_params
from ..nn.params import Params
from ..parallel.partition import shard_count
from ..text.batches import shrink_to_text
from ..text.corpus import Corpus
from ..text.vocab import Vocab
from .memory import training_memory
from .run import Run
from .settings import CorpusInfo, Options
from .split import Split, split_corpus

LARGEST_SIZE = 1 << 24  # of a network; what a checkpoint may hold
MOST_THREADS = 1024


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
    split: Split | None = None,
) -> Run:
    """A run before its first step.

        >>> run = charrnn.new_run(corpus, cell="gru", hidden=128, layers=1)

    The network has `layers` layers of `hidden` units of the cell "rnn", "lstm" or "gru"; with `networks` there are
    several, whose probabilities are averaged. The batch size and the sequence length are reduced for a short text.
    `threads` is how many threads will train it: with more than one it decides into how many shards a batch is split,
    which stays the same whatever number of threads trains it later. With `init_from` the network has the shape and
    the weights of that model (see `transfer`), and the corpus must have been read with its vocabulary. `split` is the
    split of the corpus, if it has been made already.

    Raises OptionError for values that are not possible and for a network that does not fit into memory.
    """
    instance("corpus", corpus, Corpus, "a Corpus, which read_corpus returns")
    options = instance("options", options or Options(), Options, "charrnn.Options(...)")
    if init_from is not None:
        check_model("init_from", init_from)
    split = split or split_corpus(corpus, options)
    batch_size, seq_length = shrink_to_text(len(split.training), options.batch_size, options.seq_length)
    options = replace(options, batch_size=batch_size, seq_length=seq_length, shards=min(options.shards, batch_size))
    if init_from:
        shape = init_from.network.config
        cell, hidden, layers, networks = shape.cell, shape.hidden, shape.layers, shape.networks
    config = ModelConfig(
        len(corpus.vocab),
        one_of("cell", cell, tuple(CELLS)),
        whole("hidden", hidden, 1, LARGEST_SIZE),
        whole("layers", layers, 1, LARGEST_SIZE),
        whole("networks", networks, 1, LARGEST_SIZE),
    )
    threads = whole("threads", threads, 1, MOST_THREADS)
    if threads > 1:
        options = replace(options, shards=shard_count(threads, config.networks, batch_size))
    if threads > 1 or options.shards == 1:
        options = replace(options, threads=threads)
    training_memory(config, options, corpus, split, threads)
    params = initial_params(config, options.seed, _float_type(dtype))
    if init_from:
        transfer(init_from.network.params, init_from.vocab, params, corpus.vocab)
    bos_id = int(split.training[0]) if options.lines else first_to_read(corpus)
    parts = (len(split.training), len(split.held_out)) if options.lines else None
    info = CorpusInfo(corpus.names, corpus.encoding, corpus.sha256, len(corpus.ids), parts)
    run = Run(config, options, corpus.vocab, bos_id, info, params)
    if split.records:
        run.training_hashes = split.records.known
    return run


def _float_type(dtype: npt.DTypeLike) -> np.dtype[np.floating[Any]]:
    """float32 or float64. Raises OptionError for any other type."""
    try:
        found = None if dtype is None else np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.float32, np.float64):
        raise invalid("dtype", dtype, "'float32' or 'float64'")
    return found  # type: ignore[return-value]


def first_to_read(corpus: Corpus) -> int:
    """The id that a text begins after: the newline if the corpus has one, else the first character of the corpus."""
    newline, missing = corpus.vocab.encode("\n", "skip")
    found = not missing and bool((corpus.ids == newline[0]).any())
    return int(newline[0] if found else corpus.ids[0])


def transfer(old: Params, old_vocab: Vocab, new: Params, new_vocab: Vocab) -> None:
    """Copy the weights of `old` to `new`. Rows and columns that belong to a character go to its new id.

    The weights of characters that are not in `old_vocab` are left as they are. `new_vocab` must contain `old_vocab`.
    """
    moved, _ = new_vocab.encode(old_vocab.decode(np.arange(len(old_vocab))))
    for name, view in new.items():
        if name in ("Wxh0", "by"):
            view[..., moved] = old[name]
        elif name == "Why":
            view[..., moved, :] = old[name]
        else:
            view[...] = old[name]
