"""Weights, moments and states of a size that no training gives cause no warning and no traceback."""

import numpy as np
import pytest

from charrnn import load, save

COMMANDS = (
    ["sample", "--length", 20, "--seed", 1],
    ["sample", "--length", 20, "--seed", 1, "--top-p", 0.9, "--top-k", 3, "--temp", 0],
    ["eval", "--json"],
    ["eval", "corpus.txt", "--window", 7],
    ["train", "--resume", "--steps", 3, "--quiet"],
    ["info"],
)


def largest(run):
    """Just under the largest weight that a checkpoint may have."""
    return np.finfo(np.float32).max / (4 * run.config.hidden * (run.config.layers + 1)) * 0.999


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("what", ["weights", "small weights", "m", "v", "state"])
def test_extreme_numbers(invoke, folder, make_run, cell, what):
    """In the tests a warning is an error."""
    run = make_run(cell, names=["corpus.txt"], dropout=0.0)
    signs = np.where(np.random.default_rng(1).random(run.best.flat.size) < 0.5, -1, 1)
    if what == "weights":
        run.best.flat[:] = run.network.params.flat[:] = largest(run) * signs
    if what == "small weights":
        run.best.flat[:] = run.network.params.flat[:] = np.finfo(np.float32).smallest_subnormal * signs
    if what == "m":
        run.adam.m.flat[:] = np.finfo(np.float32).max * signs
    if what == "v":
        run.adam.v.flat[:] = np.finfo(np.float32).max
    if what == "state":
        for layer in run.state:
            for part in layer:
                part[:] = 0.9e15
    for words in COMMANDS:
        save("charrnn.npz", run)
        assert load("charrnn.npz")
        result = invoke(*words)
        assert result.status in (0, 1), result.err
        assert words[0] == "train" or result.status == 0
        if result.status:
            assert result.err.splitlines()[-1].startswith("charrnn: ")
        assert b"nan" not in result.out.lower()
