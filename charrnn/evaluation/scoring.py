"""How many bits a model needs for each character, word or line of a text: its surprisal, -log2 p.

A text comes in parts, of any size and without end, and rows go out in order as soon as they are certain. What is
scored, and after what, is what `evaluate` scores (pieces.py). Bits are rounded to a millionth for each character, so
that the bits of words and of lines are exact decimal sums of those of their characters.
Source: Hale, "A probabilistic Earley parser as a psycholinguistic model" (2001), for surprisal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import tee
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError
from ..language_model import LanguageModel
from ..text.segment import check_unit, ends
from .metrics import check_policy
from .surprisal import MILLION, Part, surprisals, together

PRIOR_CHARS = 16  # characters that cost nothing, added to each row when rows are ranked
SLICE = 1 << 20  # characters of a text in memory that are scored at a time
SHORT = 1 << 15  # and made rows of


class ScoredUnit(NamedTuple):
    """What a model makes of one character, word or line.

    Offsets count from 0 in the text as it was read, in characters (bytes in a model of bytes): text[start:end], which
    has the newline of a line while `text` has not. Sums are over the `chars` characters in it that are scored.
    """

    number: int  # of this character, word or line in the text, from 1
    start: int
    end: int
    chars: int
    bits: float
    bits_per_char: float
    rank: int | None  # of a character: 1 if no other was held for more likely; None for one that the model lacks
    other_bits: float | None  # by the other model
    ratio: float | None  # other_bits - bits = log2(p / p_other): above 0 where this model explains it better
    text: str | bytes


def score(
    model: LanguageModel,
    text: str | bytes | Iterable[str | bytes],
    per: str = "line",
    unknown: str = "uniform",
    against: LanguageModel | None = None,
    threads: int = 1,
) -> Iterator[ScoredUnit]:
    """The rows of a text, or of one that comes in parts, `per` "char", "word" or "line", in order.

    There is no row for what has no character that is scored: the first character of a text, since nothing comes before
    it; the empty lines of a model of records. `unknown` as in `evaluate`. With `against`, a second model, only
    characters that both score count. Raises OptionError for options that cannot be used together, and
    UnknownCharacterError.
    """
    parts = (text[i : i + SLICE] for i in range(0, len(text), SLICE)) if isinstance(text, str | bytes) else text
    return (row for row in scored_units(model, parts, per, unknown, against, threads) if row.chars)


def scored_units(
    model: LanguageModel,
    parts: Iterable[str | bytes],
    per: str,
    unknown: str,
    against: LanguageModel | None = None,
    threads: int = 1,
    where: str = "the text",
) -> Iterator[ScoredUnit]:
    """As `score`, with a row for everything: all texts together are the text. `where` is its name in errors."""
    check_unit(per)
    check_policy(unknown)
    if against and (against.vocab.of_bytes, against.records) != (model.vocab.of_bytes, model.records):
        raise OptionError(
            "the two models read different things: both must be of characters or bytes, and of lines or not"
        )
    parts, again = tee(parts) if against else (parts, ())
    ours = surprisals(model, parts, unknown, per == "char", threads, where)
    if not against:
        return _rows(((part, None) for part in ours), per)
    theirs = surprisals(against, again, unknown, False, threads, f"{where}, as the other model reads it,")
    return _rows(together(ours, theirs), per)


def _rows(parts: Iterable[tuple[Part, Part | None]], per: str) -> Iterator[ScoredUnit]:
    number, offset, after_space = 1, 0, True
    texts: list[Any] = []  # of the unit that has not ended yet; and where it starts, and its sums
    start, chars, bits, others = 0, 0, 0.0, 0.0

    def row(end: int, rank: int) -> ScoredUnit:
        text = texts[0][:0].join(texts)
        if per == "line":
            text = text.removesuffix("\n" if isinstance(text, str) else b"\n")
        own, other = bits / MILLION, (others / MILLION if compared else None)
        ratio = None if other is None else (others - bits) / MILLION
        return ScoredUnit(number, start, end, chars, own, own / max(1, chars), rank or None, other, ratio, text)

    compared = False
    for part, other in _short(parts):
        text, scored, compared = part.text, part.scored, other is not None
        if other is not None:
            scored = scored & other.scored
        edges, after_space = ends(text, per, after_space), text[-1:].isspace()
        begins, stops = np.append(0, edges), np.append(edges, len(text))
        unit = np.repeat(np.arange(len(begins)), stops - begins)
        sums = [
            np.bincount(unit, np.where(scored, column, 0), len(begins)).tolist()
            for column in (scored, part.millionths, other.millionths if other else scored)
        ]
        ranks = part.ranks.tolist() if per == "char" else []
        for i, (a, b, count, own, theirs) in enumerate(zip(begins.tolist(), stops.tolist(), *sums, strict=True)):
            texts.append(text[a:b])
            chars, bits, others = chars + int(count), bits + own, others + theirs
            if i == len(edges):  # it goes on in the next part
                break
            yield row(offset + b, ranks[a] if ranks else 0)
            number, start, texts = number + 1, offset + b, []
            chars, bits, others = 0, 0.0, 0.0
        offset += len(text)
    if offset > start:
        yield row(offset, 0)


def _short(parts: Iterable[tuple[Part, Part | None]]) -> Iterator[tuple[Part, Part | None]]:
    """The same, cut into parts that are not empty and that can become rows in little memory."""
    for part, other in parts:
        for start in range(0, len(part.text), SHORT):
            stop = start + SHORT
            yield part.between(start, stop), None if other is None else other.between(start, stop)


def top_units(rows: Iterable[ScoredUnit], count: int) -> list[ScoredUnit]:
    """The `count` rows of the highest rank_key, the top_units first, in memory for no more than these."""
    return nlargest(count, rows, key=rank_key)


def rank_key(row: ScoredUnit) -> float:
    """bits / (chars + 16), since a few characters prove little; where two models are compared, their ratio.

    By bits the longest lines would be the top_units, by bits per character those of one character.
    """
    return row.bits / (row.chars + PRIOR_CHARS) if row.ratio is None else row.ratio


def threshold_value(row: ScoredUnit) -> float:
    """What a threshold is about: bits per character; where two models are compared, their ratio."""
    return row.bits_per_char if row.ratio is None else row.ratio
