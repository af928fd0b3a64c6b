"""Records as they are drawn: by the model's own probabilities, each from its number alone, and scored as eval does."""

from collections import Counter
from itertools import chain, islice, pairwise
from math import exp, log

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.errors import OptionError, TextError
from charrnn.evaluation.metrics import evaluate
from charrnn.language_model import LanguageModel
from charrnn.nn.cells import CELLS
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.sampling import record_stream
from charrnn.sampling.record_stream import draw_records
from charrnn.text.records import hashes, lay_out, short

NEWLINE = 0
NOTHING = np.zeros(0, np.intp)


def draw(model, count, prefix="", max_length=50, **how):
    records = draw_records(model, model.vocab.encode(prefix)[0], max_length, **how)
    return list(islice(chain.from_iterable(records), count))


def bits_of(model, text):
    """The record read one character after the other from the zero state, in float64."""
    params = Params(model.network.config.shapes(), np.float64)
    params.flat[:] = model.network.params.flat
    network, ids = Model(model.network.config, params), model.vocab.encode("\n" + text + "\n")[0]
    work, state, nats = network.workspace(1, 1), network.zero_state(1), 0.0
    for x, y in pairwise(ids):
        state = network.forward(np.array([[x]]), state, work)
        nats -= log(np.exp(work.logits[y, 0]) / np.exp(work.logits[:, 0]).sum())
    return nats / log(2)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_records_come_as_often_as_the_model_says(record_model, cell, layers):
    model, count = record_model(cell, layers), 20_000
    times = Counter(drawn.text for drawn in draw(model, count, streams=200))
    expected = {text: count * exp(-log(2) * bits_of(model, text)) for text in ("", "a", "b", "世", "ab", "世a")}
    for text, mean in expected.items():
        assert abs(times[text] - mean) < 5 * mean**0.5 + 1, text


def test_temperature_and_filters_are_those_of_texts(record_model):
    model = record_model()
    cold, hot = (Counter(drawn.text for drawn in draw(model, 4000, temperature=t)) for t in (0.5, 2))
    assert len(cold) < len(hot)
    greedy = draw(model, 30, temperature=0)
    assert len({drawn.text for drawn in greedy}) == 1
    assert greedy == draw(model, 30, top_k=1) == draw(model, 30, top_p=1e-9, seed=5)


def test_a_record_follows_from_its_number(record_model):
    model = record_model()
    records = draw(model, 300, seed=3)
    for streams in (1, 2, 7, 300):
        for drawn, expected in zip(draw(model, 300, seed=3, streams=streams), records, strict=True):
            assert drawn[:2] == expected[:2]
            assert drawn.bits == pytest.approx(expected.bits, rel=1e-9)
            assert drawn.hash == expected.hash
    assert draw(model, 20, seed=3) == records[:20]
    assert draw(model, 300, seed=4) != records


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("prefix", ["", "a", "世ab"])
@pytest.mark.parametrize("temperature", [1, 0.6])
def test_bits_are_what_eval_charges(record_model, dtype, prefix, temperature):
    model = record_model(dtype=dtype)
    tolerance = 1e-9 if dtype == np.float64 else 1e-4
    records = draw(model, 100, prefix, temperature=temperature)
    for drawn in filter(lambda drawn: drawn.complete, records[:20]):
        assert drawn.bits == pytest.approx(bits_of(model, drawn.text), abs=tolerance)
    whole = [drawn for drawn in records if drawn.text and drawn.complete]  # no empty line is a record in a text
    score = evaluate(model, "".join(f"{drawn.text}\n" for drawn in whole))
    assert score.chars == sum(len(drawn.text) + 1 for drawn in whole)
    assert sum(drawn.bits for drawn in whole) * log(2) == pytest.approx(score.nats, rel=1e-6)


@pytest.mark.parametrize("prefix", ["", "b", "a世a"])
def test_hashes_are_those_of_a_text(record_model, prefix):
    model = record_model()
    records = [drawn for drawn in draw(model, 50, prefix) if drawn.text and drawn.complete]
    laid = lay_out(model.vocab.encode("\n".join(drawn.text for drawn in records))[0], NEWLINE)
    assert_array_equal([drawn.hash for drawn in records], short(hashes(laid, np.flatnonzero(laid == NEWLINE))))


def test_a_prefix_comes_to_the_same_as_throwing_away_what_has_it_not(record_model):
    model, prefix = record_model(), "ab"
    rest = [drawn.text for drawn in draw(model, 60_000, streams=400) if drawn.text.startswith(prefix)]
    given = Counter(drawn.text for drawn in draw(model, len(rest), prefix))
    assert all(text.startswith(prefix) for text in given)
    for text, times in Counter(rest).most_common(5):
        assert abs(times - given[text]) < 5 * (times + given[text]) ** 0.5


def test_what_grows_too_long_is_given_up(record_model):
    model = record_model()
    records = draw(model, 500, max_length=3, prefix="a")
    for drawn in records:
        assert drawn.complete == (len(drawn.text) <= 3)
        assert len(drawn.text) <= 4
    assert {drawn.complete for drawn in records} == {True, False}
    longer = draw(model, 500, max_length=200, prefix="a")
    assert [drawn.text[:4] for drawn in longer] == [drawn.text for drawn in records]
    assert max(len(drawn.text) for drawn in longer) > 4


def test_a_record_may_be_as_long_as_it_likes(record_model):
    model = record_model(newline_bias=-8)
    long = draw(model, 3, max_length=1000, streams=2)
    assert max(len(drawn.text) for drawn in long) > 300
    assert long == draw(model, 3, max_length=1000, streams=3)


def test_a_very_long_record_holds_the_others_up(record_model, monkeypatch):
    """They wait, so that no more than so many are kept; the records are the same, and none is left out."""
    model = record_model()
    expected = draw(model, 400, streams=8)
    monkeypatch.setattr(record_stream, "MOST_AHEAD", 1)
    assert draw(model, 400, streams=8) == expected


def test_what_cannot_be_drawn(record_model):
    model = record_model()
    with pytest.raises(TextError, match="newline"):
        draw(model, 1, prefix="a\nb")
    for wrong in ({"temperature": -1}, {"top_k": -1}, {"top_p": 2}):
        with pytest.raises(OptionError, match="must be"):
            draw(model, 1, **wrong)
    with pytest.raises(OptionError, match="not of records"):
        draw(LanguageModel(model.network, model.vocab, NEWLINE), 1)
