import subprocess
import sys

import pytest
from support.small_runs import corpus_of, small_run

from charrnn.errors import OptionError
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.training import memory
from charrnn.training.memory import training_memory
from charrnn.training.new_run import new_run
from charrnn.training.settings import Options
from charrnn.training.split import split_corpus
from charrnn.training.step import make_data_parallel, make_streams

PEAK = """
import re, sys
from pathlib import Path
import charrnn
from charrnn.training.memory import training_memory
from charrnn.training.split import split_corpus
from charrnn.training.validation import closing_metrics

characters, lines, networks, hidden = int(sys.argv[1]), sys.argv[2] == "lines", int(sys.argv[3]), int(sys.argv[4])
distinct = int(sys.argv[5])
text = "".join(chr(0x4E00 + 7 * k % distinct) + ("\\n" if lines and not k % 9 else "") for k in range(characters))
Path("text.txt").write_text(text, "utf-8")
del text
corpus = charrnn.read_corpus(["text.txt"], lines=lines)
run = charrnn.new_run(corpus, hidden=hidden, networks=networks, options=charrnn.Options(lines=lines))
run.set_budget(steps=4)
for record in charrnn.train(run, corpus): pass
split = split_corpus(corpus, run.options)
sum(part.chars for part in closing_metrics(run, split))
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
print(peak, training_memory(run.config, run.options, corpus, split))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one process")
@pytest.mark.parametrize(
    "words",
    [
        (300_000, "text", 1, 64, 60),
        (300_000, "text", 3, 64, 3000),  # the scores of all characters take the most
        (200_000, "lines", 2, 16, 2000),
        (20_000, "text", 4, 256, 30),  # the weights do
    ],
    ids=str,
)
def test_what_is_said_beforehand_is_about_what_it_takes(tmp_path, words):
    """Between half as much again and nine tenths of the peak of a run with its validations."""
    command = [sys.executable, "-c", PEAK, *map(str, words)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    peak, said = map(int, result.stdout.split())
    assert 0.9 * peak < said < 1.5 * peak


@pytest.mark.parametrize(("networks", "count"), [(1, 1), (1, 3), (4, 3)])
def test_a_worker_has_buffers_for_one_share_at_a_time(networks, count, monkeypatch, verse):
    """However many shares it has to work on, of however many networks."""
    made = []
    workspace = Model.workspace
    monkeypatch.setattr(Model, "workspace", lambda *args: made.append(workspace(*args)) or made[-1])
    run = small_run(verse, networks=networks, shards=count, batch_size=4)
    split = split_corpus(verse, run.options)
    streams, shards = make_streams(run, split.training), make_data_parallel(run, threads=1)
    for step in range(streams.chunks):
        x, y, _ = streams.chunk(step)
        shards.gradient(x, y, run.state, (1, step))
    widths = {1: 1, 3: 2}[count]  # 4, or 1 and 2 streams
    assert len(made) == 2 * widths  # chunks are of two lengths
    rest = memory.BASE + memory.text_memory(verse, split)
    assert sum(work.nbytes for work in made) < training_memory(run.config, run.options, verse, split) - rest


def test_more_than_the_machine_has_is_refused_before_it_is_taken(monkeypatch):
    corpus = corpus_of("abcd" * 5000)
    config, options = ModelConfig(4, hidden=64, networks=2), Options()
    split = split_corpus(corpus, options)
    needed = training_memory(config, options, corpus, split, threads=2)
    monkeypatch.setattr(memory, "machine_memory", lambda: needed - 1)
    with pytest.raises(OptionError, match="choose a smaller"):
        training_memory(config, options, corpus, split, threads=2)
    assert training_memory(config, options, corpus, split, threads=1) < needed
    with pytest.raises(OptionError, match="choose a smaller"):
        new_run(corpus, hidden=64, networks=2, threads=2)
