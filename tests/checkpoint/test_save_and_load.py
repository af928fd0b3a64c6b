"""A run is saved and loaded without loss, and is never loaded from a file that does not hold one."""

import io
import json
from contextlib import suppress
from dataclasses import asdict

import numpy as np
import pytest

from charrnn import load, load_model, save
from charrnn.checkpoint.format import FORMAT
from charrnn.errors import CheckpointError, OptionError
from charrnn.files.archive import METADATA
from charrnn.training.run import Run

MISSING = object()


def arrays(run):
    """Every array that training continues from, by name."""
    adam = run.adam
    groups = {"raw": run.network.params, "a": adam.average, "m": adam.m, "v": adam.v, "best": run.best or {}}
    groups["whitening"] = run.whitening.moments
    named = {f"{group}.{name}": view for group, params in groups.items() for name, view in params.items()}
    return named | {f"state.{i}.{j}": part for i, layer in enumerate(run.state) for j, part in enumerate(layer)}


def assert_same(run, other):
    assert arrays(run).keys() == arrays(other).keys()
    for name, array in arrays(run).items():
        assert array.dtype == arrays(other)[name].dtype, name
        np.testing.assert_array_equal(array, arrays(other)[name], err_msg=name)
    for name in ("config", "options", "vocab", "bos_id", "corpus", "schedule", "progress", "commands", "elapsed"):
        assert getattr(run, name) == getattr(other, name), name
    assert run.adam.updates == other.adam.updates


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("val_fraction", [0.1, 0.0])
@pytest.mark.parametrize("networks", [1, 3])
def test_a_loaded_run_equals_the_saved_one(tmp_path, make_run, cell, dtype, val_fraction, networks):
    run = make_run(cell, dtype=dtype, val_fraction=val_fraction, networks=networks)
    run.commands, run.init_from, run.elapsed = ["charrnn train 'a file'"], "other.npz", 1 / 3
    save(tmp_path / "run.npz", run)
    again = load(tmp_path / "run.npz")
    assert_same(run, again)
    assert again.init_from == "other.npz"
    assert (run.best is None) == (val_fraction == 0)
    save(tmp_path / "again.npz", again)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "run.npz").read_bytes()


def test_numpy_reads_the_arrays(tmp_path, make_run):
    run = make_run("lstm")
    save(tmp_path / "run.npz", run)
    with np.load(tmp_path / "run.npz", allow_pickle=False) as loaded:
        for name, view in run.network.params.items():
            np.testing.assert_array_equal(loaded[f"raw.{name}"], view)
            np.testing.assert_array_equal(loaded[f"adam_v.{name}"], run.adam.v[name])
        np.testing.assert_array_equal(loaded["state.c1"], run.state[1][1])
        assert json.loads(loaded[METADATA])["options"] == asdict(run.options)


def test_best_and_last_weights(tmp_path, make_run):
    run = make_run(steps=3)
    run.best.flat[:] = run.adam.average.flat + 1
    save(tmp_path / "run.npz", run)
    best, last, chosen = (load_model(tmp_path / "run.npz", which) for which in ("best", "last", None))
    np.testing.assert_array_equal(last.network.params.flat + 1, best.network.params.flat)
    np.testing.assert_array_equal(chosen.network.params.flat, best.network.params.flat)
    with pytest.raises(OptionError):
        load_model(tmp_path / "run.npz", "first")
    save(tmp_path / "run.npz", make_run(val_fraction=0))
    with pytest.raises(OptionError, match="there are no best ones"):
        load_model(tmp_path / "run.npz", "best")


@pytest.fixture
def tiny(tmp_path, make_run):
    """A checkpoint of a few kilobytes: two characters, one unit, one layer."""
    (tmp_path / "ab.txt").write_text("ab" * 20)
    run = make_run("rnn", 1, 1, names=[tmp_path / "ab.txt"], batch_size=1, seq_length=3)
    run.commands = ["charrnn train ab.txt"]
    run.progress.closing_val_loss = run.progress.best_val_loss
    save(tmp_path / "tiny.npz", run)
    return tmp_path / "tiny.npz"


def test_flipped_and_cut_files_are_refused(tiny):
    whole, step = tiny.read_bytes(), 7
    for place in range(0, len(whole), step):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        for damaged in (bytes(data), whole[:place]):
            tiny.write_bytes(damaged)
            with pytest.raises(CheckpointError) as error:
                load(tiny)
            assert "\n" not in str(error.value)


@pytest.fixture
def tamper(tiny, unpack, forge):
    """Load the tiny checkpoint with one value of its metadata replaced and a correct checksum."""
    members = unpack(tiny)

    def tamper(place, value):
        metadata = json.loads(members[METADATA])
        *path, last = place
        record = metadata
        for key in path:
            record = record[key]
        if value is MISSING:
            del record[last]
        else:
            record[last] = value
        text = json.dumps(metadata).encode()
        return load(forge(tiny, (members | {METADATA: text}).items()))

    return tamper


def places(value, path=()):
    """The path to every value in a JSON document, nested ones included."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def test_a_forged_file_that_changes_nothing_loads(tiny, tamper):
    """So in the tests below the change is what is refused, not the way that the file is built."""
    before = load(tiny)
    assert_same(before, tamper(("format",), FORMAT))


HOSTILE = [None, True, -1, 0, 1.5, 10**12, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\ud800", [], [[]], {}]


def test_any_value_anywhere(tiny, unpack, tamper):
    """With any value at any place of the metadata, `load` gives a run or raises CheckpointError with one line."""
    tried = accepted = 0
    for place in places(json.loads(unpack(tiny)[METADATA])):
        for value in (*HOSTILE, MISSING):
            tried += 1
            with suppress(CheckpointError):
                assert isinstance(tamper(place, value), Run)
                accepted += 1
    assert accepted < 0.3 * tried


WRONG = {
    "format": [5, 3, 2, 1, 0, "1", None, True, 1.0, MISSING],
    "dtype": ["float16", "object", "<f4", None, MISSING],
    "model": [None, [], "rnn", MISSING],
    "model.cell": ["transformer", None, ["rnn"], ""],
    "model.hidden": [2, 0, -1, 10**12, 10**400, True, 1.0, "1", None, MISSING],
    "model.layers": [2, 0, -1, 10**12, True, 1.0, MISSING],
    "model.vocab_size": [3, 0, -2, 10**12, True, 2.0],
    "vocabulary.characters": ["ba", "abb", "aa", "", "abc", ["a", "b"], None],
    "vocabulary.of_bytes": [True, 0, None],
    "bos_id": [2, -1, 10**12, True, 0.0, "a", None],
    "options.batch_size": [2, 0, -1, 10**12, True, "1", 1.0],
    "options.seq_length": [0, -1, 10**12, False, "1"],
    "options.shards": [0, -1, 10**12, True],
    "options.dropout": ["0.1", True, None, float("nan"), float("inf")],
    "options.recurrent_dropout": ["0.1", True, None, float("nan"), float("inf")],
    "options.lr": ["1", True, None, float("nan")],
    "options.grad_clip": ["1", False, None, float("inf")],
    "options.weight_decay": ["1", False, None],
    "options.val_fraction": ["0.1", False],
    "options.val_every": ["2", False, 1.5],
    "options.seed": ["1", True, 1.0],
    "corpus.names": ["ab.txt", [1], None, {}],
    "corpus.encoding": [1, [], True],
    "corpus.sha256": [None, 1],
    "corpus.characters": ["40", True],
    "schedule": [None, [], 1, MISSING],
    "schedule.start": [True, None, "0"],
    "schedule.total": [True, "5", 5.0],
    "schedule.seconds": [True, "1", float("inf")],
    "progress.step": [True, None, "5"],
    "progress.best_step": [True, "2", None],
    "progress.best_val_loss": [True, "1", float("nan")],
    "progress.validations": [None, {}, [1], [[1]], [[1, 2.0, 3]], [[True, 1.0]], [["1", 1.0]]],
    "init_from": [1, True, []],
    "commands": [None, "charrnn", [1], {}],
    "clock": [None, 1, {}],
    "clock.elapsed": [None, True, "1", float("inf"), 10**400],
}

OUT_OF_RANGE = {
    "options.shards": [2],  # of one stream
    "options.dropout": [-0.1, 1.0, 5],
    "options.recurrent_dropout": [-0.1, 1.0, 5],
    "options.lr": [-1.0, 10**400],
    "options.grad_clip": [-1.0],
    "options.weight_decay": [-1.0],
    "options.val_fraction": [-0.1, 1.0, 7],
    "options.val_every": [-1],
    "options.seed": [-1],
    "corpus.characters": [-1, 0, 1],
    "corpus.names": [["a\0b"]],
    "schedule.start": [-1, 10**12],
    "schedule.total": [-1],
    "schedule.val_every": [-1],
    "progress.step": [-1, 10**400],
    "progress.best_step": [-1],
    "clock.elapsed": [-1.0],
}


def each(table):
    """One test for each value in a table."""
    return pytest.mark.parametrize(
        ("place", "value"),
        [
            pytest.param(place.split("."), value, id=f"{place}={repr(value)[:9]}")
            for place, values in table.items()
            for value in values
        ],
    )


@each(WRONG)
def test_wrong_types_and_sizes_are_refused(tamper, place, value):
    with pytest.raises(CheckpointError) as error:
        tamper(place, value)
    assert "\n" not in str(error.value)


@each(OUT_OF_RANGE)
def test_values_that_no_run_can_have_are_refused(tamper, place, value):
    with pytest.raises(CheckpointError) as error:
        tamper(place, value)
    assert "\n" not in str(error.value)


def test_another_format_says_what_to_do(tamper):
    with pytest.raises(CheckpointError, match=r"format is 5, and .* reads 3 and 4; use the version that wrote it"):
        tamper(("format",), 5)


def test_unknown_fields_are_ignored(tiny, tamper):
    before = load(tiny)
    assert_same(before, tamper(("options", "something new"), 1))
    assert_same(before, tamper(("something new",), {}))


def test_missing_fields_have_their_default(tamper):
    assert tamper(("options", "weight_decay"), MISSING).options.weight_decay == 0


@pytest.mark.parametrize("group", ["raw", "best", "adam_m", "adam_v"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(tiny, unpack, forge, group, value):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([value, 0], np.float32), version=(1, 0))
    with pytest.raises(CheckpointError, match=f"{group} values are not all finite"):
        load(forge(tiny, (unpack(tiny) | {f"{group}.by.npy": file.getvalue()}).items()))


def test_missing_and_extra_members_are_refused(tiny, unpack, forge):
    members = unpack(tiny)
    assert len(members) == 28  # metadata, five arrays in each of five groups, one of whitening, one state
    for name in members:
        with pytest.raises(CheckpointError):
            load(forge(tiny, [item for item in members.items() if item[0] != name]))
    for extra in ("more.npy", "raw.Wxh1.npy", "last.by.npy", "state.c0.npy", "raw.by", "folder/", "../outside.npy"):
        with pytest.raises(CheckpointError):
            load(forge(tiny, [*members.items(), (extra, members["raw.by.npy"])]))


def test_load_takes_a_path_or_a_string(tiny):
    assert load(str(tiny)).corpus == load(tiny).corpus
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_model(tiny.with_name("nowhere.npz"))
