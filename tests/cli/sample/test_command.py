"""charrnn sample writes exactly what was asked for, and the same again for the same seed."""

import json
import re
import shlex

import pytest

from charrnn import load, save

SEEDED = ("sample", "--seed", 3)


@pytest.fixture
def sample(charrnn, trained):
    """Run charrnn sample with a seed; returns its standard output as text."""
    return lambda *words: charrnn(*SEEDED, *words).out.decode()


@pytest.mark.parametrize("length", [0, 1, 57, 500])
@pytest.mark.parametrize("prime", ["", "the ", "世界 naïve 🙂\n"])
def test_the_prime_and_length_characters(sample, prime, length):
    text = sample("--prime", prime, "--length", length)
    assert text.startswith(prime)
    assert len(text) == len(prime) + length
    assert text == sample("--prime", prime, "--length", length)
    assert text == prime + sample("--prime", prime, "--length", length, "--no-echo")


def test_a_longer_sample_begins_with_the_shorter_one(sample):
    assert sample("--length", 300).startswith(sample("--length", 100))
    assert len(sample()) == 500


def test_a_random_seed_is_shown(charrnn, trained):
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


def test_several_stop_strings_and_a_minimum_length(sample):
    free = sample("--length", 1000)
    dog, run = free.index("dog"), free.index("run")
    assert sample("--length", 1000, "--stop", "run", "--stop", "dog", "--stop", "") == free[: min(dog, run)]
    for min_length in (0, dog, dog + 1, 150):
        stopped = sample("--length", 1000, "--stop", "dog", "--min-length", min_length)
        assert stopped == free[: free.index("dog", min_length)]


def test_impossible_stop_strings(charrnn, trained):
    err = charrnn("sample", "--stop", "ж", status=1).err
    assert "never writes" in err
    assert err.count("\n") == 1  # no seed is shown before it
    assert "banned" in charrnn(*SEEDED, "--stop", "dog", "--ban", "g", status=1).err
    assert "--stop" in charrnn(*SEEDED, "--min-length", 5, status=2).err
    assert "--length 9" in charrnn(*SEEDED, "--min-length", 10, "--length", 9, "--stop", "dog", status=2).err


def test_banned_and_allowed_characters(sample, charrnn):
    hot = ("--temp", 9, "--length", 300)
    assert {"o", "🙂", "界"} <= set(sample(*hot))
    assert not set("o🙂") & set(sample(*hot, "--ban", "o🙂ж"))
    assert set(sample(*hot, "--allow", "dog界ж")) == set("dog界")
    assert set(sample(*hot, "--allow", "dog界", "--ban", "do")) == set("g界")
    assert sample(*hot, "--ban", "", "--prime", "dog") == sample(*hot, "--prime", "dog")
    for words in (["--allow", ""], ["--allow", "ж"], ["--allow", "og", "--ban", "go"]):
        err = charrnn(*SEEDED, *words, status=1).err
        assert "leave no character" in err
        assert err.count("\n") == 1


def test_loops_are_left(sample):
    """Without --no-repeat this small model loops from the first line on at temperature 0."""
    loop, text = (sample("--temp", 0, "--length", 400, *words) for words in ([], ["--no-repeat", 12]))
    assert len({loop[i : i + 32] for i in range(300)}) < 150
    assert len({text[i : i + 32] for i in range(300)}) > 290


def test_one_json_object(sample, charrnn):
    words = ("-n", 3, "--length", 30, "--prime", "the ")
    answer = json.loads(sample(*words, "--json"))
    plain = sample(*words, "--no-echo", "-0").split("\0")
    assert answer == {"seed": 3, "prime": "the ", "samples": plain}
    assert json.loads(sample("--length", 0, "--json")) == {"seed": 3, "prime": "", "samples": [""]}
    answer = json.loads(charrnn("sample", "--length", 30, "--json").out)
    assert answer["samples"] == [sample("--length", 30, "--seed", answer["seed"])]


class TestCheck:
    """--check ignores the prime, gives the right places, and writes nothing to standard output."""

    def test_for_people(self, charrnn, trained, folder):
        plain = charrnn(*SEEDED, "--prime", "the dog", "--length", 60).out.decode()
        (folder / "other.txt").write_text("one\ntwo " + plain[:47] + "|" + "zz\n" * 9, encoding="utf-8")
        result = charrnn(*SEEDED, "--prime", "the dog", "--length", 60, "--check", "other.txt")
        assert result.out.decode() == plain
        longest, new = result.err.splitlines()
        assert longest == (
            "longest passage copied verbatim: 40 characters, from character 15 (line 2) of other.txt, "
            f"at character 0 of the output: {plain[7:47]!r}"
        )
        assert new == "new: 37.7% of 53 8-grams and 69.0% of 29 32-grams"

    def test_for_programs(self, charrnn, trained, folder):
        plain = charrnn(*SEEDED, "-n", 3, "-0", "--length", 60).out.decode().split("\0")
        (folder / "a.txt").write_text("世" + plain[1][20:50], encoding="utf-8")
        (folder / "b.txt").write_text("\n" + plain[2][3:47], encoding="utf-8")
        words = (*SEEDED, "-n", 3, "--length", 60, "--json", "--check")
        check = json.loads(charrnn(*words, "a.txt", "--check", "b.txt").out)["check"]
        span = {"corpus": "b.txt", "corpus_offset": 1, "corpus_line": 2, "sample": 2, "sample_offset": 3}
        assert check["longest"] == {"length": 44, "text": plain[2][3:47], **span}
        assert check["new_32grams"] == pytest.approx(1 - 13 / 87)
        check = json.loads(charrnn(*SEEDED, "--length", 7, "--json", "--check", "corpus.txt").out)["check"]
        assert (check["new_8grams"], check["new_32grams"]) == (None, None)

    def test_bytes(self, charrnn, folder):
        (folder / "data").write_bytes(bytes(range(256)))
        charrnn(*shlex.split("train data --bytes --hidden 3 --steps 1 -c bytes.npz --quiet"))
        words = (*SEEDED, "-c", "bytes.npz", "--length", 300)
        plain = charrnn(*words).out
        answer = json.loads(charrnn(*words, "--json", "--check", "data").out)
        assert answer["samples"][0].encode("utf-8", "surrogateescape") == plain
        span = answer["check"]["longest"]
        assert (
            plain[span["sample_offset"] :][: span["length"]]
            == bytes(range(256))[span["corpus_offset"] :][: span["length"]]
        )
        assert "bytes, from byte" in charrnn(*words, "--check", "data").err

    def test_an_unreadable_corpus_is_an_error_before_anything_is_drawn(self, charrnn, shell, trained, folder):
        assert "nowhere: no such file" in charrnn(*SEEDED, "--check", "nowhere", status=1).err
        assert "is a directory" in charrnn(*SEEDED, "--check", ".", status=1).err
        assert "'x' is not" in charrnn(*SEEDED, "--check", "corpus.txt", "--encoding", "x", status=1).err
        assert "--encoding" in charrnn(*SEEDED, "--encoding", "utf-8", status=2).err
        assert "once" in charrnn(*SEEDED, "--check", "-", "--prime-file", "-", status=2).err
        result = shell(*SEEDED, "--length", 9, "--check", "-", "--json", input=b"\xff")
        assert len(json.loads(result.stdout)["samples"][0]) == 9  # the sample is not lost
        result = shell(*SEEDED, "--length", 9, "--check", "-", input=b"\xff")
        assert result.returncode == 1
        assert result.stderr.startswith(b"charrnn: standard input: not utf-8")
        result = shell(*SEEDED, "--length", 9, "--check", "-", "--encoding", "latin-1", input=b"\xff")
        assert (result.returncode, result.stderr[:38]) == (0, b"longest passage copied verbatim: none,")


def test_the_prime_from_a_file(sample, folder):
    (folder / "prime").write_bytes(b"\xef\xbb\xbfthe\r\ndog ")
    assert sample("--prime-file", "prime", "--length", 40) == sample("--prime", "the\ndog ", "--length", 40)


def test_the_prime_from_standard_input(shell, trained):
    result = shell(*SEEDED, "--prime-file", "-", "--length", 40, input="the 世界".encode())
    assert result.stdout == shell(*SEEDED, "--prime", "the 世界", "--length", 40).stdout
    assert len(result.stdout.decode()) == 46


def test_without_a_prime_the_text_starts_a_line(sample):
    """The model reads a newline first, which is not written."""
    assert "\n" + sample("--length", 50) == sample("--length", 50, "--prime", "\n")


def test_an_unknown_character_of_the_prime(charrnn, trained, folder, sample):
    err = charrnn(*SEEDED, "--prime", "the жdog ж", status=1).err
    assert "the prime: 'ж' (U+0436, CYRILLIC SMALL LETTER ZHE) at position 4 is not" in err
    assert "--unknown skip" in err
    assert err.count("\n") == 1
    (folder / "prime").write_text("the dog\r\nж", encoding="utf-8")
    err = charrnn(*SEEDED, "--prime-file", "prime", status=1).err
    assert "prime: 'ж' (U+0436, CYRILLIC SMALL LETTER ZHE) at position 8" in err
    skipped = sample("--prime", "the жdog ж", "--unknown", "skip", "--length", 40)
    assert skipped == sample("--prime", "the dog ", "--length", 40)
    assert sample("--prime", "жж", "--unknown", "skip", "--length", 40) == sample("--length", 40)


def test_invalid_primes(charrnn, trained):
    charrnn(*SEEDED, "--prime", "a", "--prime-file", "corpus.txt", status=2)
    assert "nowhere: no such file" in charrnn(*SEEDED, "--prime-file", "nowhere", status=1).err


def test_a_prime_that_is_not_utf8(shell, trained, folder):
    """A byte that is not UTF-8 is an unknown character; a model of bytes reads it as it is."""
    result = shell(*SEEDED, "--prime", b"the \xff".decode("utf-8", "surrogateescape"))
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"(U+DCFF, no name) at position 4" in result.stderr
    (folder / "data").write_bytes(bytes(range(256)))
    assert shell(*shlex.split("train data --bytes --hidden 3 --steps 1 -c bytes.npz")).returncode == 0
    prime = b"\xff\xfe\n\r\x80"
    result = shell(*SEEDED, "-c", "bytes.npz", "--length", 9, "--prime", prime.decode("utf-8", "surrogateescape"))
    assert result.stdout.startswith(prime)
    assert len(result.stdout) == 14


def test_best_and_last_weights(sample):
    """With weights of zero all characters are equally likely, and temperature 0 takes the first of them."""
    run = load("charrnn.npz")
    run.best.flat[:] = 0
    save("charrnn.npz", run)
    greedy = ("--temp", 0, "--length", 20)
    assert sample(*greedy) == sample(*greedy, "--weights", "best") == 20 * run.vocab.characters[0]
    assert sample(*greedy, "--weights", "last") != sample(*greedy)
