"""charrnn sample"""

from __future__ import annotations

import secrets
import sys

import click

from .options import SEED, checkpoint_option, real, weights_option, whole
from .output import write


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
    type=whole(1, 1 << 16),
    default=1,
    show_default=True,
    metavar="N",
    help="How many samples to draw, side by side; an empty line separates them.",
)
@click.option("-0", "--null", is_flag=True, help="Separate samples by a NUL character instead of an empty line.")
@click.option("--seed", type=SEED, metavar="N", help="Same seed, same text.  [default: drawn, and told on stderr]")
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="What to do with characters of the prime that the model does not know.",
)
@weights_option
def sample_command(
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
) -> None:
    """Write text like the text the model was trained on.

    Standard output gets the prime, then --length drawn characters, and nothing else. Without a prime the model
    begins after a line's end.

    \b
    Examples:
      charrnn sample --temp 0.8
      charrnn sample --prime "ROMEO:" --length 300 --seed 1
      charrnn sample -n 5 --stop "." --top-p 0.9
      charrnn sample --temp 0.5 --length 100000 > new.txt
    """
    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file both say what to begin with; give one of them.")
    from ..checkpoint import load
    from ..sampling import generate, stop_string
    from ..text.corpus import read_ids

    run = load(checkpoint)
    model = run.model(weights)
    if prime_file is not None:
        prime_ids, _ = read_ids([prime_file], model.vocab, run.corpus.encoding or "utf-8", unknown)
    else:
        prime_ids, _ = model.vocab.encode(prime or "", unknown, "the prime")

    if seed is None:
        seed = secrets.randbits(32)
        click.echo(f"seed {seed}", err=True)
    samples = generate(
        model,
        length,
        prime_ids,
        n=num_samples,
        stop=stop_string(model, stop),
        temperature=temperature,
        top_k=top_k or 0,
        top_p=top_p,
        seed=seed,
    )
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
