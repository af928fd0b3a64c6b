"""How good the installed command gets in how much time: the loss over the held-out part, by cell and by minutes.

    python benchmarks/quality.py TEXT [--folder benchmarks/quality] [--cells lstm gru] [--budgets 0.1 1 3]

Each run is `charrnn train TEXT --minutes M --cell C` and no other option; without `--cell` it would be the LSTM.
The shortest budgets come first. A finished run is a line in FOLDER/results.jsonl and is not made again, so this can be
stopped and started again at any time. After each run FOLDER/results.md is written anew and, where matplotlib is
installed, FOLDER/results.svg.

"nats" is the validation over all of the held-out part that ends a run, with the best weights, in nats per character;
"cold start" is `charrnn eval --window 256` over the same part: windows of 256 characters, each from the zero state, as
for transformers, which cannot see further back.
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
    """The words after `charrnn` that make a run."""
    return ["train", text, "--minutes", f"{minutes:g}", "--cell", cell]


def figures(*words: str) -> Record:
    """The JSON that a charrnn command prints."""
    return json.loads(subprocess.run([*CHARRNN, *words, "--json"], check=True, stdout=subprocess.PIPE).stdout)


def run(cell: str, minutes: float, text: Path, folder: Path) -> Record:
    """Train, and what came of it."""
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
    """The finished runs; those of another text are an error."""
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if any(record["text"] != digest(text) for record in records):
        raise SystemExit(f"{path} holds runs on another text than {text}; choose another --folder")
    return records


def tables(records: list[Record], text: Path) -> str:
    """All that was measured, in Markdown: nats by cell and budget, then a row for each run."""
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
    """A line for each cell: loss by time. Nothing where matplotlib is not installed."""
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
