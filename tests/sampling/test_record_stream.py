"""Records follow the model's distribution, depend on their number alone, and have the bits that eval gives them."""

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
from charrnn.sampling.params import SamplingParams
from charrnn.sampling.record_stream import draw_records
from charrnn.text.records import hashes, lay_out, short

NEWLINE = 0
NOTHING = np.zeros(0, np.intp)


def draw(model, count, prefix="", max_length=50, streams=256, **params):
    records = draw_records(model, model.vocab.encode(prefix)[0], max_length, SamplingParams(**params), streams=streams)
    return list(islice(chain.from_iterable(records), count))


def bits_of(model, text):
    """-log2 p of the record, read one character at a time from the zero state, in float64."""
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
def test_records_follow_the_distribution_of_the_model(record_model, cell, layers):
    model, count = record_model(cell, layers), 20_000
    times = Counter(drawn.text for drawn in draw(model, count, streams=200))
    expected = {text: count * exp(-log(2) * bits_of(model, text)) for text in ("", "a", "b", "世", "ab", "世a")}
    for text, mean in expected.items():
        assert abs(times[text] - mean) < 5 * mean**0.5 + 1, text


def test_temperature_and_filters_work_as_for_texts(record_model):
    model = record_model()
    cold, hot = (Counter(drawn.text for drawn in draw(model, 4000, temperature=t)) for t in (0.5, 2))
    assert len(cold) < len(hot)
    greedy = draw(model, 30, temperature=0)
    assert len({drawn.text for drawn in greedy}) == 1
    assert greedy == draw(model, 30, top_k=1) == draw(model, 30, top_p=1e-9, seed=5)


def test_a_record_depends_on_its_number_alone(record_model):
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
def test_bits_are_those_of_eval(record_model, dtype, prefix, temperature):
    model = record_model(dtype=dtype)
    tolerance = 1e-9 if dtype == np.float64 else 1e-4
    records = draw(model, 100, prefix, temperature=temperature)
    for drawn in filter(lambda drawn: drawn.complete, records[:20]):
        assert drawn.bits == pytest.approx(bits_of(model, drawn.text), abs=tolerance)
    whole = [drawn for drawn in records if drawn.text and drawn.complete]  # empty lines of a text are not records
    score = evaluate(model, "".join(f"{drawn.text}\n" for drawn in whole))
    assert score.chars == sum(len(drawn.text) + 1 for drawn in whole)
    assert sum(drawn.bits for drawn in whole) * log(2) == pytest.approx(score.nats, rel=1e-6)


@pytest.mark.parametrize("prefix", ["", "b", "a世a"])
def test_hashes_are_those_of_records_in_a_text(record_model, prefix):
    model = record_model()
    records = [drawn for drawn in draw(model, 50, prefix) if drawn.text and drawn.complete]
    laid = lay_out(model.vocab.encode("\n".join(drawn.text for drawn in records))[0], NEWLINE)
    assert_array_equal([drawn.hash for drawn in records], short(hashes(laid, np.flatnonzero(laid == NEWLINE))))


def test_a_prefix_gives_the_same_distribution_as_discarding_records_without_it(record_model):
    model, prefix = record_model(), "ab"
    rest = [drawn.text for drawn in draw(model, 60_000, streams=400) if drawn.text.startswith(prefix)]
    with_prefix = Counter(drawn.text for drawn in draw(model, len(rest), prefix))
    assert all(text.startswith(prefix) for text in with_prefix)
    for text, times in Counter(rest).most_common(5):
        assert abs(times - with_prefix[text]) < 5 * (times + with_prefix[text]) ** 0.5


def test_records_that_become_too_long_are_given_up(record_model):
    model = record_model()
    records = draw(model, 500, max_length=3, prefix="a")
    for drawn in records:
        assert drawn.complete == (len(drawn.text) <= 3)
        assert len(drawn.text) <= 4
    assert {drawn.complete for drawn in records} == {True, False}
    longer = draw(model, 500, max_length=200, prefix="a")
    assert [drawn.text[:4] for drawn in longer] == [drawn.text for drawn in records]
    assert max(len(drawn.text) for drawn in longer) > 4


def test_records_may_be_much_longer_than_the_first_capacity(record_model):
    model = record_model(newline_bias=-8)
    long = draw(model, 3, max_length=1000, streams=2)
    assert max(len(drawn.text) for drawn in long) > 300
    assert long == draw(model, 3, max_length=1000, streams=3)


def test_a_very_long_record_limits_how_many_are_drawn_ahead(record_model, monkeypatch):
    """Streams wait for it, which bounds the memory; the records are the same and none is missing."""
    model = record_model()
    expected = draw(model, 400, streams=8)
    monkeypatch.setattr(record_stream, "MAX_AHEAD", 1)
    assert draw(model, 400, streams=8) == expected


def test_invalid_requests(record_model):
    model = record_model()
    with pytest.raises(TextError, match="newline"):
        draw(model, 1, prefix="a\nb")
    with pytest.raises(OptionError, match=r"seed: 18446744073709551616 is too large"):
        draw(model, 1, seed=2**64)
    with pytest.raises(OptionError, match="writes texts, not records"):
        draw(LanguageModel(model.network, model.vocab, NEWLINE), 1)
