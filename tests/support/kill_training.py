"""Kill training (SIGKILL), check what is left, and resume it: `make crash`, or kill_training.py [TRIES [SEED]].

Each try is a run in a process of its own. It is killed at a random time, or at a random system call of a random save.
Half of the runs replace an older checkpoint, and a third are killed again after they were resumed. What a kill leaves
must load, sample, and resume to the same checkpoint as a run that was never killed, without temporary files. Work that
is in the log but not in the checkpoint is lost. The steps of a save that was completed must never be lost.
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
SAVE_OPTIONS = shlex.split("--save-every 0.02 --quiet --log log --log-every 1")
SMALL = shlex.split(
    "--cell rnn --hidden 8 --layers 1 --batch-size 16 --seq-length 16 --dropout 0.2 --recurrent-dropout 0.1 --threads 2"
)
TRAIN = ["train", "corpus.txt", *SMALL, "--val-every", "30", "--steps", "120", *SAVE_OPTIONS]


@dataclass
class Outcome:
    """The result of some tries."""

    tries: int = 0
    inside: int = 0  # killed at a system call of a save
    before: int = 0  # killed before any save was complete
    wrong: list[str] = field(default_factory=list)
    lost_steps: list[int] = field(default_factory=list)
    lost_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        steps, seconds = max(self.lost_steps, default=0), max(self.lost_seconds, default=0)
        return (
            f"{self.tries} kills, {self.inside} of them at a system call of a save, {self.before} before the first "
            f"save was complete: {len(self.wrong)} wrong outcomes; work lost: at most {steps} steps ({seconds:.3f} s)"
        )


def child() -> None:
    """The process that is killed: it trains, saves as often as asked, and dies in a save if told to."""
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
    """Was the process killed, and was that to happen inside a save?"""
    inside = rng.random() < 0.5
    where = [rng.choice([1, 2, 2, 3, 4, 5, 6]), rng.randint(1, 160)] if inside else [0, 0]
    command = [sys.executable, __file__, "child", *map(str, where), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if not inside:
            time.sleep(longest * rng.betavariate(4, 2))  # most of the time is start-up
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


def check(outcome: Outcome, older: bool) -> list[str]:
    """Check what a kill left. Returns the arguments of the command that continues from there."""
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
    return ["train", "--resume", *SAVE_OPTIONS]


def kill_one_run(rng: random.Random, outcome: Outcome, reference: object, longest: float) -> None:
    older, arguments = rng.random() < 0.5, TRAIN
    if older:
        Path(NAME).write_bytes(OLDER)
        arguments = [*TRAIN, "--force"]
    for _ in range(rng.choice([1, 1, 2])):
        killed, inside = train_and_kill(rng, arguments, longest)
        outcome.tries += killed
        outcome.inside += killed and inside
        arguments = check(outcome, older)
    if "--resume" in arguments:
        run("sample", "-c", f"{NAME}.new" if os.path.exists(f"{NAME}.new") else NAME, "--length", "5", "--seed", "1")
    run(*arguments)
    assert content(NAME) == reference, "another end than without a kill"
    left = set(os.listdir()) - {"corpus.txt", "log", "saved", NAME}
    assert left == ({f"{NAME}.bak"} if older else set()), f"left: {left}"
    assert not older or Path(f"{NAME}.bak").read_bytes() == OLDER, "the backup is not the older file"


def crash(tries: int, seed: int) -> Outcome:
    """Kill at least `tries` processes. Each run has a folder of its own."""
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
                        kill_one_run(rng, outcome, reference, longest)
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
