from pathlib import Path

import pytest

from charrnn.cli import threads

WIDE = "avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16"


@pytest.fixture(autouse=True)
def no_kernels_chosen(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "to be put back as it was")
    monkeypatch.delenv("OPENBLAS_CORETYPE")


@pytest.fixture
def processor(monkeypatch):
    """Makes this machine one whose two processors are of a vendor and have certain flags."""

    def be(vendor, flags):
        block = (
            f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: X 7\nflags\t\t: fpu sse2 {flags} avx2\nbugs\t\t:\n\n"
        )
        monkeypatch.setattr(Path, "read_text", lambda path: block * 2 if str(path) == "/proc/cpuinfo" else "")

    return be


@pytest.mark.parametrize(
    ("vendor", "flags", "kernels"),
    [
        ("AuthenticAMD", WIDE, "SkylakeX"),
        ("AuthenticAMD", WIDE.replace("avx512vl ", ""), None),
        ("AuthenticAMD", "", None),
        ("GenuineIntel", WIDE, None),
    ],
    ids=["AMD with AVX-512", "AMD with a part of it", "AMD without", "Intel"],
)
def test_the_widest_kernels_are_asked_for_only_where_openblas_does_not_find_them(processor, vendor, flags, kernels):
    processor(vendor, flags)
    threads.widest_kernels()
    assert threads.os.environ.get("OPENBLAS_CORETYPE") == kernels


def test_kernels_that_the_user_chose_stay(processor, monkeypatch):
    processor("AuthenticAMD", WIDE)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    threads.widest_kernels()
    assert threads.os.environ["OPENBLAS_CORETYPE"] == "Haswell"


def test_a_machine_that_does_not_tell_its_processor_is_left_alone(monkeypatch):
    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", missing)
    threads.widest_kernels()
    assert "OPENBLAS_CORETYPE" not in threads.os.environ
