"""Training that is killed: see support/kill_training.py. `make crash` does this 200 times."""

import random

import pytest
from support.kill_training import crash


def test_killed_a_few_times():
    seed = random.randrange(10**6)
    assert not crash(3, seed).wrong, f"seed {seed}"


@pytest.mark.slow
def test_killed_often():
    seed = random.randrange(10**6)
    outcome = crash(50, seed)
    assert not outcome.wrong, f"seed {seed}"
    assert outcome.inside > 10
