"""The rows of `charrnn score` as lines: columns for `cut` and `sort`, JSON for programs, or text in colours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING

from .output import strip_control, write

if TYPE_CHECKING:
    from ..evaluation.scoring import ScoredUnit

MAX_LINES = 10_000  # that wait before they are written
MAX_DELAY = 0.1  # seconds that they wait

SHADES = ((2, 230), (4, 222), (6, 215), (8, 209), (12, 203))  # bits per character, and the background from there on
BLACK, RESET = "\x1b[38;5;16m", "\x1b[0m"


class RowWriter:
    """Writes a header and rows to standard output, many at a time."""

    def __init__(self, header: str) -> None:
        self.lines = [header] if header else []
        self.written = monotonic()

    def add(self, line: str) -> None:
        self.lines.append(line)
        if len(self.lines) >= MAX_LINES or monotonic() - self.written > MAX_DELAY:
            self.flush()

    def flush(self) -> None:
        if self.lines:
            write("".join(self.lines))
            self.lines.clear()
        self.written = monotonic()

    def flush_after_each(self, texts: Iterable[str | bytes]) -> Iterator[str | bytes]:
        """The same texts. The rows of each are written before the next one is waited for."""
        for text in texts:
            yield text
            self.flush()


def columns(per: str, compared: bool) -> list[str]:
    """The names of the columns."""
    names = [per, "start", "end", "chars", "bits", "bits_per_char"]
    return names + ["rank"] * (per == "char") + ["other_bits", "ratio"] * compared + ["text"]


def tsv(row: ScoredUnit, per: str) -> str:
    """A row as tab-separated columns. Bits have six decimals, which is exact: they are rounded to millionths."""
    number, start, end, chars, bits, bits_per_char, rank, other_bits, ratio, text = row
    line = f"{number}\t{start}\t{end}\t{chars}\t{bits:.6f}\t{bits_per_char:.6f}\t"
    if per == "char":
        line += f"{rank or ''}\t"
    if ratio is not None:
        line += f"{other_bits:.6f}\t{ratio:.6f}\t"
    return f"{line}{escaped(text)}\n"


def jsonl(row: ScoredUnit, per: str) -> str:
    """A row as a JSON object. Text is unchanged; bytes are escaped as in a column."""
    number, *figures, text = row
    values = [number, *(None if isinstance(value, float) and not isfinite(value) else value for value in figures), text]
    record = dict(zip((per, *row._fields[1:]), values, strict=True))
    record["text"] = escaped(text) if isinstance(text, bytes) else text
    return json.dumps({name: record[name] for name in columns(per, row.ratio is not None)}) + "\n"


def escaped(text: str | bytes) -> str:
    """Text on one line, reversibly: backslashes and what cannot be printed are escaped as in a Python string.

    So there may be \\\\, \\t, \\n, \\x1b and \\u2028. Bytes are shown as UTF-8 where they are valid, and else as \\xff.
    """
    characters = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    if characters.isprintable() and "\\" not in characters:
        return characters
    return "".join(map(_escaped_byte if isinstance(text, bytes) else _escaped, characters))


def _escaped(character: str) -> str:
    shown = character.isprintable() and character != "\\"
    return character if shown else character.encode("unicode_escape").decode()


def _escaped_byte(character: str) -> str:
    if character.isascii():
        return _escaped(character)
    data = character.encode("utf-8", "surrogateescape")
    return character if character.isprintable() else "".join(f"\\x{byte:02x}" for byte in data)


def shaded(row: ScoredUnit, per: str) -> str:
    """The text of a row on a background colour for its bits per character."""
    text = strip_control(row.text) + ("\n" if per == "line" else "")
    shade = next((shade for least, shade in reversed(SHADES) if row.bits_per_char >= least), None)
    if shade is None:
        return text
    colour = f"{BLACK}\x1b[48;5;{shade}m"
    return "\n".join(f"{colour}{piece}{RESET}" if piece else "" for piece in text.split("\n"))


def legend() -> str:
    """What the background colours mean."""
    shades = [f"{BLACK}\x1b[48;5;{shade}m {least} or more {RESET}" for least, shade in SHADES]
    return f"bits per character: under {SHADES[0][0]} " + " ".join(shades)
