"""charrnn sample"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from .drawing import drawing, drawing_options
from .options import checkpoint_option, weights_option, whole
from .output import as_text, write
from .sections import Sectioned, options_under

if TYPE_CHECKING:
    from ..text.vocab import Ids

begin, output = options_under("Where to begin"), options_under("What to print")


@click.command("sample", cls=Sectioned, short_help="Write text like the text the model was trained on.")
@begin("--prime", metavar="TEXT", help="Text to begin with.")
@begin("--prime-file", metavar="FILE", help="File with the text to begin with; - is standard input.")
@begin(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="What to do with characters of the prime that the model does not know.",
)
@begin(
    "--interactive",
    is_flag=True,
    help="Type a beginning, see it continued, again and again; from a pipe, each line is a beginning. "
    "Characters that the model does not know are left out.",
)
@drawing_options
@output(
    "-n",
    "--num-samples",
    type=whole(1, 1 << 16),
    default=1,
    show_default=True,
    metavar="N",
    help="How many samples to draw, side by side; an empty line separates them.",
)
@output("-0", "--null", is_flag=True, help="Separate samples by a NUL character instead of an empty line.")
@output("--no-echo", is_flag=True, help="Do not print the prime.")
@output(
    "--check",
    multiple=True,
    metavar="CORPUS",
    help="Tell on stderr how much was copied from this text: the longest stretch that stands there word for word, and "
    "the share of all 8 and all 32 characters in a row that is new. The prime is left out. May be given several times.",
)
@output(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object instead: the seed, the prime, the samples without it, and what --check found.",
)
@checkpoint_option
@weights_option
@click.option("--encoding", metavar="NAME", help="That of the files to read.  [default: that of the training text]")
def sample_command(
    checkpoint: str,
    prime: str | None,
    prime_file: str | None,
    unknown: str,
    interactive: bool,
    num_samples: int,
    null: bool,
    no_echo: bool,
    check: tuple[str, ...],
    as_json: bool,
    weights: str | None,
    encoding: str | None,
    seed: int | None,
    **how: Any,
) -> None:
    """Write text like the text the model was trained on.

    Standard output gets the prime, then --length drawn characters, and nothing else. Without a prime the model
    begins after a line's end.

    \b
    Examples:
      charrnn sample --temp 0.8
      charrnn sample --prime "ROMEO:" --length 300 --seed 1
      charrnn sample -n 5 --stop "." --stop "!" --min-length 40 --top-p 0.9
      charrnn sample --temp 0.2 --no-repeat 16 --ban "0123456789"
      charrnn sample --temp 0.5 --length 20000 > new.txt
      charrnn sample --length 2000 --check corpus.txt
      charrnn sample -n 100 --json --check corpus.txt > samples.json
      charrnn sample --interactive --temp 0.7 --length 200
    """
    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file both say what to begin with; give one of them.")
    if (prime_file == "-") + check.count("-") + interactive > 1:
        raise click.UsageError("standard input can be read once only.")
    if encoding and prime_file is None and not check:
        raise click.UsageError("--encoding belongs to --prime-file or --check; there is neither.")
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
    from ..checkpoint import load
    from ..copying import copied
    from ..text.corpus import read_ids
    from .copies import as_object, check_readable, report

    run = load(checkpoint)
    model = run.model(weights)
    encoding = encoding or run.corpus.encoding or "utf-8"
    if prime_file is not None:
        prime_ids, _ = read_ids([prime_file], model.vocab, encoding, unknown)
    else:
        prime_ids, _ = model.vocab.encode(prime or "", unknown, "the prime")
    drawn = drawing(model, **how)
    check_readable(check, encoding, model.vocab.of_bytes)
    if seed is None:
        seed = secrets.randbits(32)
        click.echo(f"seed {seed}", err=True)

    if interactive:
        from .interactive import converse

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
    result = copied(samples, check, encoding) if check else None
    if as_json:
        answer = {"seed": seed, "prime": as_text(decode(prime_ids)), "samples": list(map(as_text, samples))}
        click.echo(json.dumps(answer if result is None else answer | {"check": as_object(result)}))
    elif result:
        for line in report(result, model.vocab.unit, num_samples):
            click.echo(line, err=True)


def collect(
    steps: Iterator[list[Ids]], decode: Callable[[Ids], str | bytes], n: int, show: bool, keep_first: bool
) -> list[str | bytes]:
    """n whole samples from their pieces. The first is shown as it is drawn; it may be too long to keep."""
    import numpy as np

    drawn: list[list[int]] = [[] for _ in range(n)]
    for step in steps:
        if show:
            write(decode(step[0]))
        for number, (own, ids) in enumerate(zip(drawn, step, strict=True)):
            if number or keep_first:
                own.extend(ids.tolist())
    return [decode(np.array(own, np.intp)) for own in drawn]
