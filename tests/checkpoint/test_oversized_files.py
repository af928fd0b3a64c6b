"""Checkpoints that are huge, or claim to be, are refused quickly and in little memory.

They are built byte by byte, since `zipfile` would refuse to. The small ones have a correct checksum. The huge ones are
sparse files, which take little space on the disk.
"""

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from zlib import crc32

import pytest

from charrnn import load, save
from charrnn.files.archive import MAX_QUICK, METADATA
from charrnn.files.metadata import MAX_BYTES, MAX_VALUES

GIGABYTE = 1 << 30
LOADER = """
import re, sys, time
from pathlib import Path
from charrnn import load
from charrnn.errors import CheckpointError
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10
for path in sys.argv[1:]:
    began = time.perf_counter()
    try:
        load(path)
    except CheckpointError as error:
        print(f"{time.perf_counter() - began:.2f} s, {peak()} MB: {error}")
print(peak())
"""


def with_zip64(*numbers):
    """The numbers as four-byte fields hold them, and the zip64 field for those that do not fit."""
    large = [number for number in numbers if number >= 0xFFFFFFFF]
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    return [min(number, 0xFFFFFFFF) for number in numbers], extra


def build(path, members, repeat=1, sealed=True):
    """An archive of members, each given as bytes or as a number of zeros. Its directory is repeated `repeat` times."""
    directory = []
    with open(path, "wb") as file:
        for name, data in members:
            offset, hole = file.tell(), isinstance(data, int)
            size, crc = (data, 0) if hole else (len(data), crc32(data))
            sizes, extra = with_zip64(size, size)
            header = (b"PK\3\4", 45, 0, 0, 0, 33, crc, *sizes, len(name), len(extra))
            file.write(struct.pack("<4s5H3L2H", *header) + name.encode() + extra)
            file.seek(size if hole else file.write(data) * 0, os.SEEK_CUR)
            (*sizes, place), extra = with_zip64(size, size, offset)
            entry = (b"PK\1\2", 45, 45, 0, 0, 0, 33, crc, *sizes, len(name), len(extra), 0, 0, 0, 0, place)
            directory.append(struct.pack("<4s6H3L5H2L", *entry) + name.encode() + extra)
        start, table, count = file.tell(), b"".join(directory) * repeat, len(members) * repeat
        file.write(table)
        if start + len(table) >= 0xFFFFFFFF or count > 0xFFFF:
            end = file.tell()
            file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(table), start))
            file.write(struct.pack("<4sLQL", b"PK\6\7", 0, end, 1))
        counts = (min(count, 0xFFFF),) * 2
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *counts, *with_zip64(len(table), start)[0], 64))
        size = file.tell()
        file.write(bytes(64))
    if sealed:
        with open(path, "r+b") as file:
            file.write(hashlib.sha256(file.read(size)).hexdigest().encode())
    return path


def test_build_builds_checkpoints(tmp_path, make_run, unpack):
    """Built from a checkpoint's members, the file loads. So the files below are refused for what is wrong in them."""
    save(tmp_path / "run.npz", make_run())
    built = build(tmp_path / "built.npz", unpack(tmp_path / "run.npz").items())
    assert (load(built).network.params.flat == load(tmp_path / "run.npz").network.params.flat).all()


@pytest.fixture
def huge_files(tmp_path, make_run, unpack):
    """Their paths. The last few have the metadata of a real checkpoint, with one value forged."""
    save(tmp_path / "run.npz", make_run("rnn", 1, 1))
    members = unpack(tmp_path / "run.npz")

    def with_value(place, **values):
        metadata = json.loads(members[METADATA])
        (metadata[place] if place else metadata).update(values)
        return (members | {METADATA: json.dumps(metadata).encode()}).items()

    def holes(name, size, start=b""):
        with open(tmp_path / name, "wb") as file:
            file.write(start)
            file.truncate(size)

    holes("zeros.npz", 10 * GIGABYTE)
    holes("a head.npz", 10 * GIGABYTE, b"PK\3\4")
    holes("small enough to hash.npz", MAX_QUICK, b"PK\3\4")
    metadata, every = members[METADATA], "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    large = {
        "array": [*members.items(), ("more.npy", 10 * GIGABYTE)],
        "weights": [(METADATA, metadata), ("raw.Wxh0.npy", 10 * GIGABYTE)],
        "metadata": [(METADATA, 2 * GIGABYTE)],
    }
    values = MAX_VALUES - 10
    forged = {
        "long": [(METADATA, b" " * (MAX_BYTES + 1))],
        "lists": [(METADATA, b'{"a":[' + b"[]," * 2_000_000 + b"[]]}")],
        "most lists": [(METADATA, b'{"a":[' + b"[]," * (values // 2) + b"[]]}")],
        "most objects": [(METADATA, b'{"a":[' + b"{}," * (values // 2) + b"{}]}")],
        "most keys": [(METADATA, b"{" + b",".join(b'"%x":[]' % i for i in range(values // 2)) + b"}")],
        "digits": [(METADATA, b'{"format":' + b"9" * (MAX_BYTES - 20) + b"}")],
        "a long fraction": [(METADATA, b'{"format":0.' + b"9" * (MAX_BYTES - 20) + b"}")],
        "wide letters": [(METADATA, b'{"format":"' + b"a" * (MAX_BYTES - 40) + b'\\ud83d\\ude00"}')],
        "wide names": with_value("corpus", names=["a" * 10_000_000 + "\U0001f600"], characters=0),
        "deep": [(METADATA, b'{"a":' * values + b"1" + b"}" * values)],
        "members": [(f"{i}.npy", b"") for i in range(0xFFFF)],
        "more members": [(f"{i}.npy", b"") for i in range(0x10000)],
        "every character": with_value("vocabulary", characters=every),
        "too many characters": with_value("vocabulary", characters=every * 2),
        "unsorted characters": with_value("vocabulary", characters=every[::-1]),
        "hidden": with_value("model", hidden=1 << 24),
        "layers": with_value("model", layers=1 << 24),
        "batch": with_value("options", batch_size=1 << 24),
        "sequence": with_value("options", seq_length=1 << 24),
        "shards": with_value("options", shards=1 << 24, batch_size=1 << 24),
    }
    built = [build(tmp_path / f"{name}.npz", some, sealed=False) for name, some in large.items()]
    built += [build(tmp_path / f"{name}.npz", some) for name, some in forged.items()]
    built += [build(tmp_path / "directory.npz", [(METADATA, b"{}")], repeat=200_000)]
    return sorted(set(tmp_path.glob("*.npz")) - {tmp_path / "run.npz"})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the peak memory of a process")
def test_huge_files_are_refused_in_little_memory(huge_files):
    """Each in one line, all of them by one process that takes less than 200 MB."""
    command = [sys.executable, "-c", LOADER, *map(str, huge_files)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    *lines, peak = result.stdout.splitlines()
    assert len(lines) == len(huge_files)
    assert all(re.search(r"\.npz: not (a valid checkpoint: |an \.npz file; )", line) for line in lines)
    assert all(len(line) < 1000 for line in lines)
    assert int(peak) < 200, result.stdout
