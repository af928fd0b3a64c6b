"""Kill training (SIGKILL), look at what it left, and go on: `make crash`, or kill_training.py [TRIES [SEED]].

Each try is a run in a process of its own that is killed at a random time, or at a random system call of a random save,
and half of them replace an older checkpoint. What is then there must load, sample, and be resumed (killed once more, in
a third of the tries) to the same end as a run that was never killed, with nothing left lying about. Work lost is what
the log says was done and the checkpoint does not have; beyond what happened since the last save that ended it is wrong.
"""

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from support.checkpoint_content import content  # noqa: E402
from support.faults import at_call, die  # noqa: E402

import charrnn  # noqa: E402

WORDS = ["the ", "dog ", "runs, ", "sees. ", "moon\n"]
NAME = "charrnn.npz"
OLDER = b"an older checkpoint"
HOW = shlex.split("--save-every 0.02 --quiet --log log --log-every 1")
SMALL = shlex.split(
    "--cell rnn --hidden 8 --layers 1 --batch-size 16 --seq-length 16 --dropout 0.2 --recurrent-dropout 0.1 --threads 2"
)
TRAIN = ["train", "corpus.txt", *SMALL, "--val-every", "30", "--steps", "120", *HOW]


@dataclass
class Outcome:
    """What came of some tries."""

    tries: int = 0
    inside: int = 0  # of a save
    before: int = 0  # the first save
    wrong: list[str] = field(default_factory=list)
    lost_steps: list[int] = field(default_factory=list)
    lost_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        steps, seconds = max(self.lost_steps, default=0), max(self.lost_seconds, default=0)
        return (
            f"{self.tries} kills, {self.inside} of them at a system call of a save, {self.before} before the first "
            f"save was whole: {len(self.wrong)} wrong outcomes; work lost: at most {steps} steps ({seconds:.3f} s)"
        )


def child() -> None:
    """The process that is killed: train, with saves as often as asked, and die in one of them if so told."""
    save_number, call_number, *arguments = sys.argv[2:]
    from charrnn.__main__ import main
    from charrnn.cli.train import autosave

    autosave.SHARE = float("inf")
    save, count = autosave.Autosave.save, [0]

    def save_and_note(self: autosave.Autosave) -> None:
        count[0] += 1
        if count[0] == int(save_number):
            with at_call(int(call_number), die):
                save(self)
        else:
            save(self)
        with open("saved", "a") as file:
            print(self.run.progress.step, file=file)

    autosave.Autosave.save = save_and_note  # type: ignore[method-assign]
    sys.argv[1:] = arguments
    main()


def train_and_kill(rng: random.Random, arguments: list[str], longest: float) -> tuple[bool, bool]:
    """Was it killed, and inside a save?"""
    inside = rng.random() < 0.5
    where = [rng.choice([1, 2, 2, 3, 4, 5, 6]), rng.randint(1, 160)] if inside else [0, 0]
    command = [sys.executable, __file__, "child", *map(str, where), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if not inside:
            time.sleep(longest * rng.betavariate(4, 2))  # most of it is the start
            process.kill()
        _, err = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(f"exit status {process.returncode}: {err.decode()}")
    return process.returncode != 0, inside


def run(*arguments: str) -> None:
    result = subprocess.run([sys.executable, "-m", "charrnn", *arguments], capture_output=True, check=False)
    if result.returncode:
        raise AssertionError(f"{' '.join(arguments)}: {result.stderr.decode()}")


def lines(name: str) -> list[str]:
    return Path(name).read_text().splitlines() if os.path.exists(name) else []


def look(outcome: Outcome, older: bool) -> list[str]:
    """Look at what a kill left. The arguments that go on from there."""
    saved = [int(line) for line in lines("saved")]
    log = [json.loads(line) for line in lines("log") if line.endswith("}")]
    done = {line["step"]: line["elapsed"] for line in log if "loss" in line}
    kept = f"{NAME}.new" if os.path.exists(f"{NAME}.new") else NAME
    if older:
        backup = f"{NAME}.bak"
        assert OLDER in (Path(NAME).read_bytes(), os.path.exists(backup) and Path(backup).read_bytes()), (
            "older file lost"
        )
        assert os.path.exists(NAME), "no checkpoint"
    if not os.path.exists(kept) or (older and kept == NAME and Path(NAME).read_bytes() == OLDER):
        assert not saved, "a save is lost"
        outcome.before += 1
        return [*TRAIN, "--force"] if older else TRAIN
    run_ = charrnn.load(kept)
    assert len(charrnn.sample(run_.model(), length=5, seed=1)) == 5
    step, last = run_.progress.step, max(done, default=0)
    assert step >= max(saved, default=0), "a save is lost"
    outcome.lost_steps.append(max(0, last - step))
    outcome.lost_seconds.append(max(0.0, done.get(last, 0.0) - done.get(step, 0.0)))
    return ["train", "--resume", *HOW]


def one(rng: random.Random, outcome: Outcome, reference: object, longest: float) -> None:
    older, arguments = rng.random() < 0.5, TRAIN
    if older:
        Path(NAME).write_bytes(OLDER)
        arguments = [*TRAIN, "--force"]
    for _ in range(rng.choice([1, 1, 2])):
        killed, inside = train_and_kill(rng, arguments, longest)
        outcome.tries += killed
        outcome.inside += killed and inside
        arguments = look(outcome, older)
    if "--resume" in arguments:
        run("sample", "-c", f"{NAME}.new" if os.path.exists(f"{NAME}.new") else NAME, "--length", "5", "--seed", "1")
    run(*arguments)
    assert content(NAME) == reference, "another end"
    left = set(os.listdir()) - {"corpus.txt", "log", "saved", NAME}
    assert left == ({f"{NAME}.bak"} if older else set()), f"left: {left}"
    assert not older or Path(f"{NAME}.bak").read_bytes() == OLDER, "not the older file"


def crash(tries: int, seed: int) -> Outcome:
    """Kill so often, in folders of their own."""
    rng, outcome, home = random.Random(seed), Outcome(), os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.chdir(folder)
            Path("corpus.txt").write_text("".join(random.Random(1).choices(WORDS, k=300)))
            began = time.perf_counter()
            run(*TRAIN)
            longest = time.perf_counter() - began
            reference = content(NAME)
            while outcome.tries < tries:
                with tempfile.TemporaryDirectory() as inner:
                    os.chdir(inner)
                    os.link(Path(folder) / "corpus.txt", "corpus.txt")
                    try:
                        one(rng, outcome, reference, longest)
                    except (AssertionError, charrnn.CharRNNError) as error:
                        outcome.wrong.append(f"{error} {sorted(os.listdir())}")
                    os.chdir(folder)
        finally:
            os.chdir(home)
    return outcome


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child()
    else:
        numbers = [int(word) for word in sys.argv[1:]]
        result = crash(*numbers, *(200, 1)[len(numbers) :])
        print(result, *result.wrong, sep="\n")
        sys.exit(bool(result.wrong))
