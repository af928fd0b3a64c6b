from math import log2

import pytest

from charrnn.system import speed


@pytest.fixture
def clock(monkeypatch):
    """Makes each matrix product take so many seconds."""

    def set_to(*seconds):
        times = [time for k, each in enumerate(seconds) for time in (10 * k, 10 * k + each)]
        monkeypatch.setattr(speed, "TRIES", len(seconds))
        monkeypatch.setattr(speed, "perf_counter", iter(times).__next__)

    return set_to


def test_speed_is_that_of_the_fastest_product(clock):
    clock(0.5, 0.01, 0.3)
    expected = 2 * 512 * 512 * 2048 / 0.01 * speed.SHARE
    assert speed.training_speed() == pytest.approx(expected, rel=0.2)


def test_small_differences_do_not_show(clock):
    answers = []
    for seconds in (0.02, 0.0202, 0.01, 0.005):
        clock(seconds)
        answers.append(speed.training_speed())
    assert answers[0] == answers[1]
    assert [log2(answer / answers[0]) for answer in answers[2:]] == [1, 2]
