"""Every command accepts a model of several networks."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest

from charrnn import evaluate, load
from charrnn.cli.train.recorded_command import command

SMALL = shlex.split("--networks 3 --hidden 6 --layers 2 --batch-size 4 --seq-length 16 --lr 0.02 --val-every 20")


@pytest.fixture
def ensemble(charrnn, folder):
    charrnn("train", "corpus.txt", *SMALL, "--steps", 60, "-c", "three.npz")
    return "three.npz"


def test_it_learns_and_info_describes_it(charrnn, ensemble):
    info = json.loads(charrnn("info", "-c", ensemble, "--json").out)
    assert info["model"]["networks"] == 3
    one = load(ensemble).network.networks[0].params
    assert info["parameters"] == 3 * one.flat.size
    assert "3 networks, each lstm, 6 hidden units, 2 layers" in charrnn("info", "-c", ensemble).out.decode()
    losses = [loss for _, loss in info["validations"]]
    assert losses == sorted(losses, reverse=True)
    assert "--networks 3" in info["commands"][0]


def test_it_is_better_than_its_networks_on_average(ensemble, text):
    model = load(ensemble).model()
    alone = []
    for network in model.network.networks:
        own = type(model)(network, model.vocab, model.bos_id)
        alone.append(evaluate(own, text).nats_per_char)
    assert len(set(alone)) == 3
    assert evaluate(model, text).nats_per_char < np.mean(alone)


def test_every_command_reads_it(charrnn, ensemble, text):
    closing = json.loads(charrnn("info", "-c", ensemble, "--json").out)["closing_val_loss"]
    assert json.loads(charrnn("eval", "-c", ensemble, "--json").out)["nats_per_char"] == closing
    sample = charrnn("sample", "-c", ensemble, "--length", 80, "--seed", 3)
    assert len(sample.out.decode()) == 80
    assert charrnn("sample", "-c", ensemble, "--length", 80, "--seed", 3).out == sample.out
    assert len(charrnn("sample", "-c", ensemble, "-n", 3, "--length", 9, "--temp", 0).out.decode()) >= 30
    rows = charrnn("score", "corpus.txt", "-c", ensemble, "--jsonl").out.decode().splitlines()
    bits = sum(json.loads(row)["bits"] for row in rows)
    score = evaluate(load(ensemble).model(), text)
    assert bits == pytest.approx(score.nats / np.log(2), abs=1e-3)


def test_resuming_gives_the_same_weights_with_any_number_of_threads(charrnn, ensemble):
    charrnn("train", "corpus.txt", "--resume", "--steps", 9, "--quiet", "-c", ensemble)
    charrnn("train", "corpus.txt", *SMALL, "--steps", 60, "-c", "again.npz", "--threads", 2)
    charrnn("train", "corpus.txt", "--resume", "--steps", 9, "--quiet", "-c", "again.npz", "--threads", 1)
    with np.load(ensemble) as ours, np.load("again.npz") as theirs:
        for name in set(ours.files) - {"metadata.json"}:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_init_from_starts_with_its_weights(charrnn, ensemble, folder):
    (folder / "more.txt").write_text("ébène et 世界 " * 60, encoding="utf-8")
    charrnn("train", "more.txt", "--init-from", ensemble, "--steps", 1, "--lr", 1e-9, "-c", "more.npz", "--quiet")
    old, new = load(ensemble), load("more.npz")
    assert new.config.networks == 3
    places, _ = new.vocab.encode(old.vocab.characters)
    for name, expected in (old.best or old.adam.average).items():
        view = new.adam.average[name]
        if name in ("Wxh0", "by"):
            view = view[..., places]
        elif name == "Why":
            view = view[:, places]
        np.testing.assert_allclose(view, expected, atol=1e-6, err_msg=name)
    result = charrnn("train", "more.txt", "--init-from", ensemble, "--networks", 2, "-c", "x.npz", status=2)
    assert "--networks 2 does not fit" in result.err


def test_it_learns_records(charrnn, folder):
    (folder / "names.txt").write_text("\n".join(["anna", "bea", "carl", "dora", "emil"] * 20), encoding="utf-8")
    charrnn("train", "names.txt", "--lines", *SMALL, "--steps", 40, "-c", "names.npz")
    drawn = charrnn("sample", "-c", "names.npz", "-n", 5, "--max-length", 30, "--scores").out.decode().splitlines()
    assert len(drawn) == 5
    score = json.loads(charrnn("eval", "names.txt", "-c", "names.npz", "--json").out)
    assert 0 < score["nats_per_char"] < np.log(12)


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_the_recorded_command_makes_the_same_run(charrnn, folder, threads, older):
    """Also that of an older file, which has no number of threads: any that gives the same shards will do."""
    words = ["--networks", 3, "--hidden", 4, "--seq-length", 6, "--batch-size", 24]
    charrnn("train", "corpus.txt", *words, "--threads", threads, "--steps", 5)
    run = load("charrnn.npz")
    assert run.options.threads == threads
    run.options = replace(run.options, threads=0 if older else threads)
    _, *typed = shlex.split(command(run, "again.npz"))
    assert older or typed[typed.index("--threads") + 1] == str(threads)
    charrnn(*typed)
    assert load("again.npz").options.shards == run.options.shards
    assert load("again.npz").network.params.flat.tobytes() == run.network.params.flat.tobytes()
