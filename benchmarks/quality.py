"""Quality for time: the loss that `charrnn train` reaches on the held-out part, for each cell and number of minutes.

    python benchmarks/quality.py TEXT [--folder benchmarks/quality] [--cells lstm gru] [--budgets 0.1 1 3]

Each run is `charrnn train TEXT --minutes M --cell C` with no other option. (The default cell is the LSTM.) The shortest
budgets come first. A finished run is recorded as a line in FOLDER/results.jsonl and is not repeated, so this can be
stopped and restarted at any time. After each run FOLDER/results.md is rewritten and, if matplotlib is installed,
FOLDER/results.svg.

"nats" is the loss in nats per character over the whole held-out part, by the validation that ends a run, with the best
weights. "Cold start" is `charrnn eval --window 256` over the same part: windows of 256 characters, each from the zero
state. Transformers with a context of 256 are scored in the same way, since they cannot see further back.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import time
from math import log
from pathlib import Path
from typing import Any

from common import CHARRNN, heading, machine, row

from charrnn.nn.cells import CELLS

BUDGETS = [0.1, 1, 3, 10, 60]  # minutes
WINDOW = 256

Record = dict[str, Any]


def command(cell: str, minutes: float, text: str) -> list[str]:
    """The arguments of `charrnn` for a run."""
    return ["train", text, "--minutes", f"{minutes:g}", "--cell", cell]


def figures(*words: str) -> Record:
    """What a charrnn command prints with --json."""
    return json.loads(subprocess.run([*CHARRNN, *words, "--json"], check=True, stdout=subprocess.PIPE).stdout)


def run(cell: str, minutes: float, text: Path, folder: Path) -> Record:
    """Train one model; a record of the run and its losses."""
    checkpoint = str(folder / f"{cell}-{minutes:g}.npz")
    words = command(cell, minutes, str(text))
    print("charrnn", *words, flush=True)
    began = time.monotonic()
    subprocess.run([*CHARRNN, *words, "-c", checkpoint, "--force", "--quiet"], check=True)
    wall = time.monotonic() - began
    info, cold = figures("info", "-c", checkpoint), figures("eval", "-c", checkpoint, "--window", str(WINDOW))
    model = info["model"]
    return {
        "text": digest(text),
        "cell": cell,
        "minutes": minutes,
        "nats": info["closing_val_loss"],
        "cold": cold["nats_per_char"],
        "model": f"{model['networks']} x {model['cell']} {model['hidden']}x{model['layers']}",
        "parameters": info["parameters"],
        "steps": info["step"],
        "elapsed": info["elapsed"],
        "wall": wall,
        "machine": machine("numpy"),
    }


def digest(text: Path) -> str:
    return hashlib.sha256(text.read_bytes()).hexdigest()


def recorded(path: Path, text: Path) -> list[Record]:
    """The finished runs. Runs on another text are an error."""
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if any(record["text"] != digest(text) for record in records):
        raise SystemExit(f"{path} holds runs on another text than {text}; choose another --folder")
    return records


def tables(records: list[Record], text: Path) -> str:
    """All results in Markdown: nats by cell and budget, then a row for each run."""
    nats = {(record["cell"], record["minutes"]): record["nats"] for record in records}
    cells = list(dict.fromkeys(record["cell"] for record in records))
    budgets = sorted({record["minutes"] for record in records})
    lines = [f"{text.name}, sha256 {digest(text)[:16]}...; {records[-1]['machine']}", ""]
    lines.append(heading("nats per character after", *(f"{minutes:g} min" for minutes in budgets)))
    for cell in cells:
        found = [nats.get((cell, minutes)) for minutes in budgets]
        lines.append(row(cell, *("" if figure is None else f"{figure:.4f}" for figure in found)))
    lines += ["", heading("command", "network", "parameters", "steps", "wall s", "nats", "bits", "cold start, nats")]
    for record in sorted(records, key=lambda record: record["nats"]):
        words = " ".join(["charrnn", *command(record["cell"], record["minutes"], text.name)])
        sizes = [record["model"], f"{record['parameters']:,}", f"{record['steps']:,}", f"{record['wall']:.0f}"]
        losses = [f"{loss:.4f}" for loss in (record["nats"], record["nats"] / log(2), record["cold"])]
        lines.append(row(f"`{words}`", *sizes, *losses))
    return "\n".join(lines) + "\n"


def plot(records: list[Record], path: Path) -> None:
    """Plot loss by time, a line for each cell. Does nothing if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for cell in dict.fromkeys(record["cell"] for record in records):
        points = sorted((record["elapsed"] / 60, record["nats"]) for record in records if record["cell"] == cell)
        axes.plot(*zip(*points, strict=True), marker="o", label=cell)
    axes.set(xscale="log", xlabel="minutes of training", ylabel="validation loss, nats per character")
    ticks = sorted({record["minutes"] for record in records})
    axes.set_xticks(ticks, [f"{minutes:g}" for minutes in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "quality")
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), default=list(CELLS), metavar="CELL")
    parser.add_argument("--budgets", nargs="+", type=float, default=BUDGETS, metavar="MINUTES")
    options = parser.parse_args()

    text, folder = options.text.resolve(), options.folder
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.jsonl"
    records = recorded(results, text)
    done = {(record["cell"], record["minutes"]) for record in records}
    for minutes in sorted(options.budgets):
        for cell in options.cells:
            if (cell, minutes) in done:
                continue
            records.append(run(cell, minutes, text, folder))
            with results.open("a") as file:
                file.write(json.dumps(records[-1]) + "\n")
            (folder / "results.md").write_text(tables(records, text))
            plot(records, folder / "results.svg")
    print(tables(records, text), end="")


if __name__ == "__main__":
    main()
