"""NaN and infinite losses at the command line: messages, log, info and checkpoint."""

import json
import re

import numpy as np
import pytest
from support.checkpoint_content import content

from charrnn import load

SMALL = ("train", "corpus.txt", "--hidden", 5, "--layers", 1, "--batch-size", 3, "--seq-length", 11, "--val-every", 50)
FAST = (*SMALL, "--lr", 1, "--weight-decay", 1000, "--steps", 200)
HOPELESS = (*SMALL, "--lr", 1e6, "--weight-decay", 1000, "--steps", 200)


def test_recoveries_are_printed_logged_and_in_info(charrnn):
    err = charrnn(*FAST, "--log", "log", "--log-every", 1).err
    run = load("charrnn.npz")
    assert run.finished
    assert np.isfinite(run.network.params.flat).all()
    recoveries = run.progress.recoveries
    told = re.findall(r"^the .* at step (\d+) is not finite: back to step (\d+), with .* rate of \d", err, re.M)
    assert [(int(failed), int(good)) for failed, good in told] == recoveries
    assert len(recoveries) > 0

    with open("log", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    logged = [(line["failed_step"], line["went_back_to"]) for line in lines if "went_back_to" in line]
    assert logged == recoveries
    before = 0
    for line in lines:  # every step follows the one before, or the step that the run went back to
        if "went_back_to" in line:
            before = line["went_back_to"]
        elif "loss" in line:
            assert line["step"] == before + 1
            before = line["step"]

    info = json.loads(charrnn("info", "--json").out)
    assert [tuple(pair) for pair in info["recoveries"]] == recoveries
    assert charrnn("info").out.decode().count("diverged ") == len(recoveries)


def test_stopping_before_or_after_a_recovery(charrnn, stop_at):
    charrnn(*FAST)
    whole = content("charrnn.npz")
    failed, _ = load("charrnn.npz").progress.recoveries[0]
    for step in (failed - 1, 12):
        stop_at(step)
        charrnn(*FAST, "--force", status=130)
        stop_at(None)
        charrnn("train", "--resume")
        assert content("charrnn.npz") == whole


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_run_that_cannot_recover_suggests_a_lower_learning_rate(charrnn, quiet):
    err = charrnn(*HOPELESS, *quiet, status=1).err
    last = err.splitlines()[-1]
    assert "is not finite" in last
    assert "learning rates from 1e+06" in last
    assert last.endswith("; charrnn.npz holds the last good state")
    run = load("charrnn.npz")
    assert np.isfinite(run.network.params.flat).all()
    assert not run.finished
    assert len(run.progress.recoveries) == 4
    assert charrnn("train", "--resume", status=1).err.splitlines()[-1] == last
