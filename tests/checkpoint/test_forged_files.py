"""Files that are not checkpoints, and forged checkpoints: every command reports them in one line."""

import gzip
import json
import os

import numpy as np
import pytest

from charrnn.files.archive import METADATA

COMMANDS = {
    "info": ["info"],
    "info --json": ["info", "--json"],
    "sample": ["sample", "--length", 5, "--seed", 1],
    "eval": ["eval"],
    "eval --baselines": ["eval", "--baselines"],
    "score": ["score"],
    "resume": ["train", "--resume", "--steps", 1],
    "init-from": ["train", "corpus.txt", "--init-from", "charrnn.npz", "-c", "new.npz", "--steps", 1],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_files_that_are_not_checkpoints(charrnn, folder, trained, command):
    whole = trained.read_bytes()
    np.savez("plain.npz", weights=np.zeros(3))
    damaged = whole[:500] + bytes([whole[500] ^ 1]) + whole[501:]
    for data in (b"", b"text\n", whole[:-1], damaged, whole + b"\n", (folder / "plain.npz").read_bytes()):
        trained.write_bytes(data)
        err = charrnn(*COMMANDS[command], status=1).err
        assert err.startswith("charrnn: charrnn.npz: ")
        assert err.count("\n") == 1
        assert trained.read_bytes() == data


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "kind", ["folder", "pipe", "device", "zeros", "loop", "nothing", "dash", "hole", "long", "odd"]
)
def test_names_of_other_things_than_files(charrnn, folder, trained, command, kind):
    """Refused at once: none of them is waited for or read, and no file appears or disappears."""
    trained.unlink()
    names = {"device": "/dev/null", "zeros": "/dev/zero", "dash": "-", "long": "x" * 5000, "odd": "\x1b[2J\udcff"}
    name = names.get(kind, "charrnn.npz")
    if kind == "folder":
        os.mkdir(name)
    elif kind == "pipe":
        os.mkfifo(name)
    elif kind == "loop":
        os.symlink(name, name)
    elif kind == "hole":
        with open(name, "wb") as file:
            file.truncate(10 << 30)
    words = [name if word == "charrnn.npz" else word for word in COMMANDS[command]]
    before = sorted(os.listdir())
    err = charrnn(*words, *([] if "--init-from" in words else ["-c", name]), status=1).err
    assert err.startswith("charrnn: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert sorted(os.listdir()) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read anything")
def test_a_file_without_read_permission(charrnn, trained):
    trained.chmod(0)
    for words in COMMANDS.values():
        assert "Permission denied" in charrnn(*words, status=1).err


FORGED = [
    ("options.dropout", 5),
    ("options.shards", 100),
    ("options.val_fraction", 7),
    ("options.val_every", -1),
    ("options.seed", -1),
    ("options.seq_length", 2**24),
    ("options.lr", 10**400),
    ("corpus.names", []),
    ("corpus.names", ["a\0b"]),
    ("corpus.names", ["\ud800"]),
    ("corpus.names", ["x\n\x1b[2J"]),
    ("corpus.names", ["pipe"]),
    ("corpus.names", ["/dev/zero"]),
    ("corpus.names", ["/dev/stdin"]),
    ("corpus.names", ["bomb.gz"]),
    ("corpus.names", ["-"]),
    ("corpus.names", ["/proc/self/mem"]),
    ("corpus.names", ["--help"]),
    ("corpus.encoding", "utf\x1b8"),
    ("corpus.encoding", "rot13"),
    ("corpus.encoding", "a\0b"),
    ("corpus.encoding", None),
    ("corpus.characters", 0),
    ("corpus.characters", 10**30),
    ("vocabulary.characters", "another last one"),
    ("vocabulary.characters", "a surrogate"),
    ("schedule.start", 10**30),
    ("schedule.total", -1),
    ("schedule.total", 10**30),
    ("schedule.val_every", -1),
    ("schedule.seconds", -1.0),
    ("progress.step", -1),
    ("progress.step", 10**400),
    ("progress.best_val_loss", None),
    ("progress.best_val_loss", 1e308),
    ("progress.closing_val_loss", -1.0),
    ("progress.validations", [[10**30, 1.0]]),
    ("commands", []),
    ("commands", ["\ud800"]),
    ("commands", ["\x1b]0;title\x07\x9b2J\u202e"]),
    ("init_from", "\x1b[2J"),
    ("options.seed", 2**63),
    ("options.lr", 1e308),
    ("options.lr", 0),
    ("options.weight_decay", 1e308),
    ("options.grad_clip", 1e-300),
    ("options.shards", 4),
    ("schedule.seconds", 1e308),
    ("schedule.total", None),
    ("schedule.total", 10**14),
    ("schedule.val_every", 10**14),
    ("schedule.most_steps", 1),
    ("progress.step", 10**14),
    ("progress.step", 0),
    ("progress.best_step", None),
    ("program", {"charrnn": [None]}),
    ("clock.elapsed", -1.0),
    ("clock.elapsed", 1e308),
]


@pytest.mark.parametrize(
    ("place", "value"), [pytest.param(*forged, id=f"{forged[0]}={repr(forged[1])[:12]}") for forged in FORGED]
)
def test_a_forged_checkpoint(invoke, trained, unpack, forge, place, value):
    """One value of the metadata is forged, the checksum is correct. No command may fail with more than one line."""
    members = unpack(trained)
    metadata = json.loads(members[METADATA])
    *path, last = place.split(".")
    record = metadata
    for key in path:
        record = record[key]
    changed = {"another last one": "\U0010ffff", "a surrogate": "\udcff"}
    record[last] = record[last][:-1] + changed[value] if place.startswith("vocab") else value
    forged = members | {METADATA: json.dumps(metadata).encode()}
    os.mkfifo("pipe")
    with open("bomb.gz", "wb") as file:
        file.write(gzip.compress(bytes(1 << 20)) * 1000)
    for words in COMMANDS.values():
        forge(trained, forged.items())
        result = invoke(*words)
        assert result.status in (0, 1, 2), result.err
        if result.status:
            assert result.err.splitlines()[-1].startswith("charrnn: " if result.status == 1 else "Error: ")
        assert "\x1b" not in result.err + result.out.decode()
