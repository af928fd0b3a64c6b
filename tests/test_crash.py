"""Training that is killed: see crash.py. `make crash` does this 200 times."""

import random

import pytest
from crash import crash


def test_killed_a_few_times():
    outcome = crash(3, seed=random.randrange(10**6))
    assert not outcome.wrong


@pytest.mark.slow
def test_killed_often():
    outcome = crash(50, seed=random.randrange(10**6))
    assert not outcome.wrong
    assert outcome.inside > 10
