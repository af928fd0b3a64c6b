"""What simple models make of the text that a network is evaluated on, to judge whether its loss is good.

Bits per character by

- uniform: every character costs log2 V;
- unigram: the characters' shares in the training text;
- ngram: the best n-gram model of the training text (kneser_ney.py);
- gzip, bz2, xz: the compressed size of the text alone;
- gzip_after_training and so on: the compressed size of the training text and the text together, less that of the
  training text.

All are asked for the same characters as the network, those after the first. An unknown character costs each of them
what it costs the network. The n-gram models learn from the training text only; a compressor learns from the text as it
reads it, too.
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

MOST_TRAINING = 4_000_000  # characters of the training text, the last ones: they take half a GB and half a minute
LARGEST_DICTIONARY = 1 << 26  # bytes, of xz


def xz(data: bytes) -> bytes:
    """xz -9 with a dictionary no larger than the data, since xz takes ten times the dictionary in memory."""
    dictionary = max(4096, min(len(data), LARGEST_DICTIONARY))
    return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": dictionary}])


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
    "bz2": bz2.compress,
    "xz": xz,
}


@dataclass(frozen=True)
class Baselines:
    """Bits per character by name (see above), and the order of the best n-gram model."""

    bits_per_char: dict[str, float]
    ngram_order: int


def baselines(vocab: Vocab, training: Ids, text: Ids, charged: int = 0, reset_id: int | None = None) -> Baselines:
    """What the baselines make of a text once they have learnt from a training text.

    `charged` is the number of unknown characters that were left out of `text` and cost log2 V bits each. `reset_id` is
    the id of the newline in texts of records.
    """
    V, training = len(vocab), training[-MOST_TRAINING:]
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
    """The text as bytes: as UTF-8 unless it is of bytes."""
    text = vocab.decode(ids)
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
