"""Reading files in pieces, compared with Python's own decoding of the whole file."""

import bz2
import encodings.aliases
import gzip
import hashlib
import lzma
import os
import threading
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn.errors import OptionError, TextError
from charrnn.text import reader
from charrnn.text.corpus import read_corpus
from charrnn.text.reader import read_text

PIECES = [1, 2, 3, 7]
TEXTS = {
    "multi-byte": ("naïve 世界 🙂🙂 a\u0301\n" * 3).encode(),
    "crlf": b"one\r\ntwo\r\n\r\nthree\r\r\n\r\r\r\nend\r\n",
    "lone cr": b"\rone\rtwo\r\r\n\rthree\r",
    "mark": b"\xef\xbb\xbf\xef\xbb\xbfa mark, then a no-break space \xef\xbb\xbf in the text",
    "mark and lines": b"\xef\xbb\xbf\r\na\r\nb",
    "nul": b"a\0b\0\0c",
}


def plainly(data, encoding="utf-8"):
    """The expected text: strictly decoded, without a byte-order mark at its start, CRLF as one newline."""
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding  # whose decoder would drop a second mark
    return data.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n")


@pytest.mark.parametrize("piece", [*PIECES, 1 << 20])
@pytest.mark.parametrize("name", TEXTS)
def test_any_piece_size_reads_the_same(store, monkeypatch, name, piece):
    data = TEXTS[name]
    monkeypatch.setattr(reader, "PIECE", piece)
    read = read_corpus([store(data)])
    assert read.vocab.decode(read.ids) == plainly(data)
    assert read.vocab.characters == "".join(sorted(set(plainly(data))))
    assert read.sha256 == hashlib.sha256(data).hexdigest()


@given(
    text=st.text("a\r\n\ufeffé世🙂\0", max_size=30),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "gb18030", "utf-7"]),
    piece=st.integers(1, 9),
)
def test_any_text_in_any_pieces(tmp_path_factory, text, encoding, piece):
    data = text.encode(encoding)
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(data)
    with mock.patch.object(reader, "PIECE", piece):
        assert "".join(read_text(str(path), encoding)) == plainly(data, encoding)


@pytest.mark.parametrize("codec", sorted(set(encodings.aliases.aliases.values()) | {"idna", "punycode", "undefined"}))
def test_every_python_codec_is_decoded_correctly_or_rejected(store, monkeypatch, codec):
    """In pieces of three bytes the result equals that in one piece; no unexpected exception."""
    monkeypatch.setattr(reader, "PIECE", 3)
    line = "naïve 世界\n"
    for data in (
        b"a line,\r\nanother\rand-more+ABC-\r\n~{<:~}",
        bytes(range(256)),
        line.encode("utf-16"),
        line.encode("utf-32-le"),
    ):
        try:
            ours = "".join(read_text(store(data), codec))
        except (OptionError, TextError):
            continue
        assert ours == plainly(data, codec)


@pytest.mark.parametrize("piece", [*PIECES, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [b"\xffabc", b"abc" * 50 + b"\xc3(", b"abc\xe4\xb8", b"\xed\xa0\x80", b"ab\xf0\x9f\x99", b"\xef\xbb\xbfab\x80"],
    ids=["early", "late", "cut short", "surrogate", "cut short by one", "after a mark"],
)
def test_a_bad_byte_is_named(store, monkeypatch, data, piece):
    """The error has the file, the offset that Python gives for the whole file, the byte, and a remedy."""
    monkeypatch.setattr(reader, "PIECE", piece)
    with pytest.raises(UnicodeDecodeError) as theirs:
        data.decode("utf-8")
    path, offset = store(data), theirs.value.start
    with pytest.raises(TextError) as ours:
        read_corpus([path])
    assert str(ours.value).startswith(f"{path}: not utf-8 at byte offset {offset} (0x{data[offset]:02x}: ")
    assert "--encoding" in str(ours.value)
    assert "--bytes" in str(ours.value)


@given(
    data=st.binary(min_size=1, max_size=12),
    good=st.text("aé世🙂", max_size=6),
    encoding=st.sampled_from(["ascii", "utf-8", "utf-16-le", "utf-32-be", "gb18030", "shift_jis", "euc_jp", "cp1252"]),
    piece=st.integers(1, 5),
)
def test_the_offset_of_any_bad_byte(tmp_path_factory, data, good, encoding, piece):
    data = good.encode(encoding, "ignore") + data
    try:
        data.decode(encoding)
        assume(False)
    except UnicodeDecodeError as error:
        start = error.start
    path = tmp_path_factory.getbasetemp() / "bad.txt"
    path.write_bytes(data)
    with mock.patch.object(reader, "PIECE", piece), pytest.raises(TextError) as ours:
        list(read_text(str(path), encoding))
    assert f"at byte offset {start} (0x{data[start]:02x}: " in str(ours.value)


def test_the_offset_counts_the_byte_order_mark(store):
    data = b"\xef\xbb\xbfabc\xff"
    with pytest.raises(TextError, match="byte offset 6 "):
        read_corpus([store(data)], "utf-8-sig")


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".BZ2", bz2.compress), (".xz", lzma.compress)])
class TestCompressed:
    DATA = TEXTS["multi-byte"]

    def test_is_decompressed(self, store, suffix, pack):
        plain, packed = read_corpus([store(self.DATA)]), read_corpus([store(pack(self.DATA), "text" + suffix)])
        assert packed.ids.tolist() == plain.ids.tolist()
        assert (packed.vocab, packed.sha256) == (plain.vocab, plain.sha256)

    def test_cut_short_is_an_error(self, store, suffix, pack):
        whole = pack(self.DATA)
        for length in range(len(whole)):
            with pytest.raises(TextError):
                read_corpus([store(whole[:length], "text" + suffix)])

    def test_a_flipped_byte_never_changes_the_text_silently(self, store, suffix, pack):
        whole, refused = pack(self.DATA), 0
        for place in range(len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << place % 8
            path = store(bytes(damaged), "text" + suffix)
            try:
                assert "".join(read_text(path, "utf-8")) == plainly(self.DATA)
            except TextError:
                refused += 1
        assert refused > 0.8 * len(whole)

    def test_a_wrong_suffix_is_an_error(self, store, suffix, pack):
        with pytest.raises(TextError, match=r"damaged, or not compressed|cannot be read"):
            read_corpus([store(self.DATA, "text" + suffix)])


def test_unreadable_files(tmp_path, store):
    with pytest.raises(TextError, match=r"nowhere\.txt: no such file"):
        read_corpus([str(tmp_path / "nowhere.txt")])
    with pytest.raises(TextError, match="is a directory"):
        read_corpus([str(tmp_path)])
    (tmp_path / "folder.gz").mkdir()
    with pytest.raises(TextError, match="is a directory"):
        read_corpus([str(tmp_path / "folder.gz")])
    with pytest.raises(TextError, match="cannot be read"):
        read_corpus([store(b"abc") + "/inside"])
    with pytest.raises(TextError, match="cannot be read"):
        read_corpus(["x" * 5000])


def test_devices_and_pipes(tmp_path):
    with pytest.raises(TextError, match="is empty"):
        read_corpus(["/dev/null"])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(TEXTS["multi-byte"],))
    writer.start()
    read = read_corpus([str(pipe)])
    writer.join()
    assert read.vocab.decode(read.ids) == plainly(TEXTS["multi-byte"])


@pytest.mark.parametrize("piece", PIECES)
def test_bytes_are_read_unchanged(store, monkeypatch, piece):
    monkeypatch.setattr(reader, "PIECE", piece)
    data = b"\xef\xbb\xbf\r\n\xff\0\r" + bytes(range(256))
    read = read_corpus([store(data)], as_bytes=True)
    assert bytes(read.ids) == data
    assert (read.ids.dtype, read.encoding, len(read.vocab)) == (np.uint8, None, 256)
    assert read.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("encoding", ["rot13", "base64", "hex", "zip", "nonsense", "", "a\0b", "\udcff", "../utf_8"])
def test_an_encoding_that_python_does_not_know(store, encoding):
    with pytest.raises(OptionError, match="not one that Python knows"):
        read_corpus([store(b"abc")], encoding)


def test_files_are_joined_unchanged(store):
    """No newline is inserted, and a CR at the end of one file does not form a CRLF with the next."""
    first, second = b"\xef\xbb\xbfone\r", b"\xef\xbb\xbf\ntwo"
    read = read_corpus([store(first, "1"), store(second, "2")])
    assert read.vocab.decode(read.ids) == "one\r\ntwo"
    assert read.sha256 == hashlib.sha256(first + second).hexdigest()
    with pytest.raises(TextError, match=r"2: not utf-8 at byte offset 1 "):
        read_corpus([store(first, "1"), store(b"a\xff", "2")])
