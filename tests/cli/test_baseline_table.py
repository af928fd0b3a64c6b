"""charrnn eval --baselines: is this loss good?"""

import json
import re
from math import log2

import pytest

from charrnn.cli.baseline_table import table, verdict
from charrnn.evaluation.baselines import Baselines


@pytest.fixture
def compared(charrnn, trained):
    return lambda *words: json.loads(charrnn("eval", "--baselines", "--json", *words).out)


def test_beside_the_figures_of_eval(charrnn, compared, text):
    result, plain = compared(), json.loads(charrnn("eval", "--json").out)
    assert {name: result[name] for name in plain} == plain
    assert list(result)[len(plain) :] == ["baselines", "ngram_order", "verdict"]
    bits = result["baselines"]
    assert bits["uniform"] == pytest.approx(log2(len(set(text))))
    assert bits["ngram"] <= bits["unigram"] <= bits["uniform"]
    assert bits["gzip_after_training"] < bits["gzip"]


def test_the_table_is_sorted_and_has_the_same(charrnn, compared):
    result, shown = compared(), charrnn("eval", "--baselines").out.decode()
    tail = shown.split("bits per character, the best first\n")[1].splitlines()
    rows = [re.fullmatch(r"  (\S.*?)  +(\d+\.\d{4})", line).groups() for line in tail[:-1]]
    assert [float(bits) for _, bits in rows] == sorted(float(bits) for _, bits in rows)
    expected = result["baselines"] | {"this model": result["bits_per_char"]}
    expected[f"{result['ngram_order']}-gram"] = expected.pop("ngram")
    assert {name.replace(" ", "_"): bits for name, bits in rows} == {
        name.replace(" ", "_"): f"{bits:.4f}" for name, bits in expected.items()
    }
    assert tail[-1] == result["verdict"]


def test_another_text_is_judged_by_the_same_training_text(compared, folder, text):
    (folder / "end.txt").write_text(text[int(len(text) * 0.9) :], encoding="utf-8")
    assert compared("end.txt") == compared()


def test_unknown_characters_are_charged_to_all(compared, folder, text):
    (folder / "text").write_text("the dog жж sees.\n" * 9, encoding="utf-8")
    skipped, uniform = compared("text", "--unknown", "skip"), compared("text", "--unknown", "uniform")
    known, all_chars = skipped["chars"], uniform["chars"]
    for name, bits in skipped["baselines"].items():
        charged = (bits * known + 18 * log2(len(set(text)))) / all_chars
        assert uniform["baselines"][name] == pytest.approx(charged)


def test_a_model_of_bytes(charrnn, compared):
    charrnn("train", "corpus.txt", "--bytes", "--steps", 5, "--hidden", 4, "--layers", 1, "--quiet", "--force")
    result = compared()
    assert result["baselines"]["uniform"] == pytest.approx(8)
    assert "bits per byte" in result["verdict"]
    assert "bits per byte, the best first" in charrnn("eval", "--baselines").out.decode()


def test_a_training_text_that_is_not_there(charrnn, trained, folder, text):
    (folder / "corpus.txt").rename(folder / "moved.txt")
    err = charrnn("eval", "moved.txt", "--baselines", status=1).err
    assert err == (
        "charrnn: corpus.txt: no such file; it is the training text, which the baselines learn from: put it back\n"
    )
    (folder / "corpus.txt").write_text(text[:-1] + "?", encoding="utf-8")
    assert "not the text that this checkpoint" in charrnn("eval", "moved.txt", "--baselines", status=1).err


BITS = {"uniform": 6.0, "unigram": 4.5, "ngram": 2.0, "gzip": 4.0, "gzip_after_training": 3.5}


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (1.5, "This model is better than the best baseline, 5-gram, by 0.50 bits per character (25%)."),
        (2.25, "This model is worse than the best baseline, 5-gram, by 0.25 bits per character (12%)."),
        (2.001, "This model is as good as the best baseline, 5-gram."),
        (float("nan"), "This model gives no finite figure."),
        (float("inf"), "This model gives no finite figure."),
    ],
)
def test_the_words(own, words):
    others = Baselines(BITS, 5)
    assert verdict(others, own, "character") == words
    assert "gzip after training" in table(others, own, "character")


def test_a_baseline_that_takes_nothing():
    assert verdict(Baselines({"xz_after_training": 0.0}, 1), 1.5, "byte").endswith("by 1.50 bits per byte.")
