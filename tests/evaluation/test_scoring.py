"""Bits for each character, word and line: against a naive loop, as exact sums, and however the text comes."""

from itertools import chain, pairwise
from math import inf, log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import OptionError, UnknownCharacterError
from charrnn.evaluation import surprisal, windows
from charrnn.evaluation.metrics import evaluate, partial_metrics
from charrnn.evaluation.scoring import ScoredUnit, score, scored_units, top_units
from charrnn.language_model import LanguageModel
from charrnn.nn.cells import CELLS
from charrnn.nn.config import ModelConfig
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.text.vocab import Vocab

CHARACTERS = "\n abé🙂"
V = len(CHARACTERS)
PER = ("char", "word", "line")
TEXT = st.text(st.sampled_from(CHARACTERS), max_size=60)


def model_of(cell="gru", dtype=np.float64, seed=1, vocab=None, lines=False):
    vocab = vocab or Vocab(CHARACTERS)
    config = ModelConfig(len(vocab), cell, hidden=5, layers=2)
    params = Params(config.shapes(), dtype)
    params.flat[:] = np.random.default_rng(seed).normal(0, 0.8, params.flat.size)
    return LanguageModel(Model(config, params), vocab, int(vocab.encode("\n")[0][0]), lines)


def text_of(length, characters=CHARACTERS):
    return "".join(np.random.default_rng(length).choice(list(characters), length))


def naive(model, text, piece=windows.WINDOW, warm_up=windows.WARM_UP):
    """(bits, rank) of each character after the first, in float64, one at a time."""
    params = Params(model.network.config.shapes(), np.float64)
    params.flat[:] = model.network.params.flat
    network, (ids, _) = Model(model.network.config, params), model.vocab.encode(text)
    work, found = network.workspace(1, 1), []
    for start in range(0, len(ids) - 1, piece):
        state = network.zero_state(1)
        for place in range(max(0, start - warm_up), min(start + piece, len(ids) - 1)):
            state = network.forward(ids[[place], None], state, work)
            if place >= start:
                probs = np.exp(work.logits[:, 0]) / np.exp(work.logits[:, 0]).sum()
                own = probs[ids[place + 1]]
                found.append((-log2(own), 1 + sum(other > own for other in probs)))
    return found


@pytest.fixture
def small(monkeypatch):
    for name, value in {"WINDOW": 10, "WARM_UP": 4, "STREAMS": 3, "CHUNK": 4}.items():
        monkeypatch.setattr(windows, name, value)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 1e-4)])
@pytest.mark.parametrize("cell", CELLS)
def test_characters_against_a_naive_loop(small, cell, dtype, tolerance):
    model, text = model_of(cell, dtype), text_of(137)
    bits, ranks = zip(*naive(model, text, 10, 4), strict=True)
    rows = list(score(model, text, per="char"))
    assert [row.bits for row in rows] == pytest.approx(bits, abs=tolerance)
    assert [row.rank for row in rows] == list(ranks)
    assert [(row.number, row.start, row.end, row.chars) for row in rows] == [
        (i + 1, i, i + 1, 1) for i in range(1, 137)
    ]
    assert "".join(row.text for row in rows) == text[1:]


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums_are_exact_and_those_of_evaluation(lines, dtype):
    model, text = model_of(dtype=dtype, lines=lines), text_of(9000) + "\n"
    if lines:  # as a text of records is laid out: after a newline, without empty lines
        laid_out = "\n" + "".join(f"{line}\n" for line in text.split("\n") if line)
        parts = list(partial_metrics(model.network, model.vocab.encode(laid_out)[0], reset_id=model.reset_id))
        nats, chars = sum(part.nats for part in parts), sum(part.chars for part in parts)
    else:
        whole = evaluate(model, text)
        nats, chars = whole.nats, whole.chars
    totals = set()
    for per in PER:
        rows = list(score(model, text, per=per))
        assert sum(row.chars for row in rows) == chars
        assert sum(row.bits for row in rows) * log(2) / chars == pytest.approx(nats / chars, abs=1e-6)
        totals.add(sum(round(row.bits * 1e6) for row in rows))
    assert len(totals) == 1


@given(TEXT, st.lists(st.integers(0, 60), max_size=4), st.sampled_from(PER), st.booleans(), st.data())
def test_it_does_not_matter_how_a_text_comes(text, cuts, per, lines, data):
    """In any parts, with any unknown characters in it, on any cut of the pieces."""
    unknown = data.draw(st.sampled_from(["uniform", "skip"]))
    text = "".join(data.draw(st.sampled_from([c, c, c, "?"])) for c in text)
    model = model_of("rnn", lines=lines)
    edges = [0, *sorted(cuts), len(text)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WINDOW": 5, "WARM_UP": 7, "STREAMS": 3, "CHUNK": 4}.items():
            patch.setattr(windows, name, value)
        whole = list(scored_units(model, [text], per, unknown))
        patch.setattr(surprisal, "MOST_PENDING", data.draw(st.sampled_from([3, 1000])))
        parts = list(scored_units(model, (text[a:b] for a, b in pairwise(edges)), per, unknown))
    assert [row._replace(bits=0, bits_per_char=0) for row in parts] == [
        row._replace(bits=0, bits_per_char=0) for row in whole
    ]
    assert [row.bits for row in parts] == pytest.approx([row.bits for row in whole], abs=1e-5)
    joined = "".join(row.text + "\n" * (per == "line") for row in whole)
    assert joined.removesuffix("\n") == text.removesuffix("\n")


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_go_out_as_soon_as_their_piece_is_whole(small, threads):
    """With ten characters a piece, at most one piece is held back; of records, nothing after a newline."""
    given_, told = 0, 0

    def parts(step):
        nonlocal given_
        for place in range(0, 200, step):
            assert given_ - told <= 11
            given_ += step
            yield text[place : place + step]

    text = text_of(200)
    for row in score(model_of(), parts(1), per="char", threads=threads):
        told = row.end
    text, given_, told = "ab\naa\n\nb\n\n" * 17, 0, 0

    def lines():
        nonlocal given_
        for line in text.splitlines(keepends=True):
            assert told == given_ or text[told:given_] == "\n"
            given_ += len(line)
            yield line

    for row in score(model_of(lines=True), lines(), threads=threads):
        told = row.end


@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_text_is_told_group_by_group(small, threads):
    """Before all of it has been read, though all of it is there."""
    text = text_of(500)
    parts = list(surprisal.surprisals(model_of(), [text], "uniform", threads=threads))
    assert "".join(part.text for part in parts) == text
    assert max(len(part.text) for part in parts) <= windows.STREAMS * windows.WINDOW + 1


def test_records_do_not_know_of_each_other():
    model = model_of(lines=True)
    alone = {line: next(score(model, line)).bits for line in ("ab", "é🙂 a", "a", "b" * 300)}
    for text in ("ab\né🙂 a\na\n" + "b" * 300, "\n\na\n\nab\nab\n", "b" * 300 + "\n"):
        for row in score(model, text):
            assert row.bits == pytest.approx(alone[row.text], abs=1e-6)
            assert row.chars == len(row.text) + 1  # and its newline, which it is scored with where it has none
            assert text.split("\n")[row.number - 1] == row.text == text[row.start : row.end].removesuffix("\n")


def test_unknown_characters(small):
    model, text = model_of(), "?ab?? a\n?é" * 9
    known = text.replace("?", "")
    with pytest.raises(UnknownCharacterError, match=r"'\?'.*position 0 is not"):
        list(score(model, text, unknown="error"))
    skipped, charged = (list(score(model, text, "char", unknown)) for unknown in ("skip", "uniform"))
    assert [row.bits for row in skipped] == [row.bits for row in score(model, known, "char")]
    assert [row for row in charged if row.text != "?"] == skipped
    assert {row.bits for row in charged if row.text == "?"} == {round(log2(V), 6)}
    assert {row.rank for row in charged if row.text == "?"} == {None}
    assert sum(row.bits for row in charged) * log(2) == pytest.approx(evaluate(model, text, "uniform").nats, abs=1e-4)


@pytest.mark.parametrize("text", ["", "a", "?", "??", "\n", "\n\n"])
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("per", PER)
def test_what_has_nothing_to_score_has_no_row(text, lines, per):
    rows = list(score(model_of(lines=lines), text, per=per))
    unknown, known = text.count("?"), text.strip("\n").replace("?", "")
    expected = unknown + (len(known) + bool(known) if lines else max(0, len(text) - unknown - 1))
    assert sum(row.chars for row in rows) == expected
    assert all(row.chars for row in rows)


def test_a_model_of_bytes(small):
    model = model_of(vocab=Vocab(of_bytes=True))
    data = "naïve 世界\nb".encode() + b"\xff\x00 "
    rows = list(score(model, data, per="word"))
    assert [row.text for row in rows] == ["naïve".encode(), " 世界".encode(), b"\nb\xff\x00", b" "]
    assert sum(row.bits for row in rows) * log(2) == pytest.approx(evaluate(model, data).nats, abs=1e-4)
    assert list(score(model, data.decode("utf-8", "surrogateescape"), per="word")) == rows


def test_two_models(small):
    ours, theirs = model_of(), model_of("lstm", seed=2, vocab=Vocab(CHARACTERS + "xyz"))
    text = text_of(300, CHARACTERS + "x")
    for per in PER:
        rows = list(score(ours, text, per=per, against=theirs))
        alone, others = list(score(ours, text, per=per)), list(score(theirs, text, per=per))
        assert [row._replace(other_bits=None, ratio=None) for row in rows] == alone
        assert [row.other_bits for row in rows] == [row.bits for row in others]
        assert [row.ratio for row in rows] == pytest.approx(
            [b.bits - a.bits for a, b in zip(alone, others, strict=True)]
        )
    same = list(score(ours, (c for c in text), against=ours))
    assert {row.ratio for row in same} == {0}


def test_characters_that_only_one_of_two_models_scores_do_not_count():
    ours, theirs = model_of(), model_of(vocab=Vocab(CHARACTERS + "xyz"))
    text = "xaxbéxa\n"
    rows = list(score(ours, text, "char", "skip", against=theirs))
    assert "".join(row.text for row in rows) == "béa\n"  # the first for each follows nothing


def test_what_cannot_be_compared_or_asked():
    with pytest.raises(OptionError, match="char, word, line"):
        score(model_of(), "ab", per="token")
    with pytest.raises(OptionError, match="error, skip, uniform"):
        score(model_of(), "ab", unknown="?")
    for other in (model_of(lines=True), model_of(vocab=Vocab(of_bytes=True))):
        with pytest.raises(OptionError, match="read different things"):
            score(model_of(), "ab", against=other)


def test_weights_that_diverged_give_no_finite_bits():
    """And those of one line do not spill over to the next."""
    model = model_of(lines=True)
    model.network.params["Why"][:, 0] = 1e308
    model.network.params["by"][:] = [1e308, -1e308, 0, 0, 0, 0]
    rows = list(score(model, "a\nb\n"))
    assert len(rows) == 2
    assert not any(row.bits < inf for row in rows)


def test_the_oddest_rows():
    row = ScoredUnit(1, 0, 1, 1, 0.0, 0.0, None, None, None, "")
    rows = [row._replace(bits=bits, chars=chars) for bits, chars in [(15, 1), (60, 40), (70, 40), (100, 200), (60, 24)]]
    assert [row.bits for row in top_units(chain(rows), 3)] == [60, 70, 60]
    assert top_units(rows, 100)[-1].bits == 100
    ratios = [row._replace(ratio=ratio) for ratio in (-3.0, 5.0, 0.0)]
    assert [row.ratio for row in top_units(ratios, 2)] == [5.0, 0.0]
    assert top_units([], 3) == []


def test_ties_stay_in_the_order_of_the_text():
    row = ScoredUnit(1, 0, 1, 1, 2.0, 2.0, None, None, None, "")
    assert [row.number for row in top_units([row._replace(number=i) for i in range(9)], 4)] == [0, 1, 2, 3]
