"""docs/checkpoint-format.md says what is in a checkpoint: its program reads what charrnn reads, and the kept files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from charrnn import evaluate, load, sample, sample_records, save
from charrnn.checkpoint.load import FORMAT
from charrnn.nn.loss import log_softmax
from charrnn.sampling.text import read

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "checkpoint-format.md").read_text(encoding="utf-8")
KEPT = sorted((Path(__file__).parent / "earlier_versions").glob("*.npz"))


@pytest.fixture(scope="module")
def page():
    """What the program on the page defines."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {"__name__": "page"}
    exec(compile(code, "docs/checkpoint-format.md", "exec"), names)
    assert {line.split()[1] for line in code.splitlines() if re.match("import|from", line)} <= {
        "json",
        "struct",
        "zipfile",
        "math",
    }
    return names


def check(page, path):
    """The page's program and charrnn find the same numbers and the same scores in a file."""
    run = load(path)
    metadata, arrays = page["read"](path)
    groups = {"last": run.network.params, "average": run.adam.average, "adam_m": run.adam.m, "best": run.best or {}}
    groups["whitening"] = run.whitening.moments
    for group, params in groups.items():
        for name, view in params.items():
            np.testing.assert_array_equal(np.array(arrays[f"{group}.{name}"], view.dtype), view)
    np.testing.assert_array_equal(arrays["state.h0"], run.state[0][0])
    assert metadata["vocabulary"]["characters"] == run.vocab.characters
    model = run.model()
    ids = np.arange(12) * 5 % len(run.vocab)
    theirs = page["probabilities"](metadata, arrays, ids.tolist())
    for length in range(1, len(ids) + 1):
        ours, _ = read(model.network, ids[:length])
        np.testing.assert_allclose(np.exp(log_softmax(ours)[:, 0]), theirs[length - 1], rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_page_reads_what_is_saved(tmp_path, make_run, page, cell, dtype):
    save(tmp_path / "run.npz", make_run(cell, dtype=dtype))
    check(page, tmp_path / "run.npz")
    save(tmp_path / "run.npz", make_run(cell, layers=1, val_fraction=0.0))
    check(page, tmp_path / "run.npz")
    save(tmp_path / "run.npz", make_run(cell, dtype=dtype, networks=3))
    check(page, tmp_path / "run.npz")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_an_earlier_version_saved(tmp_path, page, path):
    """It loads, gives what it gave, writes and goes on; saved again, it is read again."""
    if f"format-{FORMAT}-" in path.name:
        check(page, path)
    run = load(path)
    text = run.vocab.characters * 3
    model = run.model()
    assert len(sample_records(model, 5) if model.records else sample(model, 5)) == 5
    before = evaluate(run.model(), text)
    assert np.isfinite(before.nats_per_char)
    save(tmp_path / "again.npz", run)
    assert evaluate(load(tmp_path / "again.npz").model(), text) == before


def test_files_of_this_format_are_kept():
    """If not: python tests/checkpoint/make_earlier_version.py"""
    assert {f"format-{FORMAT}-{cell}.npz" for cell in ("rnn", "lstm", "gru", "records")} <= {path.name for path in KEPT}
    assert all(path.stat().st_size < 24_000 for path in KEPT)


def test_the_page_names_every_field(tmp_path, make_run, page):
    run = make_run()
    save(tmp_path / "run.npz", run)
    metadata, _ = page["read"](tmp_path / "run.npz")
    assert f"version {FORMAT}" in PAGE.splitlines()[0]
    inner = [key for value in metadata.values() if isinstance(value, dict) for key in value]
    for key in (*metadata, *inner):
        assert f"`{key}`" in PAGE, key
    assert json.loads(json.dumps(metadata)) == metadata
