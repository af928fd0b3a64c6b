"""Every command that reads a text, with any text: a correct result, or an error in one line."""

import gzip
import json

import pytest

from charrnn import load

SMALL = ("--hidden", 2, "--layers", 1, "--batch-size", 2, "--seq-length", 5, "--steps", 2, "--force", "--quiet")
GOOD = {
    "no newline": b"abcabcabcabc",
    "only two newlines and a space": b"\n \n",
    "NULs": b"a\0b\0\0" * 5,
    "a mark": b"\xef\xbb\xbfabc abc abc",
    "combining marks": "é e\u0301 \u0323\u0307q\n".encode() * 3,
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u0645\n".encode() * 3,
    "CRLF": b"one\r\ntwo\r\n\r\n",
    "CR": b"one\rtwo\r\r",
    "controls": bytes(range(128)),
    "far planes": "\U0010ffff\U000f0000\ufdd0\ufffe\uffff".encode() * 3,
    "two": b"ab",
}
BAD = {
    "empty": (b"", "is empty; give a text of at least 2 characters"),
    "one character": (b"a", "has a single character; give a text"),
    "a mark alone": (b"\xef\xbb\xbf", "is empty; give a text of at least 2 characters"),
    "only newlines": (b"\n" * 50, "all 50 characters are the same"),
    "one CRLF": (b"\r\n", "has a single character; give a text"),
    "a surrogate": (b"abc\xed\xa0\x80", "not utf-8 at byte offset 3 (0xed"),
    "latin-1": ("naïve".encode("latin-1"), "not utf-8 at byte offset 2 (0xef"),
    "UTF-16": ("text".encode("utf-16"), "not utf-8 at byte offset 0 (0xff"),
    "cut short": ("the世".encode()[:-1], "not utf-8 at byte offset 3 (0xe4"),
    "too long a form": (b"abc\xc0\xaf", "not utf-8 at byte offset 3 (0xc0"),
    "beyond Unicode": (b"abc\xf4\x90\x80\x80", "not utf-8 at byte offset 3 (0xf4"),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_text_that_every_command_accepts(charrnn, folder, data):
    text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    (folder / "text").write_bytes(data)
    charrnn("train", "text", *SMALL)
    run = load("charrnn.npz")
    assert run.vocab.characters == "".join(sorted(set(text)))
    assert run.corpus.characters == len(text)
    assert json.loads(charrnn("eval", "text", "--json").out)["chars"] == len(text) - 1
    primed = charrnn("sample", "--prime-file", "text", "--length", 3, "--seed", 1).out
    assert primed.startswith(text.encode())
    assert len(primed.decode()) == len(text) + 3
    charrnn("train", "--resume", "--steps", 1, "--quiet")
    charrnn("train", "text", "--init-from", "charrnn.npz", "-c", "other.npz", *SMALL[-4:])


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_a_text_that_cannot_be_used(charrnn, trained, folder, data, message):
    """A text that is too short for training is still accepted as a prime. Nothing is written in any case."""
    (folder / "bad").write_bytes(data)
    before = trained.read_bytes()
    for words in (
        ["train", "bad", "-c", "new.npz", *SMALL],
        ["train", "bad", "-c", "new.npz", "--init-from", "charrnn.npz", "--steps", 1],
        ["train", "bad", "--resume", "--steps", 1],
        *([["eval", "bad"]] if message[0] != "a" else []),  # many newlines can be scored
        *([["sample", "--prime-file", "bad"]] if "not utf-8" in message else []),
    ):
        err = charrnn(*words, status=1).err
        assert err.startswith("charrnn: bad: ") or words[0] == "eval"
        assert err.count("\n") == 1
        assert message in err or words[0] == "eval" or "--resume" in words
    assert trained.read_bytes() == before
    assert not (folder / "new.npz").exists()


@pytest.mark.parametrize("where", ["folder", "nowhere", "/dev/zero", "broken.gz", "loop", "x" * 300, "corpus.txt/x"])
def test_a_name_that_is_not_a_text_file(charrnn, trained, folder, where, text):
    (folder / "folder").mkdir()
    (folder / "broken.gz").write_bytes(gzip.compress(text.encode())[:-9])
    (folder / "loop").symlink_to("loop")
    for words in (
        ["train", where, "-c", "new.npz", *SMALL],
        ["train", where, "--resume", "--steps", 1],
        ["eval", where],
        ["sample", "--prime-file", where],
    ):
        err = charrnn(*words, status=1).err
        assert err.startswith(f"charrnn: {where}: ")
        assert err.count("\n") == 1
    assert not (folder / "new.npz").exists()
