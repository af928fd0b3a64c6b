"""How much memory training takes, known before any of it is taken."""

from __future__ import annotations

from math import prod

from ..errors import OptionError
from ..evaluation.windows import CHUNK, STREAMS, most_streams
from ..nn.config import ModelConfig
from ..nn.workspace import Workspace
from ..optim.whitening import moment_shapes
from ..system.memory import machine_memory
from ..text.corpus import Corpus
from .settings import Options, split

BASE = 60_000_000  # bytes: the interpreter, NumPy and the buffers of reading and writing
COPIES = 11  # of all parameters: last, best, average, shared; two moments; a snapshot of four of them; one in passing
WHITENING_COPIES = 4  # of its moments: last, a snapshot, roots; what a root is made of
BYTES = 4  # a float32
LENGTHS = 2  # of chunks, in an epoch
LOGITS_COPIES = 3  # while they are scored
TEXT_COPIES = 4  # of a text of records: as it was read, laid out, in two parts, and in the order of an epoch
RECORD_BYTES = 30  # for each record, while they are put in order


def training_memory(config: ModelConfig, options: Options, corpus: Corpus, threads: int = 1) -> int:
    """About spec many bytes training needs: the text, the parameters with their copies, the buffers of those who work.

    Raises OptionError if that is more than the machine has.
    """
    moments = config.networks * sum(map(prod, moment_shapes(config.shapes()).values()))
    params_bytes = BYTES * (config.parameters * (COPIES + options.shards) + moments * WHITENING_COPIES)
    check(params_bytes)
    tasks = options.shards * config.networks
    workers = min(threads, tasks)
    streams = -(-options.batch_size // options.shards)
    widths = 2 if options.batch_size % options.shards and workers < tasks else 1
    work = Workspace(config, options.seq_length, streams, dropout=options.max_dropout)
    columns = BYTES * prod(config.shapes()["Wxh0"])  # with the bias added, while a chunk is read
    needed = BASE + text_memory(corpus, options) + params_bytes + workers * (LENGTHS * widths * work.nbytes + columns)
    needed += threads * evaluation_memory(config, len(split(corpus, options)[1]), options.lines)
    check(needed)
    return needed


def evaluation_memory(config: ModelConfig, characters: int, lines: bool) -> int:
    """The bytes of the buffers in which one thread scores a text of so many characters."""
    if not characters:
        return 0
    streams = STREAMS if lines else most_streams(characters)
    work = Workspace(config, CHUNK, streams)
    return work.nbytes + LOGITS_COPIES * work.logits.nbytes


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
