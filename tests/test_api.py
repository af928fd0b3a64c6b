"""The Python API: the example in the package's docstring, the public names and types, and wrong arguments."""

import copy
import doctest
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import charrnn

TYPES = [
    "Corpus",
    "LanguageModel",
    "Metrics",
    "Options",
    "Overlap",
    "Run",
    "SamplingParams",
    "ScoredUnit",
    "StepRecord",
]
SMALL = {"hidden": 4, "layers": 1}


def test_the_example_runs(tmp_path, monkeypatch, capsys, short_text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(short_text.replace("世界", "some text"), encoding="utf-8")
    head, example = charrnn.__doc__.split("import charrnn\n", 1)
    names = {"charrnn": charrnn}
    exec(compile(example, head, "exec"), names)

    lines = capsys.readouterr().out.splitlines()
    steps = [line.split() for line in lines[:500]]
    assert [int(step) for step, _ in steps] == list(range(1, 501))
    assert float(steps[-1][1]) < float(steps[0][1])
    *written, bits_per_char, some, text = lines[500:]
    assert len("\n".join(written)) == 200
    assert set("".join(written)) <= set(names["corpus"].vocab.characters)
    assert 0 < float(bits_per_char) < 8
    words = [some.removeprefix("some "), text.removeprefix(" text ")]
    assert sum(map(float, words)) == pytest.approx(8 * float(bits_per_char), abs=1e-4)
    assert (tmp_path / "model.npz").exists()


def test_every_public_name_is_what_its_home_has():
    assert sorted([*charrnn._HOMES, "__version__"]) == sorted(charrnn.__all__)
    for name in charrnn._HOMES:
        assert getattr(charrnn, name).__module__ == f"charrnn.{charrnn._HOMES[name]}"
        assert getattr(charrnn, name).__name__ == name


def test_dir_has_the_public_names_and_nothing_else():
    code = "import charrnn, charrnn.cli; charrnn.train; print(*dir(charrnn))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert shown == sorted(charrnn.__all__)


def test_every_error_is_public():
    from charrnn import errors

    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert defined == {name for name in charrnn.__all__ if name.endswith("Error")}


def test_public_names_have_docstrings_with_an_example():
    for name in charrnn._HOMES:
        documentation = inspect.getdoc(getattr(charrnn, name))
        assert documentation, name
        if not name.endswith("Error"):
            assert ">>> " in documentation, name


def test_the_types_are_found_by_mypy(tmp_path):
    pytest.importorskip("mypy")
    source = tmp_path / "program.py"
    source.write_text(
        "import charrnn\n"
        "corpus: charrnn.Corpus = charrnn.read_corpus('corpus.txt')\n"
        "run: charrnn.Run = charrnn.new_run(corpus, options=charrnn.Options(dropout=0.1))\n"
        "for record in charrnn.train(run, corpus):\n"
        "    loss: float = record.loss\n"
        "reveal_type(charrnn.evaluate(run.model(), 'text'))\n"
    )
    cache = ["--cache-dir", str(tmp_path), "--no-incremental"]
    command = [sys.executable, "-m", "mypy", "--strict", *cache, str(source)]
    folder = Path(charrnn.__file__).parent.parent
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"MYPYPATH": str(folder)})
    assert 'Revealed type is "charrnn.evaluation.metrics.Metrics"' in result.stdout
    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """One of each public type, by name, and a second one made in the same way."""
    path = tmp_path_factory.mktemp("api") / "corpus.txt"
    path.write_text("the cat sat on the mat; the rat sat on the cat\n" * 8)

    def make():
        corpus = charrnn.read_corpus(path)
        run = charrnn.new_run(corpus, **SMALL)
        run.set_budget(steps=2)
        records = list(charrnn.train(run, corpus))
        model = run.model()
        values = [
            corpus,
            run,
            model,
            run.options,
            charrnn.SamplingParams(temperature=0.5),
            records[0],
            charrnn.evaluate(model, "the cat"),
            next(charrnn.score(model, "the cat")),
            charrnn.copied("the cat", [str(path)]),
        ]
        return {type(value).__name__: value for value in values}

    return make(), make()


@pytest.mark.parametrize("name", TYPES)
def test_every_type_says_what_it_is_in_one_line(objects, name):
    shown = repr(objects[0][name])
    assert shown.startswith(f"{name}(")
    assert "\n" not in shown
    assert len(shown) < 400


@pytest.mark.parametrize("name", TYPES)
def test_every_type_can_be_compared_hashed_and_copied(objects, name):
    one, other = (made[name] for made in objects)
    if name == "Run":
        with pytest.raises(TypeError, match="save it and load it"):
            copy.copy(one)
    elif name != "LanguageModel":  # which equals only itself
        assert one == copy.copy(one)
    assert one == one
    assert isinstance(one == other, bool)
    assert isinstance(hash(one), int)
    if name not in ("Run", "LanguageModel", "StepRecord"):
        assert one == other
        assert hash(one) == hash(other)


WRONG = {
    "no such cell": lambda corpus: charrnn.new_run(corpus, cell="foo"),
    "hidden 0": lambda corpus: charrnn.new_run(corpus, hidden=0),
    "hidden -1": lambda corpus: charrnn.new_run(corpus, hidden=-1),
    "hidden 2.5": lambda corpus: charrnn.new_run(corpus, hidden=2.5),
    "hidden as text": lambda corpus: charrnn.new_run(corpus, hidden="many"),
    "layers 0": lambda corpus: charrnn.new_run(corpus, layers=0),
    "networks 0": lambda corpus: charrnn.new_run(corpus, networks=0),
    "a name for a model": lambda corpus: charrnn.new_run(corpus, init_from="model.npz"),
    "options as a dictionary": lambda corpus: charrnn.new_run(corpus, options={"lr": 0.1}),
    "a name for a corpus": lambda corpus: charrnn.new_run("corpus.txt"),
    "no dtype": lambda corpus: charrnn.new_run(corpus, dtype=None),
    "a model to save": lambda corpus: charrnn.save("model.npz", model_of(corpus)),
    "no path to save in": lambda corpus: charrnn.save(5, charrnn.new_run(corpus, **SMALL)),
    "no path to load from": lambda corpus: charrnn.load(None),
    "encoding": lambda corpus: charrnn.read_corpus("corpus.txt", encoding=5),
    "a run for a model": lambda corpus: charrnn.sample(charrnn.new_run(corpus, **SMALL)),
    "a run for a model to score": lambda corpus: charrnn.score(charrnn.new_run(corpus, **SMALL), "the cat"),
    "a number for a prime": lambda corpus: charrnn.sample(model_of(corpus), prime=5),
    "no run to train": lambda corpus: next(charrnn.train(None, corpus)),
    "a name for a text": lambda corpus: next(charrnn.train(charrnn.new_run(corpus, **SMALL), "corpus.txt")),
    "threads 0": lambda corpus: charrnn.new_run(corpus, threads=0),
    "dtype": lambda corpus: charrnn.new_run(corpus, dtype="int8"),
    "val_every 2.5": lambda corpus: charrnn.Options(val_every=2.5),
    "dropout as text": lambda corpus: charrnn.Options(dropout="x"),
    "dropout 1": lambda corpus: charrnn.Options(dropout=1.0),
    "lr nan": lambda corpus: charrnn.Options(lr=float("nan")),
    "seed -1": lambda corpus: charrnn.Options(seed=-1),
    "seed True": lambda corpus: charrnn.Options(seed=True),
    "batch_size None": lambda corpus: charrnn.Options(batch_size=None),
    "steps 0": lambda corpus: charrnn.new_run(corpus, **SMALL).set_budget(steps=0),
    "steps 2.5": lambda corpus: charrnn.new_run(corpus, **SMALL).set_budget(steps=2.5),
    "seconds -1": lambda corpus: charrnn.new_run(corpus, **SMALL).set_budget(seconds=-1),
    "no budget": lambda corpus: next(charrnn.train(charrnn.new_run(corpus, **SMALL), corpus)),
    "no files": lambda corpus: charrnn.read_corpus([]),
    "not a file name": lambda corpus: charrnn.read_corpus(7),
    "an empty name": lambda corpus: charrnn.read_corpus(""),
    "temperature -1": lambda corpus: charrnn.SamplingParams(temperature=-1),
    "top_p 2": lambda corpus: charrnn.SamplingParams(top_p=2),
    "top_k 1.5": lambda corpus: charrnn.SamplingParams(top_k=1.5),
    "temperature as text": lambda corpus: charrnn.sample(model_of(corpus), temperature="hot"),
    "length -1": lambda corpus: charrnn.sample(model_of(corpus), length=-1),
    "window 0": lambda corpus: charrnn.evaluate(model_of(corpus), "the cat", window=0),
    "window 2.5": lambda corpus: charrnn.evaluate(model_of(corpus), "the cat", window=2.5),
    "no such policy": lambda corpus: charrnn.evaluate(model_of(corpus), "the cat", unknown="x"),
    "no such unit": lambda corpus: charrnn.score(model_of(corpus), "the cat", per="x"),
}


def model_of(corpus):
    return charrnn.new_run(corpus, **SMALL).model()


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_argument_is_an_option_error_in_one_line(verse, what):
    with pytest.raises(charrnn.OptionError) as error:
        WRONG[what](verse)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_numbers_of_numpy_work_and_can_be_saved(tmp_path, verse):
    options = charrnn.Options(
        seed=np.int64(3),
        batch_size=np.int32(4),
        seq_length=np.uint8(8),
        dropout=np.float32(0.125),
        lr=np.float64(0.01),
        val_every=np.int64(2),
    )
    run = charrnn.new_run(verse, hidden=np.int64(4), layers=np.int16(1), options=options, threads=np.int64(1))
    run.set_budget(steps=np.int64(2))
    list(charrnn.train(run, verse))
    charrnn.save(tmp_path / "model.npz", run)
    assert charrnn.load(tmp_path / "model.npz").options == charrnn.Options(
        seed=3, batch_size=4, seq_length=8, dropout=0.125, lr=0.01, val_every=2, threads=1
    )


@pytest.mark.parametrize("kind", [str, Path, lambda path: [str(path)], lambda path: (path,)])
def test_a_corpus_may_be_named_by_one_name_or_several(tmp_path, kind):
    (tmp_path / "corpus.txt").write_text("some text")
    corpus = charrnn.read_corpus(kind(tmp_path / "corpus.txt"))
    assert corpus.names == (str(tmp_path / "corpus.txt"),)
    assert charrnn.evaluate(model_of(corpus), "some text").chars == 8


def documented():
    return [name for name in charrnn._HOMES if ">>> " in (inspect.getdoc(getattr(charrnn, name)) or "")]


@pytest.fixture(scope="module")
def example_folder(tmp_path_factory):
    """The files that the examples name: texts, and checkpoints of continuous text and of records."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("corpus.txt", "other.txt", "names.txt"):
        (folder / name).write_text("anna\nmaria\nthe cat sat on the mat\nROMEO: To be, or not to be.\n" * 9)
    for name, lines in (("model.npz", False), ("charrnn.npz", False), ("names.npz", True)):
        corpus = charrnn.read_corpus(folder / "corpus.txt", lines=lines)
        run = charrnn.new_run(corpus, **SMALL, options=charrnn.Options(lines=lines, lr=0.1))
        run.set_budget(steps=60)
        list(charrnn.train(run, corpus))
        charrnn.save(folder / name, run)
    return folder


def execute(source, names):
    """Run a statement, or return what an expression shows."""
    try:
        return repr(eval(source, names))
    except SyntaxError:
        exec(source, names)
    return ""


@pytest.mark.parametrize("name", documented())
def test_the_examples_of_docstrings_run(example_folder, monkeypatch, name):
    """Each docstring's lines in order. What they print is checked where the docstring says it."""
    monkeypatch.chdir(example_folder)
    corpus = charrnn.read_corpus("corpus.txt")
    run = charrnn.load("model.npz")
    run.set_budget(steps=2)
    model = charrnn.load_model("names.npz" if "records" in name else "model.npz")
    names = {"charrnn": charrnn, "corpus": corpus, "run": run, "model": model}
    names |= {public: getattr(charrnn, public) for public in charrnn.__all__}
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(getattr(charrnn, name)) or ""):
        shown = execute(example.source, names)
        assert example.want.strip() in ("", shown)


@pytest.mark.parametrize("networks", [1, 2])
def test_a_model_can_be_copied_and_pickled(verse, networks):
    run = charrnn.new_run(verse, **SMALL, networks=networks)
    run.set_budget(steps=3)
    list(charrnn.train(run, verse))
    model = run.model()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert charrnn.evaluate(other, "the cat sat") == charrnn.evaluate(model, "the cat sat")
        other.network.params.flat[:] = 0
        assert charrnn.evaluate(other, "the cat sat") != charrnn.evaluate(model, "the cat sat")
