"""charrnn info: what it says is what is in the file."""

import hashlib
import json

import numpy as np

from charrnn import load


def test_the_json(charrnn, trained, text):
    info = json.loads(charrnn("info", "--json").out)
    run = load(trained)
    with np.load(trained) as saved:
        parameters = sum(saved[name].size for name in saved.files if name.startswith("raw."))
    assert info["parameters"] == parameters
    shape = {"hidden": 12, "layers": 2, "networks": 1}
    assert info["model"] == {"vocab_size": len(set(text)), "cell": run.config.cell} | shape
    assert info["vocabulary"]["characters"] == "".join(sorted(set(text)))
    assert info["corpus"]["names"] == ["corpus.txt"]
    assert info["corpus"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert info["corpus"]["characters"] == len(text)
    assert (info["step"], info["total_steps"], info["finished"]) == (60, 60, True)
    assert [step for step, _ in info["validations"]] == [20, 40, 60]
    assert info["best_val_loss"] == min(loss for _, loss in info["validations"])
    assert info["closing_val_loss"] == json.loads(charrnn("eval", "--json").out)["nats_per_char"]
    assert info["commands"][0].startswith("charrnn train corpus.txt -c charrnn.npz ")


def test_the_table(charrnn, trained, text):
    info, shown = json.loads(charrnn("info", "--json").out), charrnn("info").out.decode()
    for figure in (
        f"{info['parameters']:,}",
        f"{info['best_val_loss']:.4f} nats",
        f"{info['closing_val_loss']:.4f} nats",
        f"{len(text):,} characters, sha256 {info['corpus']['sha256'][:16]}",
        f"{len(set(text))} characters: \\n ,.",
        "60 of 60 steps",
        "12 hidden units, 2 layers",
        info["commands"][0],
    ):
        assert figure in shown


def test_control_characters_do_not_reach_the_terminal(charrnn, folder):
    (folder / "text").write_text("a\x1b[2Jb\x07\x9b\u202e\0" * 9, encoding="utf-8")
    charrnn("train", "text", "--hidden", 2, "--steps", 1)
    for words in (["info"], ["info", "--json"]):
        shown = charrnn(*words).out.decode()
        assert all(c.isprintable() or c == "\n" for c in shown)


def test_where_there_is_no_checkpoint(charrnn):
    for command in ("info", "sample", "eval"):
        err = charrnn(command, status=1).err.splitlines()[-1]
        assert err == "charrnn: charrnn.npz: no such checkpoint; make one with `charrnn train CORPUS -c charrnn.npz`"
