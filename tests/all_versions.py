"""The tests with every Python there is here, and the oldest and the newest libraries for it: make test-all.

    python tests/all_versions.py [VERSION]... [-- PYTEST OPTIONS]

Each combination has a virtual environment of its own under .venv/all-versions. It runs the tests and makes a
checkpoint; then each of them reads the checkpoints of all, and must find the same figures and write the
same text. A table says what was run and what came of it. Pythons are looked for on the path and among those of pyenv.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".venv" / "all-versions"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
FIRST_NUMPY = {"3.12": "1.26.0", "3.13": "2.1.0"}  # with wheels for it; those before need what setup.cfg says
LIBRARIES = ("numpy", "click", "tqdm")
TOLERANCE = 1e-6  # nats per character


def find(version: str) -> str | None:
    """The program of a Python, if there is one that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    for place in filter(None, places):
        said = subprocess.run([place, "-c", "import sys; print(*sys.version_info[:2], sep='.')"], capture_output=True)
        if said.stdout.decode().strip() == version:
            return place
    return None


def oldest(version: str) -> list[str]:
    """The oldest libraries that setup.cfg allows and this Python can have."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lowest = dict(line.split(">=") for line in config["options"]["install_requires"].split())
    lowest["numpy"] = FIRST_NUMPY.get(version, lowest["numpy"])
    return [f"{name}=={lowest[name]}" for name in LIBRARIES]


def environment(python: str, version: str, age: str) -> Path:
    """The Python of a virtual environment with these libraries."""
    folder = HOME / f"{version}-{age}"
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    chosen = oldest(version) if age == "oldest" else ["--upgrade", *LIBRARIES]
    pip = [
        inside,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ",".join(LIBRARIES),
    ]
    subprocess.run([*pip, "--editable", f"{ROOT}[test]", *chosen], check=True, stdout=sys.stderr)
    return inside


def versions(python: Path) -> list[str]:
    code = f"from importlib.metadata import version; print(*map(version, {LIBRARIES}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def make(path: str) -> None:
    """Train and save a small model; what runs in each environment."""
    import keep

    run = keep.trained("gru")
    keep.charrnn.save(path, run)


def read(paths: list[str]) -> None:
    """Print what these checkpoints hold: a figure, a text at temperature 1, and one at 0."""
    from charrnn import evaluate, load, sample

    found = {}
    for path in paths:
        model = load(path).model()
        texts = [sample(model, 100, temperature=temperature, seed=1) for temperature in (0, 1)]
        found[path] = [evaluate(model, model.vocab.characters * 20).nats_per_char, *texts]
    print(json.dumps(found))


def cross(pythons: dict[str, Path]) -> dict[str, str]:
    """Every environment's checkpoint, read by every other; what disagrees with most."""
    paths = {name: str(HOME / f"{name}.npz") for name in pythons}
    for name, python in pythons.items():
        subprocess.run([python, __file__, "--make", paths[name]], check=True, cwd=ROOT / "tests")
    said, results = {}, {}
    for name, python in pythons.items():
        result = subprocess.run([python, __file__, "--read", *paths.values()], capture_output=True, cwd=ROOT / "tests")
        said[name] = json.loads(result.stdout) if result.returncode == 0 else {}
    first = next(iter(said.values()))
    for name, found in said.items():
        same = found.keys() == first.keys() == set(paths.values()) and all(
            abs(found[path][0] - first[path][0]) < TOLERANCE and found[path][1:] == first[path][1:] for path in first
        )
        results[name] = f"reads all {len(paths)}" if same else "DIFFERS"
    return results


def main() -> int:
    options = sys.argv[1:]
    if options[:1] == ["--make"]:
        make(options[1])
        return 0
    if options[:1] == ["--read"]:
        read(options[1:])
        return 0
    cut = options.index("--") if "--" in options else len(options)
    wanted, pytest = options[:cut] or PYTHONS, options[cut + 1 :]
    rows, pythons, failed = [], {}, False
    for version, age in product(wanted, ("oldest", "newest")):
        python = find(version)
        if python is None:
            rows.append([version, "", "", "", "not found here", ""])
            continue
        name = f"{version}-{age}"
        pythons[name] = environment(python, version, age)
        result = subprocess.run(
            [pythons[name], "-m", "pytest", "-q", "-p", "no:cacheprovider", *pytest],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        print(f"== {name}\n{result.stdout}", flush=True)
        failed |= result.returncode != 0
        ending = re.sub(r"^=* *| *=*$", "", result.stdout.strip().splitlines()[-1])
        rows.append([name, *versions(pythons[name]), f"{'FAILED' if result.returncode else 'passed'}: {ending}", ""])
    crossing = cross(pythons) if pythons else {}
    for row in rows:
        row[-1] = crossing.get(row[0], "")
    failed |= not crossing or "DIFFERS" in crossing.values()
    for row in [["python", *LIBRARIES, "tests", "checkpoints"], *rows]:
        print("{:12}{:9}{:9}{:9}{:60}{}".format(*row))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
