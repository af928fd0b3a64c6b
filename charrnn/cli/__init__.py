"""The command line: the only place that parses options, prints, draws bars, catches errors and exits.

NumPy is not imported before a command runs. So `charrnn --help` is fast, and the number of BLAS threads is set before
the BLAS library is loaded, which is when the library reads it.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from .._version import __version__
from ..errors import CharRNNError
from ..system.cores import one_blas_thread
from ..system.signals import INTERRUPTED
from .eval import eval_command
from .info import info_command
from .output import strip_control
from .sample.command import sample_command
from .score import score_command
from .train.command import train_command


class Group(click.Group):
    """Turns every error that a user can cause into one line on standard error and an exit status."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # --help and --version write before `invoke`
            drop_output()
            fail(f"output: {error.strerror or error}")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CharRNNError as error:
            fail(str(error))
        except MemoryError:
            fail(
                "memory: there is not enough; choose a smaller --hidden, --layers, --networks, --batch-size, "
                "--seq-length or --num-samples"
            )
        except BrokenPipeError:  # the reader of our output has gone, as with `head`
            drop_output()
        except OSError as error:
            drop_output()
            fail(f"{error.filename or 'output'}: {error.strerror or error}")
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        return None


def drop_output() -> None:
    """Discard what is still buffered for standard output, or the interpreter would try to write it again at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> NoReturn:
    """Print an error in one line, and exit with status 1."""
    click.echo("charrnn: " + strip_control(message.replace("\n", "\\n")), err=True)
    sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="charrnn %(version)s")
def main() -> None:
    """Train a character-level recurrent network on any text, and write more text like it.

    \b
    charrnn train corpus.txt          # train a model, saved as charrnn.npz
    charrnn sample --temp 0.8         # write more text like it
    charrnn eval other.txt            # how well does the model predict this text?
    charrnn score other.txt           # how surprising is each line, word or character?
    charrnn info                      # what is in the checkpoint?

    `charrnn COMMAND --help` has every option, with examples.
    """
    one_blas_thread()
    if isinstance(sys.stderr, TextIOWrapper):  # a character that the terminal lacks is no error
        sys.stderr.reconfigure(errors="backslashreplace")


for command in (train_command, sample_command, eval_command, score_command, info_command):
    main.add_command(command)
