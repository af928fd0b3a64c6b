"""How `charrnn sample` draws: the options that say so, and what comes of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..help_sections import options_under
from ..options import SEED, Command, real, whole

if TYPE_CHECKING:
    from ...language_model import LanguageModel
    from ...text.vocab import Ids

draw, end = options_under("How to draw"), options_under("Where to end")

OPTIONS = (
    draw(
        "--temp",
        "--temperature",
        "temperature",
        type=real(0),
        default=1.0,
        show_default=True,
        metavar="X",
        help="Below 1 bolder, above 1 wilder, 0 always the most likely character.",
    ),
    draw("--top-k", type=whole(1), metavar="K", help="Draw from the K most likely characters only."),
    draw(
        "--top-p",
        type=real(0, 1, above=True),
        default=1.0,
        metavar="P",
        help="Draw from the most likely characters that together have probability P.",
    ),
    draw("--ban", default="", metavar="CHARS", help="Write none of these characters."),
    draw("--allow", metavar="CHARS", help="Write these characters only; --ban takes away from them."),
    draw(
        "--no-repeat",
        type=whole(1),
        metavar="N",
        help="Leave circles: when N characters come as they have come before, each one more that does is less likely. "
        "12 to 16 suits most texts.",
    ),
    draw("--seed", type=SEED, metavar="N", help="Same seed, same text.  [default: drawn, and told on stderr]"),
    end("--length", type=whole(0), default=500, show_default=True, metavar="N", help="How many characters to draw."),
    end("--stop", multiple=True, metavar="STRING", help="End a sample before this string; may be given several times."),
    end(
        "--min-length",
        type=whole(0),
        default=0,
        metavar="N",
        help="No --stop ends a sample before N characters; a record has at least so many.",
    ),
)


def drawing_options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class SamplingRequest:
    """A model and how to draw from it; samples come as `sampling.generate` yields them."""

    model: LanguageModel
    length: int
    stops: list[Ids]
    min_length: int
    filters: dict[str, Any]

    def steps(self, prime: Ids, n: int, seed: int) -> Iterator[list[Ids]]:
        from ...sampling.text import generate

        return generate(self.model, self.length, prime, n, self.stops, self.min_length, seed=seed, **self.filters)


def resolve_seed(seed: int | None) -> int:
    """The seed or, if none was given, a new one, which is told."""
    if seed is None:
        seed = secrets.randbits(32)
        click.echo(f"seed {seed}", err=True)
    return seed


def drawing(
    model: LanguageModel,
    length: int,
    stop: tuple[str, ...],
    min_length: int,
    ban: str,
    allow: str | None,
    top_k: int | None,
    no_repeat: int | None,
    **others: float,
) -> SamplingRequest:
    """What the options say; raises UsageError or OptionError for what cannot be."""
    from ...sampling.text import forbidden_characters, stop_strings

    if min_length and not any(stop):
        raise click.UsageError("--min-length keeps a --stop from ending a sample too early; there is none.")
    if min_length > length:
        raise click.UsageError(f"--min-length {min_length} is more than --length {length}.")
    forbidden = forbidden_characters(model.vocab, ban, allow)
    filters = {"top_k": top_k or 0, "no_repeat": no_repeat or 0, "forbidden": forbidden, **others}
    return SamplingRequest(model, length, stop_strings(model.vocab, stop, forbidden), min_length, filters)
