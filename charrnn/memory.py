"""How much memory training takes, known before any of it is taken."""

from __future__ import annotations

from math import prod

from .errors import OptionError
from .machine import machine_memory
from .nn.config import ModelConfig
from .nn.workspace import Workspace
from .run import Options
from .text.corpus import Corpus

BASE = 60_000_000  # bytes: the interpreter, NumPy and the buffers of reading and writing
COPIES = 11  # of all parameters: last, best, average, shared; two moments; a snapshot of four of them; one in passing
BYTES = 4  # a float32
TEXT_COPIES = 4  # of a text of records: as it was read, laid out, in two parts, and in the order of an epoch
RECORD_BYTES = 30  # for each record, while they are put in order


def training_memory(config: ModelConfig, options: Options, text_bytes: int, threads: int = 1) -> int:
    """About how many bytes training needs: the text, the parameters with their copies, and the buffers of a chunk.

    Those are as many as shares are worked on, which may be of several networks at the same time.

    Raises OptionError if that is more than the machine has.
    """
    params_bytes = BYTES * config.parameters * (COPIES + options.shards)
    check(params_bytes)
    streams = -(-options.batch_size // options.shards)
    work = Workspace(config, options.seq_length, streams, dropout=options.most_dropout)
    lengths = 2  # of chunks, in an epoch
    columns = BYTES * prod(config.shapes()["Wxh0"])  # with the bias added, while a chunk is read
    shares = max(options.shards, min(threads, options.shards * config.networks))
    needed = BASE + text_bytes + params_bytes + shares * (lengths * work.nbytes + columns)
    check(needed)
    return needed


def text_memory(corpus: Corpus, options: Options) -> int:
    """The bytes that a text takes: its ids and, if its lines are records, what it takes to put those in order."""
    if not options.lines:
        return corpus.ids.nbytes
    records = corpus.records(options.val_fraction, options.seed)
    return TEXT_COPIES * corpus.ids.nbytes + RECORD_BYTES * records.count


def check(needed: int) -> None:
    """Raises OptionError if the machine has less memory than `needed` bytes."""
    available = machine_memory()
    if available is not None and needed > available:
        raise OptionError(
            f"training this needs about {needed / 1e9:,.1f} GB of memory and this machine has {available / 1e9:,.1f}; "
            "choose a smaller --hidden, --layers, --networks, --batch-size or --seq-length"
        )
