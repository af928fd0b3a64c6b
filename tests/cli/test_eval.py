"""charrnn eval: one definition of likelihood, whatever the text comes as."""

import json
import re
from math import exp, log

import pytest

from charrnn import load, save


@pytest.fixture
def score(charrnn, trained):
    """The JSON that a command writes."""
    return lambda *words: json.loads(charrnn("eval", "--json", *words).out)


def test_what_it_tells(score, text):
    result = score("corpus.txt")
    assert list(result) == ["nats_per_char", "bits_per_char", "perplexity", "accuracy", "chars", "unknown_chars"]
    assert result["bits_per_char"] == pytest.approx(result["nats_per_char"] / log(2), rel=1e-12)
    assert result["perplexity"] == pytest.approx(exp(result["nats_per_char"]), rel=1e-12)
    assert (result["chars"], result["unknown_chars"]) == (len(text) - 1, 0)
    assert 0 < result["accuracy"] < 1
    assert result["nats_per_char"] < log(len(set(text)))  # better than knowing nothing


def test_the_table_shows_the_same(charrnn, score):
    result, shown = score("corpus.txt"), charrnn("eval", "corpus.txt").out.decode()
    rows = dict(re.findall(r"^  (\S.*?)  +(\S+)$", shown, re.MULTILINE))
    assert shown.splitlines()[0] == "corpus.txt"
    assert rows == {
        "nats per character": f"{result['nats_per_char']:.4f}",
        "bits per character": f"{result['bits_per_char']:.4f}",
        "perplexity": f"{result['perplexity']:.3f}",
        "accuracy": f"{result['accuracy']:.2%}",
        "characters scored": f"{result['chars']:,}",
        "unknown characters": "0",
    }


def test_without_a_text_it_is_the_closing_figure(score, text):
    result = score()
    assert result["nats_per_char"] == load("charrnn.npz").progress.closing_val_loss
    assert result["chars"] == len(text) - int(len(text) * 0.9) - 1


def test_the_held_out_part_as_a_text_of_its_own(score, folder, text):
    (folder / "end.txt").write_text(text[int(len(text) * 0.9) :], encoding="utf-8")
    assert score("end.txt") == score()


def test_a_text_that_changed_is_refused(charrnn, trained, folder, text):
    (folder / "corpus.txt").write_text(text[:-1] + "?", encoding="utf-8")
    assert "corpus.txt: not the text that this checkpoint was trained on" in charrnn("eval", status=1).err
    (folder / "corpus.txt").unlink()
    assert "corpus.txt: no such file" in charrnn("eval", status=1).err


def test_several_texts_are_one(score, folder, text):
    (folder / "1").write_text(text[:100], encoding="utf-8")
    (folder / "2").write_text(text[100:], encoding="utf-8")
    assert score("1", "2") == score("corpus.txt")


def test_standard_input(shell, score, text):
    result = shell("eval", "-", "--json", input=text.encode())
    assert json.loads(result.stdout) == score("corpus.txt")
    assert "no such" not in result.stderr.decode()


def test_the_encoding(score, folder, text):
    (folder / "other.txt").write_text(text, encoding="utf-16")
    assert score("other.txt", "--encoding", "utf-16") == score("corpus.txt")


def test_an_encoding_needs_a_text(charrnn, trained):
    charrnn("eval", "--encoding", "utf-8", status=2)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_do_not_matter(score, threads):
    assert score("--threads", threads) == score()


@pytest.mark.parametrize("window", [1, 2, 7, 39, 40, 10**9])
def test_windows_are_texts_of_their_own(score, folder, text, window):
    """Windows of N targets, each read from the zero state, weigh what they weigh as separate files."""
    text = text[:41]
    (folder / "text").write_text(text, encoding="utf-8")
    nats = chars = 0
    for start in range(0, len(text) - 1, window):
        (folder / "window").write_text(text[start : start + window + 1], encoding="utf-8")
        alone = score("window")
        nats, chars = nats + alone["nats_per_char"] * alone["chars"], chars + alone["chars"]
    whole = score("text", "--window", window)
    assert whole["chars"] == chars == 40
    assert whole["nats_per_char"] == pytest.approx(nats / chars, abs=2e-6)


def test_unknown_characters(charrnn, score, folder, text):
    (folder / "text").write_text("the dog жж sees.\n", encoding="utf-8")
    (folder / "known").write_text("the dog  sees.\n", encoding="utf-8")
    err = charrnn("eval", "text", status=1).err
    assert "text: 'ж' (U+0436, CYRILLIC SMALL LETTER ZHE) at position 8 is" in err
    known, skipped, uniform = score("known"), score("text", "--unknown", "skip"), score("text", "--unknown", "uniform")
    assert skipped == known | {"unknown_chars": 2}
    assert (uniform["chars"], uniform["unknown_chars"]) == (known["chars"] + 2, 2)
    charged = known["nats_per_char"] * known["chars"] + 2 * log(len(set(text)))
    assert uniform["nats_per_char"] * uniform["chars"] == pytest.approx(charged, rel=1e-9)
    assert uniform["accuracy"] * uniform["chars"] == pytest.approx(known["accuracy"] * known["chars"])


@pytest.mark.parametrize("data", [b"", b"t", "жжж".encode(), "tж".encode(), b"\xff", b"\r\n"])
@pytest.mark.parametrize("unknown", ["error", "skip", "uniform"])
def test_texts_that_cannot_be_scored(charrnn, trained, folder, data, unknown):
    (folder / "text").write_bytes(data)
    assert charrnn("eval", "text", "--unknown", unknown, "--json", status=1).err.count("\n") == 1


def test_the_weights_that_are_asked_for(score, text):
    """Weights of zero know nothing: every character costs ln V."""
    run = load("charrnn.npz")
    run.best.flat[:] = 0
    save("charrnn.npz", run)
    assert score("--weights", "best")["nats_per_char"] == pytest.approx(log(len(set(text))), rel=1e-6)
    assert score() == score("--weights", "best")
    assert score("--weights", "last")["nats_per_char"] < 0.9 * log(len(set(text)))
