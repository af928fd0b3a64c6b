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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint.load import load, load_model
    from .checkpoint.save import save
    from .errors import CharRNNError
    from .evaluation.metrics import evaluate
    from .evaluation.overlap import copied
    from .evaluation.scoring import score
    from .sampling.params import RecordConstraints, SamplingParams
    from .sampling.records import sample_records
    from .sampling.text import sample
    from .text.corpus import read_corpus
    from .training.loop import train
    from .training.new_run import new_run
    from .training.settings import Options

__version__ = "0.1.0"

_HOMES = {
    "CharRNNError": "errors",
    "Options": "training.settings",
    "RecordConstraints": "sampling.params",
    "SamplingParams": "sampling.params",
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

__all__ = [
    "CharRNNError",
    "Options",
    "RecordConstraints",
    "SamplingParams",
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


def __getattr__(name: str) -> Any:
    """A public name, brought from its home when first asked for (PEP 562): `--help` need not wait for NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
