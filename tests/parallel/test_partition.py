import pytest

from charrnn.parallel.partition import FEWEST, FREE, busy_threads, padded, shard_count

THREADS = [1, 2, 3, 4, 6, 8, 64]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("batch_size", [1, 7, 8, 15, 16, 32, 50, 500])
def test_every_share_has_enough_streams_and_a_thread_of_its_own(threads, batch_size):
    count = shard_count(threads, 1, batch_size)
    assert 1 <= count <= threads
    assert count == 1 or batch_size // count >= FEWEST


@pytest.mark.parametrize(
    ("threads", "networks", "count"),
    [
        (1, 1, 1),
        (2, 1, 2),
        (4, 1, 4),
        (8, 1, 4),  # eight streams are the least
        (3, 1, 2),  # a third of 32 is padded to as much as a half
        (2, 2, 1),
        (4, 2, 2),
        (2, 3, 2),  # two networks side by side and the third alone would take as long as four
        (2, 8, 1),
        (6, 4, 1),
    ],
)
def test_shares_of_a_batch_of_32(threads, networks, count):
    assert shard_count(threads, networks, 32) == count


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("networks", [1, 2, 3, 5, 8])
def test_no_other_number_of_shares_is_done_sooner(threads, networks):
    """By a schedule that is drawn up share by share."""

    def done(count, B=64):
        free = [0] * threads
        for _ in range(networks * count):
            free.sort()
            free[0] += FREE + padded(-(-B // count))
        return max(free)

    best = shard_count(threads, networks, 64)
    assert all(done(best) <= done(count) for count in range(1, 64 // FEWEST + 1))
    assert all(done(best) < done(count) for count in range(1, best))


def test_how_many_threads_are_busy():
    assert [busy_threads(threads, 1, 32) for threads in THREADS] == [1, 2, 2, 4, 4, 4, 4]
    assert [busy_threads(threads, 8, 32) for threads in (1, 2, 4, 8, 16)] == [1, 2, 4, 8, 16]
    assert busy_threads(2, 5, 8) == pytest.approx(5 / 3)  # in the last of three rounds one has nothing to do
