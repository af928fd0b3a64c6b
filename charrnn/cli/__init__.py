"""The command line: the only place that parses, prints, draws bars, catches and exits.

Nothing here imports NumPy before a command runs: `charrnn --help` is instant, and the BLAS library, which reads its
number of threads when it is loaded, finds it set.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from .. import __version__
from ..errors import CharRNNError
from ..system.cores import one_blas_thread
from .eval import eval_command
from .info import info_command
from .output import strip_control
from .sample.command import sample_command
from .score import score_command
from .train.command import train_command

INTERRUPTED = 130


class Group(click.Group):
    """Turns every error that a user can cause into one line on standard error and an exit status."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # --help and --version are written before anything is invoked
            drop_output()
            fail(f"output: {error.strerror or error}")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CharRNNError as error:
            fail(str(error))
        except MemoryError:
            fail(
                "out of memory; choose a smaller --hidden, --layers, --networks, --batch-size, --seq-length "
                "or --num-samples"
            )
        except BrokenPipeError:  # the reader of our output has had enough, as `head` does
            drop_output()
        except OSError as error:
            drop_output()
            fail(f"{error.filename or 'output'}: {error.strerror or error}")
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        return None


def drop_output() -> None:
    """Let what still waits for standard output go nowhere, or the interpreter would try once more when it ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> NoReturn:
    """Say in one line what was wrong, and exit with 1."""
    click.echo("charrnn: " + strip_control(message.replace("\n", "\\n")), err=True)
    sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="charrnn %(version)s")
def main() -> None:
    """Train a character-level recurrent network on any text, and let it write.

    \b
    charrnn train corpus.txt          # learns, and keeps what it learnt in charrnn.npz
    charrnn sample --temp 0.8         # writes more text like it
    charrnn eval other.txt            # tells how likely any text is
    charrnn score other.txt           # and each line, word or character of it
    charrnn info                      # tells what the checkpoint is

    `charrnn COMMAND --help` has every option, with examples.
    """
    one_blas_thread()
    if isinstance(sys.stderr, TextIOWrapper):  # no character is too much for a terminal's encoding
        sys.stderr.reconfigure(errors="backslashreplace")


for command in (train_command, sample_command, eval_command, score_command, info_command):
    main.add_command(command)
