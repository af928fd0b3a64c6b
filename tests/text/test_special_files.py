"""Devices, files that change while they are read, decompression bombs: bounded memory and clear errors."""

import gzip
import os
import re
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from charrnn.errors import TextError
from charrnn.text import corpus, reader
from charrnn.text.corpus import read_corpus
from charrnn.text.reader import check_regular_files, read_bytes, read_text
from charrnn.text.vocab import Vocab

EVERY = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def test_a_text_of_every_character(tmp_path):
    path = tmp_path / "every.txt"
    path.write_bytes(EVERY.encode() * 2)
    read = read_corpus([str(path)])
    text = EVERY.removeprefix("\ufeff") * 2  # it does not begin with a mark
    assert len(read.vocab) == 0x110000 - 0x800
    assert read.ids.dtype == np.uint32
    assert read.vocab.decode(read.ids) == text.replace("\r\n", "\n")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/urandom"])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_endless_devices_are_rejected(device, as_bytes):
    if not os.path.exists(device):
        pytest.skip(f"no {device} here")
    with pytest.raises(TextError, match=f"{device}: an endless device"):
        read_corpus([device], as_bytes=as_bytes)


def test_a_file_of_the_proc_file_system_is_read_to_its_end():
    """The system reports its size as 0."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc here")
    assert "Pid:" in "".join(read_text("/proc/self/status", "utf-8"))
    with pytest.raises(TextError, match="cannot be read"):
        list(read_bytes("/proc/self/mem"))


@pytest.mark.parametrize(("kept", "added"), [(5_000, b""), (0, b""), (50_000, b""), (100_000, b"more\n" * 999)])
def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch, kept, added):
    """What is in the file at the time of each read is read; part of what was cut off may have been read ahead."""
    monkeypatch.setattr(reader, "PIECE", 20_000)
    path, content = tmp_path / "changing.txt", b"0123456789" * 10_000
    path.write_bytes(content)
    pieces = read_bytes(str(path))
    data = next(pieces)
    os.truncate(path, kept)
    with open(path, "ab") as file:
        file.write(added)
    data += b"".join(pieces)
    assert data.startswith(content[: max(kept, reader.PIECE)])
    assert data.endswith(added)
    assert len(data) == kept + len(added) if kept > 40_000 else len(data) <= 40_000


def test_a_text_that_grew_is_not_read_to_its_end(tmp_path):
    pipe, written = tmp_path / "pipe", []
    os.mkfifo(pipe)

    def endless():
        with open(pipe, "wb", buffering=0) as file:
            try:
                while True:
                    written.append(file.write(b"ab\n" * 20_000))
            except BrokenPipeError:
                pass

    writer = threading.Thread(target=endless)
    writer.start()
    with pytest.raises(TextError, match="more than 300,000 characters"):
        read_corpus([str(pipe)], most=300_000)
    writer.join()
    assert sum(written) < 300_000 + 3 * reader.PIECE


def test_a_text_larger_than_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "machine_memory", lambda: 1_000_000)
    path = tmp_path / "large.txt"
    path.write_bytes(b"ab" * 1_000_000)
    with pytest.raises(TextError, match="too large for this machine's memory"):
        read_corpus([str(path)])
    monkeypatch.setattr(corpus, "machine_memory", lambda: None)
    assert len(read_corpus([str(path)]).ids) == 2_000_000


def test_several_members_of_a_compressed_file_are_one_text(tmp_path):
    path = tmp_path / "many.gz"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"") + gzip.compress(b"two\n") + bytes(100))
    assert b"".join(read_bytes(str(path))) == b"one\ntwo\n"
    path.write_bytes(path.read_bytes() + b"no archive")
    with pytest.raises(TextError, match="damaged"):
        list(read_bytes(str(path)))


@pytest.mark.parametrize(
    "name", ["a b", "a\nb", "'\"`$(x)", "\u202etxt", "-", "--help", "\udcff", "é世🙂", "*", "~", "%s{0}"]
)
def test_odd_names(tmp_path, name):
    path = os.path.join(tmp_path, name)
    try:
        with open(path, "wb") as file:
            file.write(b"some text\n")
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    assert Vocab("some text\n").characters == read_corpus([path]).vocab.characters


def test_names_from_a_checkpoint(tmp_path):
    """A pipe is not opened, because opening would wait for a writer."""
    pipe, file, link = tmp_path / "pipe", tmp_path / "file", tmp_path / "link"
    os.mkfifo(pipe)
    file.write_text("text")
    link.symlink_to(pipe)
    for name in (pipe, link, "/dev/null"):
        with pytest.raises(TextError, match="a device or a pipe"):
            check_regular_files([str(file), str(name)])
    check_regular_files([str(file), str(tmp_path), str(tmp_path / "nowhere"), "a\0b"])  # which reading them will tell
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


PEAK = """
import re, sys
from pathlib import Path
from charrnn.errors import TextError
from charrnn.text.corpus import read_corpus
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
before = peak()
try:
    length = len(read_corpus(sys.argv[1:2], most=int(sys.argv[2])).ids)
except TextError as error:
    length = 0
print(length, peak() - before)
"""


def taken(path, most):
    """The number of characters read and the peak memory, in a separate process."""
    command = [sys.executable, "-c", PEAK, str(path), str(most)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return map(int, re.findall(r"\d+", result.stdout))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one process")
class TestMemory:
    """One byte a character, plus some megabytes for the table of code points and the pieces."""

    def test_one_line_of_a_hundred_megabytes(self, tmp_path):
        path = tmp_path / "line.txt"
        with open(path, "wb") as file:
            for _ in range(100):
                file.write("one line, without an end 🙂 ".encode() * 33_000)
        length, memory = taken(path, 10**9)
        assert length == 27 * 33_000 * 100
        assert memory < 1.3 * length + 40_000_000

    def test_a_bomb(self, tmp_path):
        """A gigabyte compressed to a megabyte: no more is decompressed than is used."""
        path = tmp_path / "bomb.gz"
        path.write_bytes(gzip.compress(b"ab" * (1 << 20), 9) * 500)
        length, memory = taken(path, 5_000_000)
        assert length == 0
        assert memory < 60_000_000
