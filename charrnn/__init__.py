"""charrnn: a character-level language model, a recurrent network written out in NumPy.

import charrnn

corpus = charrnn.read_corpus(["corpus.txt"])
run = charrnn.new_run(corpus, hidden=128)
run.set_budget(steps=500)
for record in charrnn.train(run, corpus):
    print(record.step, record.loss)
charrnn.save("model.npz", run)

model = charrnn.load_model("model.npz")
print(charrnn.sample(model, length=200, temperature=0.8, seed=1))
print(charrnn.evaluate(model, "some text").bits_per_char)
for word in charrnn.score(model, "some text", per="word"):
    print(word.text, word.bits)
"""

import importlib as _importlib
import typing as _typing

from ._version import __version__

if _typing.TYPE_CHECKING:
    from .checkpoint.load import load, load_model
    from .checkpoint.save import save
    from .errors import (
        CharRNNError,
        CheckpointError,
        DivergedError,
        OptionError,
        TextError,
        TooFewError,
        UnknownCharacterError,
    )
    from .evaluation.metrics import Metrics, evaluate
    from .evaluation.overlap import Overlap, copied
    from .evaluation.scoring import ScoredUnit, score
    from .language_model import LanguageModel
    from .sampling.params import RecordConstraints, SamplingParams
    from .sampling.records import sample_records
    from .sampling.text import sample
    from .text.corpus import Corpus, read_corpus
    from .training.loop import StepRecord, train
    from .training.new_run import new_run
    from .training.run import Run
    from .training.settings import Options

__all__ = [
    "CharRNNError",
    "CheckpointError",
    "Corpus",
    "DivergedError",
    "LanguageModel",
    "Metrics",
    "OptionError",
    "Options",
    "Overlap",
    "RecordConstraints",
    "Run",
    "SamplingParams",
    "ScoredUnit",
    "StepRecord",
    "TextError",
    "TooFewError",
    "UnknownCharacterError",
    "__version__",
    "copied",
    "evaluate",
    "load",
    "load_model",
    "new_run",
    "read_corpus",
    "sample",
    "sample_records",
    "save",
    "score",
    "train",
]

_HOMES = {
    "CharRNNError": "errors",
    "CheckpointError": "errors",
    "Corpus": "text.corpus",
    "DivergedError": "errors",
    "LanguageModel": "language_model",
    "Metrics": "evaluation.metrics",
    "OptionError": "errors",
    "Options": "training.settings",
    "Overlap": "evaluation.overlap",
    "RecordConstraints": "sampling.params",
    "Run": "training.run",
    "SamplingParams": "sampling.params",
    "ScoredUnit": "evaluation.scoring",
    "StepRecord": "training.loop",
    "TextError": "errors",
    "TooFewError": "errors",
    "UnknownCharacterError": "errors",
    "copied": "evaluation.overlap",
    "evaluate": "evaluation.metrics",
    "load": "checkpoint.load",
    "load_model": "checkpoint.load",
    "new_run": "training.new_run",
    "read_corpus": "text.corpus",
    "sample": "sampling.text",
    "sample_records": "sampling.records",
    "save": "checkpoint.save",
    "score": "evaluation.scoring",
    "train": "training.loop",
}


def __getattr__(name: str) -> _typing.Any:
    """Import a public name when it is first used (PEP 562), so that `charrnn --help` does not import NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
