import pytest

from charrnn.parallel.partition import FEWEST, FREE, busy_threads, padded, shard_count

THREADS = [1, 2, 3, 4, 6, 8, 64]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("batch_size", [1, 7, 8, 15, 16, 32, 50, 500])
def test_every_shard_has_enough_streams_and_its_own_thread(threads, batch_size):
    count = shard_count(threads, 1, batch_size)
    assert 1 <= count <= threads
    assert count == 1 or batch_size // count >= FEWEST


@pytest.mark.parametrize(
    ("threads", "networks", "count"),
    [
        (1, 1, 1),
        (2, 1, 2),
        (4, 1, 4),
        (8, 1, 4),  # a shard has at least eight streams
        (3, 1, 2),  # a third of 32 streams is padded to as many columns as a half
        (2, 2, 1),
        (4, 2, 2),
        (2, 3, 2),  # with one shard each, the third network would run alone
        (2, 8, 1),
        (6, 4, 1),
    ],
)
def test_the_number_of_shards_of_a_batch_of_32(threads, networks, count):
    assert shard_count(threads, networks, 32) == count


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("networks", [1, 2, 3, 5, 8])
def test_no_other_number_of_shards_is_faster(threads, networks):
    """Against a schedule that gives each shard to the first free thread."""

    def done(count, B=64):
        free = [0] * threads
        for _ in range(networks * count):
            free.sort()
            free[0] += FREE + padded(-(-B // count))
        return max(free)

    best = shard_count(threads, networks, 64)
    assert all(done(best) <= done(count) for count in range(1, 64 // FEWEST + 1))
    assert all(done(best) < done(count) for count in range(1, best))


def test_the_mean_number_of_busy_threads():
    assert [busy_threads(threads, 1, 32) for threads in THREADS] == [1, 2, 2, 4, 4, 4, 4]
    assert [busy_threads(threads, 8, 32) for threads in (1, 2, 4, 8, 16)] == [1, 2, 4, 8, 16]
    assert busy_threads(2, 5, 8) == pytest.approx(5 / 3)  # one thread is idle in the last of three rounds
