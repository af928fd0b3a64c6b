"""How much memory training will take, estimated before it starts."""

from __future__ import annotations

from math import prod

from ..errors import OptionError
from ..evaluation.windows import CHUNK, STREAMS, most_streams
from ..nn.config import ModelConfig
from ..nn.workspace import Workspace
from ..optim.whitening import moment_shapes
from ..system.memory import machine_memory
from ..text.corpus import Corpus
from .settings import Options
from .split import Split

BASE = 60_000_000  # bytes: the interpreter, NumPy and the buffers of reading and writing
COPIES = 11  # of all parameters: raw, best, average, shared; two moments; a snapshot of four of them; one temporary
WHITENING_COPIES = 4  # of its moments: current, in the snapshot, roots; one temporary
BYTES = 4  # a float32
LENGTHS = 2  # chunk lengths that occur in an epoch
LOGITS_COPIES = 3  # while a chunk is scored
TEXT_COPIES = 4  # of a text of records: as read, laid out, in two parts, and in the order of an epoch
RECORD_BYTES = 30  # per record, while records are put in order


def training_memory(config: ModelConfig, options: Options, corpus: Corpus, split: Split, threads: int = 1) -> int:
    """About how many bytes training needs: the text, the parameters with their copies, the buffers of each worker.

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
    needed = BASE + text_memory(corpus, split) + params_bytes + workers * (LENGTHS * widths * work.nbytes + columns)
    needed += threads * evaluation_memory(config, len(split.held_out), options.lines)
    check(needed)
    return needed


def evaluation_memory(config: ModelConfig, characters: int, lines: bool) -> int:
    """The bytes of the buffers of one thread that scores a text of this length."""
    if not characters:
        return 0
    streams = STREAMS if lines else most_streams(characters)
    work = Workspace(config, CHUNK, streams)
    return work.nbytes + LOGITS_COPIES * work.logits.nbytes


def text_memory(corpus: Corpus, split: Split) -> int:
    """The bytes that a text takes: its ids and, for records, the arrays that put them in order."""
    if split.records is None:
        return corpus.ids.nbytes
    return TEXT_COPIES * corpus.ids.nbytes + RECORD_BYTES * split.records.count


def check(needed: int) -> None:
    """Raises OptionError if the machine has less memory than `needed` bytes."""
    available = machine_memory()
    if available is not None and needed > available:
        raise OptionError(
            f"memory: training needs about {needed / 1e9:,.1f} GB and this machine has {available / 1e9:,.1f}; "
            "choose a smaller --hidden, --layers, --networks, --batch-size or --seq-length"
        )
