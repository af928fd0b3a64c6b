"""Runs that are small enough to train in a moment, and all that they hold."""

from dataclasses import asdict
from hashlib import sha256

import numpy as np

from charrnn.text.corpus import Corpus
from charrnn.text.vocab import Vocab
from charrnn.training.loop import train
from charrnn.training.new_run import new_run
from charrnn.training.settings import Options


def corpus_of(text):
    vocab = Vocab(text)
    return Corpus(vocab.encode(text)[0], vocab, ("text",), "utf-8", sha256(text.encode()).hexdigest())


def small_run(corpus, steps=None, cell="rnn", dtype=np.float32, networks=1, **options):
    defaults = {"batch_size": 4, "seq_length": 8, "dropout": 0.0, "lr": 3e-3, "shards": 2}
    options = Options(**defaults | options)
    run = new_run(corpus, cell, hidden=6, layers=2, options=options, dtype=dtype, networks=networks)
    if steps:
        run.set_budget(steps=steps)
    return run


def trained(run, corpus, **settings):
    """The run after all of its steps, and their records."""
    return run, list(train(run, corpus, **settings))


def arrays(run):
    """Everything that a run holds but the clock, comparable to the bit."""
    numbers = [run.network.params, run.adam.m, run.adam.v, run.adam.average, run.best or run.network.params]
    numbers.append(run.whitening.moments)
    state = [part.tobytes() for layer in run.state for part in layer]
    updates = run.adam.updates
    return [params.flat.tobytes() for params in numbers], updates, state, asdict(run.progress), asdict(run.schedule)
