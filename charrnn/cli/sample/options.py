"""The options of `charrnn sample` that say how to draw and where to end."""

from __future__ import annotations

from ..help_sections import options_under
from ..options import SEED, Command, real, whole

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
        help="Lower is safer and more repetitive, higher is wilder; 0 always takes the most likely character.",
    ),
    draw("--top-k", type=whole(1), metavar="K", help="Draw from the K most likely characters only."),
    draw(
        "--top-p",
        type=real(0, 1, above=True),
        default=1.0,
        metavar="P",
        help="Draw from the most likely characters that together have probability P.",
    ),
    draw("--ban", default="", metavar="CHARS", help="Never write these characters."),
    draw("--allow", metavar="CHARS", help="Write only these characters, except those in --ban."),
    draw(
        "--no-repeat",
        type=whole(1),
        metavar="N",
        help="Discourage loops once N characters repeat. 12 to 16 suits most texts.",
    ),
    draw("--seed", type=SEED, metavar="N", help="Same seed, same text.  [default: random, shown on stderr]"),
    end("--length", type=whole(0), default=500, show_default=True, metavar="N", help="Number of characters to draw."),
    end("--stop", multiple=True, metavar="STRING", help="End a sample before this string. Can be repeated."),
    end(
        "--min-length",
        type=whole(0),
        default=0,
        metavar="N",
        help="Ignore --stop within the first N characters of a sample; for records, the minimum length.",
    ),
)


def drawing_options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command
