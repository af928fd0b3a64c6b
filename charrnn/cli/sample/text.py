"""charrnn sample with a model of texts: samples of a length, one after the other, or a conversation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import numpy as np

from ...language_model import LanguageModel
from ...text.corpus import read_ids
from ...text.vocab import Ids
from ..output import as_text, write
from .interactive import converse
from .options import drawing, resolve_seed
from .overlap_report import finish

MOST_SAMPLES = 1 << 16


def write_texts(
    model: LanguageModel,
    encoding: str,
    *,
    prime: str | None,
    prime_file: str | None,
    unknown: str,
    interactive: bool,
    num_samples: int,
    null: bool,
    no_echo: bool,
    check: tuple[str, ...],
    as_json: bool,
    seed: int | None,
    length: int,
    stop: tuple[str, ...],
    min_length: int,
    temperature: float,
    top_k: int | None,
    top_p: float,
    ban: str,
    allow: str | None,
    no_repeat: int | None,
    **of_records: Any,
) -> None:
    """Draw and write what the options of `charrnn sample` say; they are those of its help."""
    if interactive:
        others = {
            "--prime": prime,
            "--prime-file": prime_file,
            "-n": num_samples > 1,
            "--check": check,
            "--json": as_json,
        }
        for name, given in others.items():
            if given:
                raise click.UsageError(f"--interactive asks for one beginning after the other; leave out {name}.")
    if num_samples > MOST_SAMPLES:
        raise click.UsageError(f"-n is {num_samples}; of texts {MOST_SAMPLES} are the most to be drawn side by side.")
    if prime_file is not None:
        prime_ids, _ = read_ids([prime_file], model.vocab, encoding, unknown)
    else:
        prime_ids, _ = model.vocab.encode(prime or "", unknown, "the prime")
    drawn = drawing(model, length, stop, min_length, ban, allow, top_k, no_repeat, temperature=temperature, top_p=top_p)
    seed = resolve_seed(seed)
    if interactive:
        converse(drawn, seed, not no_echo, "\0" if null else "\n\n")
        return

    decode = model.vocab.decode
    echo = decode(prime_ids[:0] if no_echo else prime_ids)
    if not as_json:
        write(echo)
    steps = drawn.steps(prime_ids, num_samples, seed)
    samples = collect(steps, decode, num_samples, show=not as_json, keep_first=as_json or bool(check))
    if not as_json:
        for sample in samples[1:]:
            write("\0" if null else "\n\n")
            write(echo)
            write(sample)
        if sys.stdout.isatty():  # so that the prompt stands on a line of its own
            click.echo(err=True)
    answer = None
    if as_json:
        answer = {"seed": seed, "prime": as_text(decode(prime_ids)), "samples": list(map(as_text, samples))}
    finish(answer, samples, check, encoding, model.vocab.unit)


def collect(
    steps: Iterator[list[Ids]], decode: Callable[[Ids], str | bytes], n: int, show: bool, keep_first: bool
) -> list[str | bytes]:
    """n whole samples from their pieces. The first is shown as it is drawn; it may be too long to keep."""
    drawn: list[list[int]] = [[] for _ in range(n)]
    for step in steps:
        if show:
            write(decode(step[0]))
        for number, (own, ids) in enumerate(zip(drawn, step, strict=True)):
            if number or keep_first:
                own.extend(ids.tolist())
    return [decode(np.array(own, np.intp)) for own in drawn]
