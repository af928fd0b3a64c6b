"""Random numbers from keys: equal to the published generator, and statistically uniform."""

import numpy as np
import pytest

from charrnn.prng import GOLDEN, mix, random_bits, uniform


def test_the_mixing_function_is_that_of_splitmix64():
    """The first outputs for a seed of 0, as its authors' C code gives them."""
    counter = np.cumsum(np.full(3, GOLDEN))
    assert mix(counter).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_a_number_depends_on_its_key_only():
    grid = random_bits(7, 1, np.arange(40)[:, None], np.arange(30))
    assert grid.shape == (40, 30)
    assert len(np.unique(grid)) == grid.size
    assert grid[12, 5] == random_bits(7, 1, 12, 5)[0]
    assert not np.isin(random_bits(8, 1, np.arange(40)[:, None], np.arange(30)), grid).any()
    assert not np.isin(random_bits(7, 1, np.arange(30)[:, None], np.arange(31, 60)), grid).any()


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_uniform_numbers_are_uniform(seed):
    """By their mean, a chi-squared test of 16 bins, and the correlation of neighbours."""
    numbers = uniform(seed, np.arange(40_000))
    assert 0 <= numbers.min() < numbers.max() < 1
    counts = np.histogram(numbers, 16, (0, 1))[0]
    chi_square = ((counts - 2500) ** 2 / 2500).sum()
    assert chi_square < 45  # with 15 degrees of freedom: once in 10,000 seeds, but the seeds are fixed
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.02
