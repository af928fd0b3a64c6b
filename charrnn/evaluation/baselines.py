"""What others make of a text that a model is evaluated on: is its loss good?

A character costs ln V nats where nothing is known (uniform), its share of the training text (unigram), what the best
n-gram model says (ngram.py), and what gzip, bz2 and xz need when they have seen the training text first, which is the
size of both together less that of the training text, or have not. All are asked for the same characters as the model,
those after the first; unknown ones cost each of them what they cost the model. The tables of counts are fixed, while
a compressor goes on learning from the text itself.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from math import log, log2

from ..text.vocab import Ids, Vocab
from .kneser_ney import best_order, ngram_nats

MOST_LEARNT = 4_000_000  # characters of the training text, its last ones: for half a gigabyte and half a minute
LONGEST_LOOK_BACK = 1 << 26  # bytes; of xz


def xz(data: bytes) -> bytes:
    """xz -9, with a dictionary that is no larger than the data: it takes ten times that in memory."""
    look_back = max(4096, min(len(data), LONGEST_LOOK_BACK))
    return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": look_back}])


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
    "bz2": bz2.compress,
    "xz": xz,
}


@dataclass(frozen=True)
class Baselines:
    """Bits per character by name: uniform, unigram, ngram, gzip, bz2, xz, gzip_after_training and so on."""

    bits_per_char: dict[str, float]
    ngram_order: int


def baselines(vocab: Vocab, training: Ids, text: Ids, charged: int = 0, reset_id: int | None = None) -> Baselines:
    """What they make of a text when they have learnt from a training text.

    `charged` unknown characters have been left out of `text`. `reset_id` is the id of the newline in texts of records.
    """
    V, training = len(vocab), training[-MOST_LEARNT:]
    order = best_order(training, V, reset_id)
    losses = [float(nats[1:].sum()) / log(2) for nats in ngram_nats(training, text, V, order, reset_id)]
    bits = {"uniform": (len(text) - 1) * log2(V), "unigram": losses[0], "ngram": losses[-1]}

    before, own = _encoded(vocab, training) + _encoded(vocab, text[:1]), _encoded(vocab, text[1:])
    for name, compress in COMPRESSORS.items():
        bits[name] = 8 * len(compress(own))
        bits[f"{name}_after_training"] = 8 * max(0, len(compress(before + own)) - len(compress(before)))
    chars = len(text) - 1 + charged
    return Baselines({name: (total + charged * log2(V)) / chars for name, total in bits.items()}, order)


def _encoded(vocab: Vocab, ids: Ids) -> bytes:
    text = vocab.decode(ids)
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
