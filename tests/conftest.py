"""Fixtures that several test files share: a text, small runs, and tools to forge checkpoints."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import zipfile

import pytest
from hypothesis import settings

from charrnn.system.cores import BLAS_VARIABLES

os.environ |= dict.fromkeys(BLAS_VARIABLES, "1")  # as the command line does, before NumPy is imported

for name, action in {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}.items():
    number = getattr(signal, name, None)
    if number and signal.getsignal(number) == signal.SIG_IGN:  # started in the background or under nohup
        signal.signal(number, action)

pytest_plugins = ["fixtures.commands", "fixtures.networks"]

settings.register_profile("charrnn", deadline=None)  # a slow machine is not a failure
settings.load_profile("charrnn")

COMMENT = 64  # bytes: the sha256, in hexadecimal, that ends a checkpoint


def words(count, seed=1):
    """A random text that is the same on every machine: ASCII, accents, Chinese, an emoji, spaces and lines."""
    rng = random.Random(seed)
    return "".join(
        rng.choice(["the ", "dog ", "naïve ", "世界 ", "🙂 ", "runs, ", "sees. ", "moon\n"]) for _ in range(count)
    )


@pytest.fixture(scope="session")
def text():
    return words(500)


@pytest.fixture(scope="session")
def short_text():
    return words(60, seed=2)


@pytest.fixture
def corpus_file(tmp_path, text):
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def noise():
    """300 random characters: a model can only memorise them."""
    import numpy as np
    from support.small_runs import corpus_of

    return corpus_of("".join(np.random.default_rng(0).choice(list("abcdefg"), 300)))


@pytest.fixture
def verse():
    from support.small_runs import corpus_of

    return corpus_of("the cat sat on the mat, the rat sat on the cat; " * 12)


@pytest.fixture
def make_run(corpus_file):
    """Make a run of a few steps on the text, with dropout and validation."""
    from charrnn import Options, new_run, read_corpus, train

    def make(cell="gru", hidden=3, layers=2, steps=5, dtype="float32", names=(corpus_file,), networks=1, **options):
        corpus = read_corpus([str(name) for name in names])
        chosen = {"batch_size": 4, "seq_length": 7, "dropout": 0.2, "val_every": 2} | options
        run = new_run(corpus, cell, hidden, layers, Options(**chosen), dtype=dtype, networks=networks)
        run.set_budget(steps=steps)
        for _ in train(run, corpus):
            pass
        return run

    return make


@pytest.fixture(scope="session")
def unpack():
    """The members of a checkpoint, by name."""

    def unpack(path):
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return unpack


@pytest.fixture(scope="session")
def seal():
    """Give the bytes of a modified checkpoint a valid checksum."""

    def seal(content):
        content = content[:-COMMENT]
        return content + hashlib.sha256(content).hexdigest().encode()

    return seal


@pytest.fixture(scope="session")
def forge(seal):
    """Write a checkpoint from (name, bytes) pairs, with a valid checksum."""

    def forge(path, members, compression=zipfile.ZIP_STORED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as archive:
            archive.comment = bytes(COMMENT)
            for name, data in members:
                archive.writestr(zipfile.ZipInfo(name), data, compression)
        path.write_bytes(seal(file.getvalue()))
        return path

    return forge


@pytest.fixture(scope="session")
def record_model():
    """Make a small untrained model that writes short records of the characters a, b and 世."""
    import numpy as np

    from charrnn.language_model import LanguageModel
    from charrnn.nn.config import ModelConfig
    from charrnn.nn.model import Model
    from charrnn.nn.params import Params
    from charrnn.text.vocab import Vocab

    def make(cell="gru", layers=2, dtype=np.float64, newline_bias=1.0, known=()):
        vocab = Vocab("\nab世")
        params = Params(ModelConfig(len(vocab), cell, hidden=5, layers=layers).shapes(), dtype)
        params.flat[:] = np.random.default_rng(4).normal(0, 0.4, params.flat.size)
        params["by"][0] += newline_bias
        network = Model(ModelConfig(len(vocab), cell, hidden=5, layers=layers), params)
        return LanguageModel(network, vocab, 0, True, np.unique(np.array(known, np.uint32)))

    return make
