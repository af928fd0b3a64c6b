"""charrnn sample"""

from __future__ import annotations

import secrets
import sys
from typing import Any

import click

from .options import SEED, checkpoint_option, real, weights_option, whole
from .output import write
from .records import begin_records, check_options, record_options

MOST_SAMPLES = 1 << 16


@click.command("sample", short_help="Write text like the text the model was trained on.")
@checkpoint_option
@click.option(
    "--temp",
    "--temperature",
    "temperature",
    type=real(0),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Below 1 bolder, above 1 wilder, 0 always the most likely character.",
)
@click.option(
    "--length", type=whole(0), default=500, show_default=True, metavar="N", help="How many characters to draw."
)
@click.option("--prime", metavar="TEXT", help="Text to begin with.")
@click.option("--prime-file", metavar="FILE", help="File with the text to begin with; - is standard input.")
@click.option("--no-echo", is_flag=True, help="Do not print the prime.")
@click.option("--top-k", type=whole(1), metavar="K", help="Draw from the K most likely characters only.")
@click.option(
    "--top-p",
    type=real(0, 1, above=True),
    default=1.0,
    metavar="P",
    help="Draw from the most likely characters that together have probability P.",
)
@click.option("--stop", metavar="STRING", help="End a sample before this string.")
@click.option(
    "-n",
    "--num-samples",
    type=whole(1, 10**9),
    default=1,
    show_default=True,
    metavar="N",
    help="How many samples to draw, side by side; an empty line separates them. Records come one a line.",
)
@click.option("-0", "--null", is_flag=True, help="Separate samples by a NUL character instead of an empty line.")
@click.option("--seed", type=SEED, metavar="N", help="Same seed, same text.  [default: drawn, and told on stderr]")
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="What to do with characters of the prime or prefix that the model does not know.",
)
@weights_option
@record_options
@click.pass_context
def sample_command(
    ctx: click.Context,
    /,
    checkpoint: str,
    temperature: float,
    length: int,
    prime: str | None,
    prime_file: str | None,
    no_echo: bool,
    top_k: int | None,
    top_p: float,
    stop: str | None,
    num_samples: int,
    null: bool,
    seed: int | None,
    unknown: str,
    weights: str | None,
    **of_records: Any,
) -> None:
    """Write text like the text the model was trained on.

    Standard output gets the prime, then --length drawn characters, and nothing else. Without a prime the model
    begins after a line's end.

    A model of records (train --lines) writes -n whole records instead, one a line. Those that are not as was asked for
    are thrown away, and standard error tells how many; if so few are right that -n cannot be reached, the exit status
    is 1.

    \b
    Examples:
      charrnn sample --temp 0.8
      charrnn sample --prime "ROMEO:" --length 300 --seed 1
      charrnn sample -n 5 --stop "." --top-p 0.9
      charrnn sample --temp 0.5 --length 100000 > new.txt
      charrnn sample -c names.npz -n 1000 --unique --novel > new.txt
      charrnn sample -c names.npz -n 20 --prefix mar --match ".*a" --min-length 5 --max-length 8 --scores
    """
    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file both say what to begin with; give one of them.")
    from ..checkpoint import load
    from ..sampling import generate, stop_string
    from ..text.corpus import read_ids

    run = load(checkpoint)
    model = run.model(weights)
    check_options(ctx, model.lines)
    drawn_seed = secrets.randbits(32)
    sampling = {
        "temperature": temperature,
        "top_k": top_k or 0,
        "top_p": top_p,
        "seed": drawn_seed if seed is None else seed,
    }
    if model.lines:
        write_records = begin_records(model, num_samples, unknown, of_records, sampling)
        if seed is None:
            click.echo(f"seed {drawn_seed}", err=True)
        write_records()
        return
    if num_samples > MOST_SAMPLES:
        raise click.UsageError(f"-n is {num_samples}; of texts {MOST_SAMPLES} are the most to be drawn side by side.")
    if prime_file is not None:
        prime_ids, _ = read_ids([prime_file], model.vocab, run.corpus.encoding or "utf-8", unknown)
    else:
        prime_ids, _ = model.vocab.encode(prime or "", unknown, "the prime")

    samples = generate(model, length, prime_ids, n=num_samples, stop=stop_string(model, stop), **sampling)
    if seed is None:
        click.echo(f"seed {drawn_seed}", err=True)
    decode = model.vocab.decode
    echo = decode(prime_ids[:0] if no_echo else prime_ids)
    write(echo)
    others: list[list[str | bytes]] = [[] for _ in range(num_samples - 1)]
    for first, *rest in samples:
        write(decode(first))
        for pieces, ids in zip(others, rest, strict=True):
            pieces.append(decode(ids))
    for pieces in others:
        write("\0" if null else "\n\n")
        write(echo)
        for piece in pieces:
            write(piece)
    if sys.stdout.isatty():  # so that the prompt stands on a line of its own
        click.echo(err=True)
