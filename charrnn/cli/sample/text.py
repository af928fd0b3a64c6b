"""charrnn sample with a model of texts: one or several samples, or an interactive session."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click
import numpy as np

from ...language_model import LanguageModel
from ...sampling.text import make_request
from ...text.corpus import read_ids
from ...text.vocab import Ids
from ..output import as_text, write
from .interactive import converse
from .overlap_report import finish
from .sample_options import SampleOptions

MAX_SAMPLES = 1 << 16


def write_texts(model: LanguageModel, encoding: str, options: SampleOptions) -> None:
    """Draw texts and write them, as the options say."""
    check_usage(options)
    decode = model.vocab.decode
    prime = read_prime(model, encoding, options)
    request = make_request(model, options.params_for_texts())
    options.show_seed(request.params)
    separator = "\0" if options.null else "\n\n"
    if options.interactive:
        converse(request, not options.no_echo, separator)
        return

    echo = decode(prime[:0] if options.no_echo else prime)
    n, show = options.num_samples, not options.as_json
    if show:
        write(echo)
    samples = collect(request.steps(prime, n), decode, n, show, keep_first=options.as_json or bool(options.check))
    if show:
        for sample in samples[1:]:
            write(separator)
            write(echo)
            write(sample)
        if sys.stdout.isatty():  # the shell's prompt starts on a line of its own
            click.echo(err=True)
    answer = None
    if options.as_json:
        answer = {"seed": request.params.seed, "prime": as_text(decode(prime)), "samples": list(map(as_text, samples))}
    finish(answer, samples, options.check, encoding, model.vocab.unit)


def check_usage(options: SampleOptions) -> None:
    """Raises UsageError for options that do not go together, and for too many samples."""
    if options.interactive:
        excluded = {
            "--prime": options.prime,
            "--prime-file": options.prime_file,
            "-n": options.num_samples > 1,
            "--check": options.check,
            "--json": options.as_json,
        }
        for name, explicit in excluded.items():
            if explicit:
                raise click.UsageError(f"--interactive reads one prime after the other; leave out {name}.")
    if options.num_samples > MAX_SAMPLES:
        raise click.UsageError(f"-n is {options.num_samples}; at most {MAX_SAMPLES} texts are drawn side by side.")


def read_prime(model: LanguageModel, encoding: str, options: SampleOptions) -> Ids:
    """The ids of --prime or --prime-file; none without either."""
    if options.prime_file is not None:
        return read_ids([options.prime_file], model.vocab, encoding, options.unknown)[0]
    return model.vocab.encode(options.prime or "", options.unknown, "the prime")[0]


def collect(
    steps: Iterator[list[Ids]], decode: Callable[[Ids], str | bytes], n: int, show: bool, keep_first: bool
) -> list[str | bytes]:
    """n whole samples from their pieces. With `show` the first is written as it is drawn.

    Without `keep_first` the first sample is not kept, since it may be too long for the memory.
    """
    samples: list[list[int]] = [[] for _ in range(n)]
    for step in steps:
        if show:
            write(decode(step[0]))
        for number, (sample, ids) in enumerate(zip(samples, step, strict=True)):
            if number or keep_first:
                sample.extend(ids.tolist())
    return [decode(np.array(sample, np.intp)) for sample in samples]
