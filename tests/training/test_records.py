"""A model of records from the first step to the file: each line by itself, and nothing of one for the next."""

from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise
from math import log

import numpy as np
import pytest

from charrnn import Options, evaluate, load, load_model, new_run, read_corpus, save, train
from charrnn.errors import CheckpointError, OptionError, TextError
from charrnn.evaluation import windows
from charrnn.files.archive import METADATA
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.text.batches import Streams
from charrnn.text.records import hashes, lay_out, short
from charrnn.training.settings import CorpusInfo
from charrnn.training.split import split_corpus
from charrnn.training.step import initial_state
from charrnn.training.validation import closing_metrics

NAMES = [a + b + c for a in ("an", "be", "ce", "do") for b in ("na", "li", "世", "") for c in ("", "r", "rt", "s")]
TINY = {"batch_size": 3, "seq_length": 7, "dropout": 0.1, "val_fraction": 0.2, "val_every": 4, "seed": 2, "lines": True}


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\n".join(NAMES + NAMES[:5]), encoding="utf-8")
    return read_corpus([str(path)], lines=True)


def run_of(corpus, steps=0, dtype=np.float32, **options):
    run = new_run(corpus, "gru", 6, 2, Options(**TINY | options), dtype=dtype)
    if steps:
        run.set_budget(steps=steps)
        for _ in train(run, corpus):
            pass
    return run


def naive_nats(model, lines):
    """Each line by itself: a newline read from the zero state, then one character after the other, in float64."""
    params = Params(model.network.config.shapes(), np.float64)
    params.flat[:] = model.network.params.flat
    network, total = Model(model.network.config, params), 0.0
    work = network.workspace(1, 1)
    for line in lines:
        ids, state = model.vocab.encode(f"\n{line}\n")[0], network.zero_state(1)
        for x, y in pairwise(ids):
            state = network.forward(np.array([[x]]), state, work)
            total -= log(np.exp(work.logits[y, 0]) / np.exp(work.logits[:, 0]).sum())
    return total


def lines_of(corpus, laid):
    return corpus.vocab.decode(laid)[1:-1].split("\n")


def test_a_new_run(corpus):
    run, parts = run_of(corpus), corpus.records(0.2, 2)
    assert run.vocab.characters[run.bos_id] == "\n"
    assert (run.training_characters, run.held_out_characters) == (len(parts.training), len(parts.held_out))
    assert run.epoch_steps == Streams(parts.training, 3, 7).chunks
    text = "\n".join(set(lines_of(corpus, parts.training)))
    laid = lay_out(run.vocab.encode(text)[0], run.bos_id)
    assert run.training_hashes.tolist() == sorted(short(hashes(laid, np.flatnonzero(laid == run.bos_id))).tolist())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("text", ["anna", "anna\n", "\n\nanna\n\nbe\n", "\n".join(NAMES)])
@pytest.mark.parametrize("piece", [5, 4096])
def test_evaluating_scores_every_character_of_every_line(corpus, monkeypatch, dtype, text, piece):
    monkeypatch.setattr(windows, "WINDOW", piece)
    monkeypatch.setattr(windows, "WARM_UP", 8)  # as long as the longest line and its newline
    model = run_of(corpus, steps=10, dtype=dtype).model()
    lines = text.split()
    score = evaluate(model, text)
    assert score.chars == sum(len(line) + 1 for line in lines)
    assert score.nats == pytest.approx(naive_nats(model, lines), rel=1e-9 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize("text", ["", "\n\n\n"])
def test_nothing_to_evaluate(corpus, text):
    with pytest.raises(TextError, match="no line that is not empty"):
        evaluate(run_of(corpus).model(), text)


def test_the_order_of_lines_changes_nothing(corpus):
    model = run_of(corpus, steps=10).model()
    figures = [evaluate(model, "\n".join(lines)).nats for lines in (NAMES, NAMES[::-1], sorted(NAMES))]
    assert figures == pytest.approx(figures[:1] * 3, rel=1e-6)


def test_a_step_reads_each_line_from_the_zero_state(corpus):
    """The first step with a batch of one: its loss is that of the records it reads, each by itself."""
    run = run_of(corpus, batch_size=1, seq_length=400, dropout=0, val_fraction=0, dtype=np.float64)
    run.network.params.flat[:] = np.random.default_rng(1).normal(0, 0.5, run.network.params.flat.size)
    run.adam.average.flat[:] = run.network.params.flat
    laid = corpus.records(0, 2).training
    expected = naive_nats(run.model(), lines_of(corpus, laid)) / (len(laid) - 1)
    run.set_budget(steps=1)
    (record,) = train(run, corpus)
    assert record.loss == pytest.approx(expected, rel=1e-9)


def test_no_record_is_broken_off_between_two_chunks(corpus):
    run = run_of(corpus)
    run.state = tuple(tuple(part + 1 for part in layer) for layer in run.state)
    for run.progress.step in range(200):
        assert all(part.all() for layer in initial_state(run, first=False) for part in layer)


def test_the_closing_figure_is_that_of_the_held_out_lines(corpus):
    run = run_of(corpus, steps=12)
    lines = lines_of(corpus, corpus.records(0.2, 2).held_out)
    total = sum((score.nats for score in closing_metrics(run, split_corpus(corpus, run.options))), 0.0)
    assert total == pytest.approx(evaluate(run.model(), "\n".join(lines)).nats, rel=1e-6)
    assert total == pytest.approx(naive_nats(run.model(), lines), rel=1e-5)


@pytest.mark.parametrize("step", [1, 14, 30])
def test_stopped_anywhere_and_gone_on_with(tmp_path, corpus, step):
    """In the first epoch, at its end, in the third: the order of each follows from the seed and its number."""
    whole = run_of(corpus, steps=33)
    assert whole.epoch_steps == 14
    run = run_of(corpus)
    run.set_budget(steps=33)
    for _ in islice(train(run, corpus), step):
        pass
    save(tmp_path / "run.npz", run)
    run, again = load(tmp_path / "run.npz"), read_corpus(corpus.names, lines=True)
    for _ in train(run, again):
        pass
    assert run.network.params.flat.tobytes() == whole.network.params.flat.tobytes()
    assert run.progress == whole.progress


def test_there_and_back(tmp_path, corpus):
    run = run_of(corpus, steps=5)
    save(tmp_path / "run.npz", run)
    again = load(tmp_path / "run.npz")
    assert again.options.lines
    assert (again.corpus, again.options, again.bos_id) == (run.corpus, run.options, run.bos_id)
    assert again.training_hashes.tolist() == run.training_hashes.tolist()
    assert load_model(tmp_path / "run.npz").records
    assert not load_model_of_texts(tmp_path, corpus).records


def load_model_of_texts(tmp_path, corpus):
    save(tmp_path / "text.npz", new_run(corpus, "gru", 6, 2, Options(seq_length=7)))
    return load_model(tmp_path / "text.npz")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: (
            run.training_hashes.sort() or run.training_hashes.__setitem__(slice(None), run.training_hashes[::-1].copy())
        ),
        lambda run: run.training_hashes.__setitem__(0, run.training_hashes[1]),
        lambda run: setattr(run, "training_hashes", run.training_hashes[:0]),
        lambda run: setattr(run, "training_hashes", np.arange(run.training_characters, dtype=np.uint32)),
        lambda run: setattr(run, "training_hashes", run.training_hashes.astype(np.int64)),
        lambda run: setattr(run, "training_hashes", None),
        lambda run: setattr(run, "bos_id", 1),
        lambda run: setattr(run, "corpus", replace(run.corpus, parts=None)),
        lambda run: setattr(run, "options", replace(run.options, lines=False)),
    ],
)
def test_a_memory_that_does_not_fit_is_refused(tmp_path, corpus, spoil):
    run = run_of(corpus)
    spoil(run)
    save(tmp_path / "run.npz", run)
    with pytest.raises(CheckpointError):
        load(tmp_path / "run.npz")


def test_hostile_counts_are_refused_before_anything_is_read(tmp_path, corpus, unpack, forge):
    save(tmp_path / "run.npz", run_of(corpus))
    members = unpack(tmp_path / "run.npz")
    for count in (b"1e300", b"-1", b"[]", b"99999999999999999999", b'"9"', b"true"):
        before = f'"training_hashes":{len(load(tmp_path / "run.npz").training_hashes)}'.encode()
        metadata = members[METADATA].replace(before, b'"training_hashes":' + count)
        assert metadata != members[METADATA]
        forged = forge(tmp_path / "forged.npz", [*(members | {METADATA: metadata}).items()])
        with pytest.raises(CheckpointError, match="number of training_hashes"):
            load(forged)


def test_impossible_parts():
    with pytest.raises(OptionError):
        CorpusInfo(("a",), "utf-8", "", 9, (1, 3))


def test_weights_go_from_texts_to_records_and_back(tmp_path, corpus):
    text = new_run(corpus, "gru", 6, 2, Options(seq_length=7)).model()
    records = new_run(corpus, options=Options(**TINY), init_from=text)
    assert records.training_hashes is not None
    assert records.network.params.flat.tobytes() == text.network.params.flat.tobytes()
    back = new_run(corpus, options=Options(**TINY | {"lines": False}), init_from=records.model())
    assert back.training_hashes is None
    assert back.network.params.flat.tobytes() == text.network.params.flat.tobytes()


def test_learning_is_by_line(corpus):
    """Trained by heart, the model gives each line its share, though the same lines come in another order each epoch."""
    run = run_of(corpus, steps=400, dropout=0, val_fraction=0, lr=0.02)
    shares = Counter(NAMES + NAMES[:5])
    entropy = sum(n * -log(n / 69) for n in shares.values()) / sum(n * (len(name) + 1) for name, n in shares.items())
    assert evaluate(run.model(), "\n".join(NAMES + NAMES[:5])).nats_per_char < 1.35 * entropy
