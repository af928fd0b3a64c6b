"""Sampling options are checked when they are made and cannot be changed; the examples in the docstrings run."""

import copy
import doctest
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import charrnn
from charrnn import RecordConstraints, SamplingParams
from charrnn.errors import OptionError
from charrnn.language_model import LanguageModel
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.text.vocab import Vocab


def text_model():
    """An untrained model that knows the letters of "the "."""
    config = ModelConfig(4, "gru", hidden=5, layers=1)
    params = Params(config.shapes())
    params.flat[:] = np.random.default_rng(4).normal(0, 0.4, params.flat.size)
    return LanguageModel(Model(config, params), Vocab("the "), 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -0.1}, "temperature: -0.1 is not valid; give a number, 0 or more"),
        ({"temperature": float("nan")}, "temperature: nan is not valid; give a number, 0 or more"),
        ({"temperature": "1"}, "temperature: '1' is not valid; give a number, 0 or more"),
        ({"temperature": True}, "temperature: True is not valid; give a number, 0 or more"),
        ({"temperature": np.True_}, f"temperature: {np.True_!r} is not valid; give a number, 0 or more"),
        ({"temperature": None}, "temperature: None is not valid; give a number, 0 or more"),
        (
            {"temperature": 10**400},
            f"temperature: {'1' + 59 * '0'} ... is not valid; give a number that fits in a float",
        ),
        ({"top_p": 1.01}, "top_p: 1.01 is not valid; give a number from 0 to 1"),
        ({"top_k": -1}, "top_k: -1 is not valid; give a whole number, 0 or more"),
        ({"top_k": 2.0}, "top_k: 2.0 is not valid; give a whole number, 0 or more"),
        ({"top_k": np.arange(2)}, "top_k: array([0, 1]) is not valid; give a whole number, 0 or more"),
        ({"no_repeat": True}, "no_repeat: True is not valid; give a whole number, 0 or more"),
        ({"length": "5"}, "length: '5' is not valid; give a whole number, 0 or more"),
        ({"min_length": -2}, "min_length: -2 is not valid; give a whole number, 0 or more"),
        ({"seed": -1}, "seed: -1 is not valid; give a whole number, 0 or more"),
        ({"ban": None}, "ban: None is not valid; give a string"),
        ({"allow": 5}, "allow: 5 is not valid; give a string"),
        ({"stop": 5}, "stop: 5 is not valid; give a string or several strings"),
        ({"stop": ["a", 5]}, "stop: ['a', 5] is not valid; give a string or several strings"),
    ],
)
def test_invalid_params(wrong, message):
    with pytest.raises(OptionError) as caught:
        SamplingParams(**wrong)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"min_length": -1}, "min_length: -1 is not valid; give a whole number, 0 or more"),
        ({"max_length": 0}, "max_length: 0 is not valid; give a whole number, 1 or more"),
        (
            {"min_length": 9, "max_length": 8},
            "min_length: 9 is more than max_length, which is 8; change one of them",
        ),
        ({"prefix": 1}, "prefix: 1 is not valid; give a string"),
        ({"match": b"a"}, "match: b'a' is not valid; give a string"),
        ({"novel": 1}, "novel: 1 is not valid; give True or False"),
        ({"unique": "no"}, "unique: 'no' is not valid; give True or False"),
    ],
)
def test_invalid_constraints(wrong, message):
    with pytest.raises(OptionError) as caught:
        RecordConstraints(**wrong)
    assert str(caught.value) == message


def test_values_become_plain_python():
    numbers = {"temperature": np.float32(0.5), "top_p": 1, "top_k": np.int16(3), "seed": np.uint64(2**63)}
    given = SamplingParams(**numbers, stop=["a", b"b"])
    assert given == SamplingParams(temperature=0.5, top_k=3, seed=2**63, stop=("a", b"b"))
    assert {type(given.temperature), type(given.top_p)} == {float}
    assert {type(given.top_k), type(given.seed)} == {int}
    assert SamplingParams(stop="ab").stop == ("ab",)
    assert SamplingParams(stop=None) == SamplingParams(stop=[]) == SamplingParams()
    constraints = RecordConstraints(novel=np.True_, max_length=np.int64(7))
    assert (type(constraints.novel), type(constraints.max_length)) == (bool, int)


@pytest.mark.parametrize(
    "params", [SamplingParams(temperature=0.5, stop=["a\n"]), RecordConstraints(prefix="a\n", unique=True)]
)
def test_records_are_values(params):
    """They can be compared, hashed, copied, pickled and shown in one line, and cannot be changed."""
    for same in (copy.deepcopy(params), pickle.loads(pickle.dumps(params)), replace(params), eval(repr(params))):
        assert same == params
        assert hash(same) == hash(params)
    assert "\n" not in repr(params)
    assert params != type(params)()
    with pytest.raises(FrozenInstanceError):
        params.min_length = 3


def test_keywords_and_params_give_the_same(record_model):
    model = text_model()
    how = {"length": 50, "temperature": 0.6, "top_k": 3, "top_p": 0.9, "ban": "h", "allow": "the", "no_repeat": 3}
    params = SamplingParams(**how, stop="tt", min_length=4, seed=2)
    assert charrnn.sample(model, params=params) == charrnn.sample(model, **how, stop="tt", min_length=4, seed=2)
    how = {"temperature": 0.6, "top_k": 3, "top_p": 0.9, "ban": "世", "allow": "ab世", "seed": 2}
    constraints = RecordConstraints(prefix="b", min_length=2, max_length=9, match="[ab]*", unique=True)
    records = charrnn.sample_records(record_model(), 5, constraints=constraints, params=SamplingParams(**how))
    of_records = {"min_length": 2, "max_length": 9, "match": "[ab]*", "unique": True}
    assert records == charrnn.sample_records(record_model(), 5, "b", **of_records, **how)


def test_keywords_besides_params_are_an_error():
    for wrong in ({"length": 5}, {"temperature": 0.5}, {"stop": "t"}):
        with pytest.raises(OptionError, match=f"params: {next(iter(wrong))} is given beside it"):
            charrnn.sample(text_model(), params=SamplingParams(), **wrong)
    with pytest.raises(OptionError, match=r"params: \{'length': 5\} is not valid; give a SamplingParams"):
        charrnn.sample(text_model(), params={"length": 5})


def test_the_module_imports_no_numpy():
    """The command line builds these records, and `--help` does not wait for NumPy."""
    code = "import sys, charrnn.sampling.params; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["SamplingParams", "RecordConstraints", "sample", "sample_records"])
def test_the_examples_in_the_docstrings(name, record_model):
    model = record_model() if name == "sample_records" else text_model()
    names = {"charrnn": charrnn, "model": model, **vars(charrnn)}
    public = getattr(charrnn, name)
    (example,) = doctest.DocTestFinder(recurse=False).find(public, name, globs=names)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0
