"""Make the checkpoints that every later version must read: python tests/checkpoint/make_earlier_version.py

It writes one file for each cell, and one for a model of records in the middle of its run, to
tests/checkpoint/earlier_versions/, named after the present format. Run it when the format changes. Files of older
formats stay.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import charrnn
from charrnn.checkpoint.format import FORMAT
from charrnn.training.run import Run

KEPT = Path(__file__).parent / "earlier_versions"
TEXT = "the cat\nsat é\n世界\n" * 4


def trained(cell: str, lines: bool = False, stop: int = 3) -> Run:
    """A model of 2 hidden units and 2 layers after `stop` of 3 steps, some kilobytes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "text.txt")
        source.write_text(TEXT, encoding="utf-8")
        corpus = replace(charrnn.read_corpus([str(source)], lines=lines), names=("text.txt",))
    options = charrnn.Options(batch_size=2, seq_length=5, lr=0.1, val_every=2, lines=lines)
    run = charrnn.new_run(corpus, cell, 2, 2, options)
    run.set_budget(steps=3)
    for record in charrnn.train(run, corpus):
        if record.step == stop:
            break
    run.commands, run.elapsed = ["charrnn train text.txt"], 1.0
    return run


if __name__ == "__main__":
    runs = {cell: trained(cell) for cell in ("rnn", "lstm", "gru")}
    for name, run in (runs | {"records": trained("rnn", lines=True, stop=1)}).items():
        path = KEPT / f"format-{FORMAT}-{name}.npz"
        charrnn.save(path, run)
        print(path)
