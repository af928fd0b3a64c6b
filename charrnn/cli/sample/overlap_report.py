"""The end of `charrnn sample`: the report of --check, for people or as a part of the JSON object."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ...evaluation.overlap import Overlap, copied
from ...text.reader import STDIN, read_bytes, read_text, reject_endless_device
from ..output import as_text, plural, print_line, strip_control

SHOWN = 60  # characters of the passage that are shown


def check_readable(names: Sequence[str], encoding: str, as_bytes: bool) -> None:
    """Raises for a corpus that cannot be read, before anything is drawn.

    Standard input and pipes can be read only once, so they are not tried.
    """
    for name in names:
        if name != STDIN and stat.S_ISCHR(os.stat(name).st_mode if os.path.exists(name) else 0):
            with open(name, "rb") as file:
                reject_endless_device(name, file)
        elif name != STDIN and (os.path.isfile(name) or os.path.isdir(name) or not os.path.exists(name)):
            next(read_bytes(name) if as_bytes else read_text(name, encoding), None)


def finish(
    answer: dict[str, Any] | None, samples: Sequence[str | bytes], check: Sequence[str], encoding: str, unit: str
) -> None:
    """Print the JSON object, if there is one, with the findings of `check`; without one, report them to people.

    The object is printed even if a corpus cannot be read to its end, or if Ctrl-C interrupts the reading.
    """
    found: dict[str, Any] = {}
    try:
        if check and samples:
            result = copied(samples, check, encoding)
            found = {"check": as_object(result)}
            if answer is None:
                for line in report(result, unit, len(samples)):
                    click.echo(line, err=True)
    finally:
        if answer is not None:
            print_line(json.dumps(answer | found))


def report(result: Overlap, unit: str, samples: int) -> Iterator[str]:
    """The findings as lines for people."""
    span = result.longest
    if span is None:
        yield f"longest passage copied verbatim: none, not even one {unit}"
    else:
        text = as_text(span.text)
        shown = text if len(text) <= SHOWN else text[: SHOWN // 2] + " ... " + text[-SHOWN // 2 :]
        where = f"sample {span.sample + 1}" if samples > 1 else "the output"
        yield strip_control(
            f"longest passage copied verbatim: {plural(len(span.text), unit)}, from {unit} {span.corpus_offset:,} "
            f"(line {span.corpus_line:,}) of {span.corpus}, at {unit} {span.sample_offset:,} of {where}: {shown!r}"
        )
    shares = [
        f"{share:.1%} of {count:,} {size}-grams"
        for size, share, count in ((8, result.new_8, result.grams_8), (32, result.new_32, result.grams_32))
        if share is not None
    ]
    yield f"new: {' and '.join(shares) or 'too short to tell'}"


def as_object(result: Overlap) -> dict[str, Any]:
    """The findings as JSON."""
    span = result.longest
    longest = span and {
        "length": len(span.text),
        "text": as_text(span.text),
        "corpus": span.corpus,
        "corpus_offset": span.corpus_offset,
        "corpus_line": span.corpus_line,
        "sample": span.sample,
        "sample_offset": span.sample_offset,
    }
    return {"longest": longest, "new_8grams": result.new_8, "new_32grams": result.new_32}
