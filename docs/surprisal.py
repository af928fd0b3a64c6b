"""Draw docs/surprisal.svg: nine lines of Othello, coloured by how much each character surprises the demo's model.

Run by `make picture`, after `make demo`. The lines are from the tenth of the text that the model was not trained on.
The picture has a background of its own, so it looks the same on a light and on a dark page.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import charrnn

ROOT = Path(__file__).resolve().parents[1]
MODEL, TEXT, PICTURE = (ROOT / name for name in ("data/demo.npz", "data/shakespeare.txt", "docs/surprisal.svg"))
FIRST, LAST = "Put out the light, and then", "smell it on the tree."  # where the passage begins and ends

BOUNDS = (0, 1, 2, 4, 6, 8)  # bits: where each colour begins
PAPER, INK, MUTED, EDGE = "#fffdf8", "#1f1d1a", "#6f6a60", "#e4dccb"
COLOURS = (PAPER, "#fdefbf", "#fbd687", "#f8ae62", "#f2825b", "#e65559")
MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SANS = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"

SIZE, ADVANCE, LEADING, MARGIN = 18, 10.8, 30, 32  # pixels; a monospace letter is about 0.6 of its size wide
TOP = 104  # the baseline of the first line

Line = list[tuple[str, float]]  # characters and their bits


def scored_lines() -> list[Line]:
    """The passage, each character predicted from everything before it in the held-out tenth."""
    text = TEXT.read_text(encoding="utf-8")
    held_out = text[-(len(text) // 10) :]
    start, end = held_out.index(FIRST), held_out.index(LAST) + len(LAST)
    units = charrnn.score(charrnn.load_model(MODEL), held_out[:end], per="char")
    passage = [(str(unit.text), unit.bits) for unit in units if unit.start >= start]
    return [list(line) for is_end, line in groupby(passage, lambda pair: pair[0] == "\n") if not is_end]


def coloured_runs(line: Line) -> Iterator[tuple[int, int, str]]:
    """First column, number of columns and colour of each stretch of equal colour that is not the paper's."""
    column = 0
    for colour, run in groupby(COLOURS[bisect_right(BOUNDS, bits) - 1] for _, bits in line):
        columns = len(list(run))
        if colour != PAPER:
            yield column, columns, colour
        column += columns


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"{more}/>'


def legend(y: float) -> Iterator[str]:
    x: float = MARGIN
    for low, high, colour in zip(BOUNDS, (*BOUNDS[1:], None), COLOURS, strict=True):
        words = f"{low}\N{EN DASH}{high}" if high else f"over {low} bits"
        yield rect(x, y - 13, 18, 18, colour, f' rx="3" stroke="{EDGE}"')
        yield f'<text class="note" x="{x + 26:g}" y="{y}">{words}</text>'
        x += 76


def picture(lines: list[Line]) -> str:
    count = sum(len(line) for line in lines)
    mean = sum(bits for line in lines for _, bits in line) / count
    width = max(len(line) for line in lines) * ADVANCE + 2 * MARGIN
    bottom = TOP + (len(lines) - 1) * LEADING
    height = bottom + 76
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height}" viewBox="0 0 {width:g} {height}"'
        ' role="img" aria-labelledby="title desc">',
        '<title id="title">How much each character of a passage surprises the model</title>',
        f'<desc id="desc">{len(lines)} lines of Othello. The redder the background of a character, the more bits it '
        "takes. The first letters of words take the most; spaces and the letters that complete a word take the least. "
        f"The mean is {mean:.1f} bits per character.</desc>",
        f"<style>.verse {{ font-family: {MONO}; font-size: {SIZE}px; fill: {INK}; white-space: pre }}"
        f" .head, .note {{ font-family: {SANS} }} .head {{ font-size: 17px; font-weight: 600; fill: {INK} }}"
        f" .note {{ font-size: 14px; fill: {MUTED} }}</style>",
        rect(0.5, 0.5, width - 1, height - 1, PAPER, f' rx="10" stroke="{EDGE}"'),
        f'<text class="head" x="{MARGIN}" y="40">How much each character surprises the model</text>',
        f'<text class="note" x="{MARGIN}" y="62">From the part of the plays that it was not trained on. Mean: '
        f"{mean:.1f} bits.</text>",
    ]
    for row, line in enumerate(lines):
        y, text = TOP + row * LEADING, "".join(character for character, _ in line)
        parts += [
            rect(round(MARGIN + column * ADVANCE, 1), y - 19, round(columns * ADVANCE, 1), 26, colour)
            for column, columns, colour in coloured_runs(line)
        ]
        # Each character has its own place, so that the picture does not depend on the font.
        columns = " ".join(f"{MARGIN + column * ADVANCE:.1f}" for column in range(len(text)))
        parts.append(f'<text class="verse" x="{columns}" y="{y}" xml:space="preserve">{escape(text)}</text>')
    parts += [*legend(bottom + 48), "</svg>"]
    return "\n".join(parts) + "\n"


def main() -> None:
    missing = [str(path.relative_to(ROOT)) for path in (MODEL, TEXT) if not path.exists()]
    if missing:
        sys.exit(f"{' and '.join(missing)}: not there; run `make demo` first")
    PICTURE.write_text(picture(scored_lines()), encoding="utf-8")
    print(f"saved in {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
