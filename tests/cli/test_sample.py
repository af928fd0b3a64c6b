"""charrnn sample: exactly what was asked for, and the same again for the same seed."""

import re
import shlex

import pytest

from charrnn import load, save

SEEDED = ("sample", "--seed", 3)


@pytest.fixture
def sample(charrnn, trained):
    """What a command writes to standard output, as text."""
    return lambda *words: charrnn(*SEEDED, *words).out.decode()


@pytest.mark.parametrize("length", [0, 1, 57, 500])
@pytest.mark.parametrize("prime", ["", "the ", "世界 naïve 🙂\n"])
def test_the_prime_and_so_many_characters(sample, prime, length):
    text = sample("--prime", prime, "--length", length)
    assert text.startswith(prime)
    assert len(text) == len(prime) + length
    assert text == sample("--prime", prime, "--length", length)
    assert text == prime + sample("--prime", prime, "--length", length, "--no-echo")


def test_a_longer_sample_goes_on_from_a_shorter_one(sample):
    assert sample("--length", 300).startswith(sample("--length", 100))
    assert len(sample()) == 500


def test_the_seed_that_was_drawn_is_told(charrnn, trained):
    first, second = (charrnn("sample", "--length", 60) for _ in range(2))
    assert first.out != second.out
    seed = re.fullmatch(r"seed (\d+)\n", first.err)[1]
    again = charrnn("sample", "--length", 60, "--seed", seed)
    assert (again.out, again.err) == (first.out, "")


@pytest.mark.parametrize(("option", "between"), [((), "\n\n"), (("-0",), "\0")])
@pytest.mark.parametrize("prime", ["", "the "])
def test_several_samples(sample, option, between, prime):
    text = sample("-n", 4, "--length", 30, "--prime", prime, *option)
    step = len(prime) + 30 + len(between)
    assert len(text) == 4 * step - len(between)
    samples = [text[start : start + step - len(between)] for start in range(0, len(text), step)]
    assert between.join(samples) == text
    assert all(one.startswith(prime) for one in samples)
    assert len(set(samples)) == 4
    assert sample("-n", 4, "--length", 30, "--prime", prime, "--no-echo", "-0").split("\0") == [
        one.removeprefix(prime) for one in samples
    ]


def test_zero_temperature_is_greedy(sample):
    greedy = sample("--temp", 0, "--length", 80)
    assert greedy == sample("--temperature", 0, "--length", 80, "--seed", 4)
    assert greedy == sample("--top-k", 1, "--length", 80)
    assert greedy == sample("--top-p", 1e-9, "--length", 80)
    assert sample("--temp", 0, "-n", 3, "-0", "--length", 80).split("\0") == [greedy] * 3


@pytest.mark.parametrize("stop", ["e", "\n", " the", "世界", "dog dog"])
def test_a_stop_string_ends_the_sample_and_is_not_written(sample, stop):
    for number in (1, 3):
        words = ["-n", number, "-0", "--length", 300, "--no-echo", "--prime", "the " + stop]
        free, stopped = sample(*words).split("\0"), sample(*words, "--stop", stop).split("\0")
        assert stopped == [one.partition(stop)[0] for one in free]


def test_a_stop_string_that_cannot_be(charrnn, trained):
    assert "never writes" in charrnn(*SEEDED, "--stop", "ж", status=1).err


def test_the_prime_from_a_file(sample, folder):
    (folder / "prime").write_bytes(b"\xef\xbb\xbfthe\r\ndog ")
    assert sample("--prime-file", "prime", "--length", 40) == sample("--prime", "the\ndog ", "--length", 40)


def test_the_prime_from_standard_input(shell, trained):
    result = shell(*SEEDED, "--prime-file", "-", "--length", 40, input="the 世界".encode())
    assert result.stdout == shell(*SEEDED, "--prime", "the 世界", "--length", 40).stdout
    assert len(result.stdout.decode()) == 46


def test_without_a_prime_a_line_begins(sample):
    """The model reads a newline first, which is not written."""
    assert "\n" + sample("--length", 50) == sample("--length", 50, "--prime", "\n")


def test_an_unknown_character_of_the_prime(charrnn, trained, folder, sample):
    err = charrnn(*SEEDED, "--prime", "the жdog ж", status=1).err
    assert "'ж' (U+0436, CYRILLIC SMALL LETTER ZHE) at position 4 of the prime" in err
    assert "--unknown skip" in err
    assert err.count("\n") == 1
    (folder / "prime").write_text("the dog\r\nж", encoding="utf-8")
    assert "at position 8 of prime" in charrnn(*SEEDED, "--prime-file", "prime", status=1).err
    skipped = sample("--prime", "the жdog ж", "--unknown", "skip", "--length", 40)
    assert skipped == sample("--prime", "the dog ", "--length", 40)
    assert sample("--prime", "жж", "--unknown", "skip", "--length", 40) == sample("--length", 40)


def test_wrong_primes(charrnn, trained):
    charrnn(*SEEDED, "--prime", "a", "--prime-file", "corpus.txt", status=2)
    assert "nowhere: no such file" in charrnn(*SEEDED, "--prime-file", "nowhere", status=1).err


def test_a_prime_that_is_no_text(shell, trained, folder):
    """A byte of the command line that is no UTF-8 is an unknown character, or with a model of bytes itself."""
    result = shell(*SEEDED, "--prime", b"the \xff".decode("utf-8", "surrogateescape"))
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"(U+DCFF, no name) at position 4" in result.stderr
    (folder / "data").write_bytes(bytes(range(256)))
    assert shell(*shlex.split("train data --bytes --hidden 3 --steps 1 -c bytes.npz")).returncode == 0
    prime = b"\xff\xfe\n\r\x80"
    result = shell(*SEEDED, "-c", "bytes.npz", "--length", 9, "--prime", prime.decode("utf-8", "surrogateescape"))
    assert result.stdout.startswith(prime)
    assert len(result.stdout) == 14


def test_the_weights_that_are_asked_for(sample):
    """Weights of zero find all characters alike, and a greedy choice among those is the first."""
    run = load("charrnn.npz")
    run.best.flat[:] = 0
    save("charrnn.npz", run)
    greedy = ("--temp", 0, "--length", 20)
    assert sample(*greedy) == sample(*greedy, "--weights", "best") == 20 * run.vocab.characters[0]
    assert sample(*greedy, "--weights", "last") != sample(*greedy)
