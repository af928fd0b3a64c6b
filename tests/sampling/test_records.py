"""Constraints on records: each by itself, all together, and the error when they cannot be met."""

import re
from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest

from charrnn import sample, sample_records
from charrnn.errors import OptionError, TooFewError, UnknownCharacterError
from charrnn.language_model import LanguageModel
from charrnn.sampling import records as record_sampling
from charrnn.sampling.constraints import at_least, complete, matching, not_among, not_repeated
from charrnn.sampling.params import RecordConstraints, SamplingParams
from charrnn.sampling.record_stream import DrawnRecord
from charrnn.sampling.records import PREVIEW_LENGTH, PREVIEW_RECORDS, Tally, new_records, preview_records
from charrnn.text.records import hashes, lay_out, short
from charrnn.text.vocab import Vocab

VOCAB = Vocab("\nab世")


def drawn_of(text, complete=True):
    laid = lay_out(VOCAB.encode(text or "a")[0], 0)
    return DrawnRecord(text, complete, 1.0, int(short(hashes(laid, np.array([0, len(laid) - 1])))[0]))


def passing(constraint, *texts):
    return [text for text in texts if constraint.passes(drawn_of(text))]


def known(*texts):
    return [drawn_of(text).hash for text in texts]


def test_each_constraint():
    assert passing(at_least(2), "", "a", "ab", "aab") == ["ab", "aab"]
    assert passing(at_least(0), "", "a") == ["a"]
    assert passing(matching("a|b世*"), "a", "ab", "b", "b世世", "世b", "") == ["a", "b", "b世世"]
    assert passing(
        not_among(np.unique(np.array(known("ab", "b", "世"), np.uint32))), "a", "ab", "b", "ba", "世", "世世"
    ) == ["a", "ba", "世世"]
    assert passing(not_among(np.zeros(0, np.uint32)), "a") == ["a"]
    assert passing(not_repeated(), "a", "b", "a", "ab", "b") == ["a", "b", "ab"]
    assert complete().passes(drawn_of("a"))
    assert not complete().passes(drawn_of("a", complete=False))
    assert matching("\xe4|\\xff", of_bytes=True).passes(DrawnRecord("ä".encode(), True, 0, 0))


@pytest.mark.parametrize("pattern", ["(", "*", "a{2,1}", "[b-a]", "(?P<n>a)(?P<n>b)", "a{99999999999999999999}"])
def test_an_invalid_regular_expression(pattern):
    with pytest.raises(OptionError, match="not a regular expression"):
        matching(pattern)


def test_constraints_compose(record_model):
    model = record_model(known=known("ab", "aa", "ba"))
    how = {"min_length": 2, "max_length": 6, "match": "[ab]*", "novel": True, "unique": True}
    tally = Tally()
    lists = new_records(model, 12, RecordConstraints(prefix="a", **how), SamplingParams(seed=2), tally)
    texts = [drawn.text for drawn in chain.from_iterable(lists)]
    assert texts == sample_records(model, 12, "a", seed=2, **how)
    assert len(set(texts)) == 12
    for text in texts:
        assert re.fullmatch("a[ab]{1,5}", text)
        assert text not in ("ab", "aa")
    assert tally.accepted == 12
    assert set(tally.refused) == {"too long", "too short", "no match", "not novel", "repeated"}


def test_constraints_do_not_change_the_odds_of_the_rest(record_model):
    """Records that pass come as often, relative to each other, as they do without constraints."""
    model = record_model()
    everything = sample_records(model, 8000, seed=1)
    few = Counter(sample_records(model, 2000, seed=2, match="[ab]+", min_length=2))
    kept = Counter(text for text in everything if re.fullmatch("[ab]{2,}", text))
    assert kept.total() > 500
    for text, times in kept.most_common(6):
        mean = 2000 * times / kept.total()
        assert abs(few[text] - mean) < 5 * (mean + mean**2 / times) ** 0.5


def test_the_count_is_exact_and_a_longer_list_begins_with_the_shorter(record_model):
    model = record_model()
    lists = [sample_records(model, n, seed=7, unique=True) for n in (0, 1, 2, 40, 300)]
    assert [len(texts) for texts in lists] == [0, 1, 2, 40, 300]
    for shorter, longer in pairwise(lists):
        assert longer[: len(shorter)] == shorter


def test_the_tally_counts_records_up_to_the_last_accepted_one(record_model):
    """Records drawn beside or after that one are not counted, so the number of streams makes no difference."""
    model, tallies = record_model(), []
    for streams in (1, 64):
        tally = Tally()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(record_sampling, "MIN_STREAMS", streams)
            list(new_records(model, 20, RecordConstraints(min_length=3), SamplingParams(seed=1), tally))
        tallies.append(tally)
    assert tallies[0] == tallies[1]
    assert tallies[0].accepted == 20
    assert tallies[0].drawn == 20 + tallies[0].refused["too short"]


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("no match", {"match": "c"}),
        ("repeated", {"unique": True, "max_length": 1}),
        ("too short", {"min_length": 999}),
        ("not novel", {"novel": True, "max_length": 1}),
        ("too long", {"max_length": 1, "prefix": "a", "temperature": 0}),
    ],
)
def test_an_error_when_records_are_too_rare(record_model, monkeypatch, fault, how):
    monkeypatch.setattr(record_sampling, "PATIENCE", 3000)
    model = record_model(known=known("a", "b", "世"), newline_bias=-9 if fault == "too long" else 1)
    with pytest.raises(TooFewError) as caught:
        sample_records(model, 10, **how)
    reached = 3 if fault == "repeated" else 0
    message = f"too few records: found {reached} of 10, and none in the last 3,000 characters "
    assert str(caught.value).startswith(message)
    assert re.search(rf"\d {fault}", str(caught.value))
    assert "\n" not in str(caught.value)


def test_accepted_records_come_before_the_error(record_model, monkeypatch):
    monkeypatch.setattr(record_sampling, "PATIENCE", 3000)
    got = []
    with pytest.raises(TooFewError):
        got.extend(iter_texts(record_model(), 10))
    assert sorted(got) == ["a", "b", "世"]


def iter_texts(model, n):
    for records in new_records(model, n, RecordConstraints(max_length=1, unique=True), SamplingParams()):
        yield from (drawn.text for drawn in records)


def test_wrong_values(record_model):
    model = record_model()
    for message, wrong in (
        ("n: -1 is not valid", {"n": -1}),
        ("n: True is not valid", {"n": True}),
        ("max_length: 0 is not valid", {"max_length": 0}),
        ("min_length: 5 is more than max_length", {"min_length": 5, "max_length": 4}),
        ("prefix: it is 4 characters long and max_length is 3", {"prefix": "abab", "max_length": 3}),
        ("params: stop is for texts", {"params": SamplingParams(stop="a")}),
        ("params: seed is given beside it", {"params": SamplingParams(), "seed": 1}),
        ("constraints: unique is given beside it", {"constraints": RecordConstraints(), "unique": True}),
    ):
        with pytest.raises(OptionError, match=message):
            sample_records(model, **wrong)
    with pytest.raises(UnknownCharacterError, match="the prefix"):
        sample_records(model, 1, "xyz")
    with pytest.raises(OptionError, match="does not know its training records"):
        sample_records(replace(model, training_hashes=None), 1, novel=True)
    with pytest.raises(OptionError, match="writes texts, not records"):
        sample_records(LanguageModel(model.network, VOCAB, 0), 1)
    with pytest.raises(OptionError, match="sample_records"):
        sample(model)


def test_a_preview_is_short_even_if_no_record_ends(record_model):
    texts = preview_records(record_model(newline_bias=-1e4), SamplingParams(temperature=0.8, seed=1))
    assert [len(text) for text in texts] == [PREVIEW_LENGTH + 1] * PREVIEW_RECORDS
    assert len(set(texts)) == PREVIEW_RECORDS
