"""docs/checkpoint-format.md is right about checkpoints, and checkpoints of earlier versions stay readable."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from charrnn import evaluate, load, read_corpus, sample, sample_records, save, train
from charrnn.checkpoint.format import FORMAT, GROUPS
from charrnn.files.archive import METADATA
from charrnn.nn.loss import log_softmax
from charrnn.sampling.text import read

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "checkpoint-format.md").read_text(encoding="utf-8")
TEXT = "the cat\nsat é\n世界\n" * 4  # of the kept files; see make_earlier_version.py


@pytest.fixture(scope="module")
def page():
    """The functions of the program on the page."""
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


def check(page, path, raw="raw"):
    """The page's program and charrnn find the same numbers and the same probabilities in a file."""
    run = load(path)
    metadata, arrays = page["read"](path)
    groups = {raw: run.network.params, "average": run.adam.average, "adam_m": run.adam.m, "best": run.best or {}}
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


CASES = ("rnn", "lstm", "gru", "records")
RECORDED = {  # what the version that wrote the files of format 3 made of them: nats per character, and a sample
    "rnn": (2.4012411236763, "界界界aeectshté"),
    "lstm": (2.398614354431629, "界界界aeectshté"),
    "gru": (2.402887001633644, "界界界aeectshté"),
    "records": (2.3977489471435547, ["a céacc éact世t世 界aate界h", "sséaéc eés世 ", "set 世é界atsé界界ta界acttc"]),
}


def kept(version, case):
    return Path(__file__).parent / "earlier_versions" / f"format-{version}-{case}.npz"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("version", [3, 4])
def test_files_of_earlier_versions_give_what_they_gave(page, version, case):
    """The model scores and samples as recorded, and the page's program reads the file."""
    check(page, kept(version, case), "last" if version == 3 else "raw")
    run = load(kept(version, case))
    model = run.model()
    nats, written = RECORDED[case]
    assert evaluate(model, run.vocab.characters * 3).nats_per_char == pytest.approx(nats, rel=1e-6)
    assert (sample_records(model, 3, seed=7) if model.records else sample(model, 12, seed=7)) == written


def continued(run, corpus, path):
    """The bytes of the checkpoint after the rest of the run and four steps more."""
    if run.finished:
        run.set_budget(steps=4)
    for _ in train(run, corpus):
        pass
    run.elapsed = 1.0
    save(path, run)
    return path.read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_a_run_of_format_3_continues_as_one_of_format_4(tmp_path, case):
    """The kept file of format 4 holds the same run. Saved again, and when resumed, both give the same bytes."""
    old, new = load(kept(3, case)), load(kept(4, case))
    save(tmp_path / "old.npz", old)
    save(tmp_path / "new.npz", new)
    assert (tmp_path / "old.npz").read_bytes() == (tmp_path / "new.npz").read_bytes()
    assert json.loads(np.load(tmp_path / "old.npz")[METADATA])["format"] == FORMAT
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    corpus = read_corpus([str(tmp_path / "text.txt")], lines=case == "records")
    assert continued(old, corpus, tmp_path / "old.npz") == continued(new, corpus, tmp_path / "new.npz")


def test_a_snapshot_of_format_3_is_loaded():
    """The kept model of records was saved after step 1 and would roll back to step 0."""
    with np.load(kept(3, "records")) as arrays:
        snapshot = load(kept(3, "records")).snapshot
        assert snapshot.step == 0
        names = ("good", "good_m", "good_v", "good_average", "good_whitening")
        for name, params in zip(names, snapshot.arrays, strict=True):
            for array, view in params.items():
                np.testing.assert_array_equal(arrays[f"{name}.{array}"], view)
        np.testing.assert_array_equal(arrays["good_state.h0"], snapshot.state[0][0])


def test_files_of_this_format_are_kept():
    """If this fails, run: python tests/checkpoint/make_earlier_version.py"""
    assert all(kept(FORMAT, case).stat().st_size < 24_000 for case in CASES)


def test_the_page_names_every_field_and_group(tmp_path, make_run, page):
    run = make_run()
    save(tmp_path / "run.npz", run)
    metadata, _ = page["read"](tmp_path / "run.npz")
    assert f"version {FORMAT}" in PAGE.splitlines()[0]
    inner = [key for value in metadata.values() if isinstance(value, dict) for key in value]
    for key in (*metadata, *inner, *(group.name for group in GROUPS)):
        assert f"`{key}`" in PAGE, key
    assert json.loads(json.dumps(metadata)) == metadata
