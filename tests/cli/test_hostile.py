"""Files that are no checkpoints, or lie about themselves: every command says so in one line."""

import json

import numpy as np
import pytest

from charrnn.archive import METADATA

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
def test_what_is_no_checkpoint(charrnn, folder, trained, command):
    whole = trained.read_bytes()
    np.savez("plain.npz", weights=np.zeros(3))
    damaged = whole[:500] + bytes([whole[500] ^ 1]) + whole[501:]
    for data in (b"", b"text\n", whole[:-1], damaged, whole + b"\n", (folder / "plain.npz").read_bytes()):
        trained.write_bytes(data)
        err = charrnn(*COMMANDS[command], status=1).err
        assert err.startswith("charrnn: charrnn.npz: ")
        assert err.count("\n") == 1
        assert trained.read_bytes() == data


LIES = [
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
    ("clock.elapsed", -1.0),
    ("clock.elapsed", 1e308),
]


@pytest.mark.parametrize(("place", "value"), [pytest.param(*lie, id=f"{lie[0]}={repr(lie[1])[:12]}") for lie in LIES])
def test_a_checkpoint_that_lies(invoke, trained, unpack, forge, place, value):
    """Under a right checksum; whatever comes of it is no traceback, and at worst one line."""
    members = unpack(trained)
    metadata = json.loads(members[METADATA])
    *way, last = place.split(".")
    record = metadata
    for key in way:
        record = record[key]
    changed = {"another last one": "\U0010ffff", "a surrogate": "\udcff"}
    record[last] = record[last][:-1] + changed[value] if place.startswith("vocab") else value
    forged = members | {METADATA: json.dumps(metadata).encode()}
    for words in COMMANDS.values():
        forge(trained, forged.items())
        result = invoke(*words)
        assert result.status in (0, 1), result.err
        if result.status:
            assert result.err.splitlines()[-1].startswith("charrnn: ")
