"""How many bits a model needs for each character, word or line of a text: its surprisal, -log2 p.

A text comes in parts, of any size and without end. The units (characters, words or lines) go out in order, each as soon
as its figures are known. What is scored, and after what, is what `evaluate` scores (windows.py). Bits are rounded to a
millionth for each character, so the bits of a word or a line are the exact decimal sum of those of its characters.
Source: Hale, "A probabilistic Earley parser as a psycholinguistic model" (2001), for surprisal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import tee
from reprlib import Repr
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..checks import one_of, whole
from ..errors import OptionError
from ..language_model import LanguageModel, check_model
from ..text.segment import check_unit, ends
from ..text.vocab import UNKNOWN_POLICIES
from .surprisal import MILLION, ScoredText, paired, surprisals

PRIOR_CHARS = 16  # characters that cost nothing, added to each unit when units are ranked
SLICE = 1 << 20  # characters of a text in memory that are scored at a time
STRETCH = 1 << 15  # characters of a scored text that become units at a time, so that this takes little memory


class ScoredUnit(NamedTuple):
    """What a model makes of one character, word or line.

    Offsets count from 0 in the text as it was read, in characters (bytes for a model of bytes). `text` is
    text[start:end] but, for a line, without its newline. Sums are over the `chars` scored characters of the unit.

        >>> line = next(charrnn.score(model, "to be or not to be"))
        >>> print(line.number, line.text, line.bits_per_char)
    """

    number: int  # of this character, word or line in the text, from 1
    start: int
    end: int
    chars: int  # scored characters
    bits: float  # their sum of -log2 p
    bits_per_char: float
    rank: int | None  # of a character: 1 for the most likely one; None if the model does not know it
    other_bits: float | None  # those of the model that is compared
    ratio: float | None  # other_bits - bits = log2(p / p_other): above 0 where this model explains the text better
    text: str | bytes

    def __repr__(self) -> str:
        """The fields that have a value, in one line, a long text shortened."""
        fields = ((name, value) for name, value in self._asdict().items() if value is not None)
        return f"ScoredUnit({', '.join(f'{name}={_SHORT.repr(value)}' for name, value in fields)})"


_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def score(
    model: LanguageModel,
    text: str | bytes | Iterable[str | bytes],
    per: str = "line",
    unknown: str = "uniform",
    against: LanguageModel | None = None,
    threads: int = 1,
) -> Iterator[ScoredUnit]:
    """Score each unit of a text, in order. `per` is the unit: "char", "word" or "line".

    The text may come in parts, as from an open file. Units without a scored character are left out: the first character
    of a text, since nothing comes before it, and the empty lines of a model of records. `unknown` as in `evaluate`.
    `against` is a second model to compare with; then only characters that both models score count. `threads` is the
    number of threads to compute on.

    Raises OptionError for arguments that cannot be used (together), and UnknownCharacterError.

        >>> for word in charrnn.score(model, "to be or not to be", per="word"):
        ...     print(word.text, word.bits)
    """
    if not isinstance(text, Iterable):
        raise OptionError(f"text: a {type(text).__name__} is not a text; give a str, bytes, or an open file or list")
    parts = (text[i : i + SLICE] for i in range(0, len(text), SLICE)) if isinstance(text, str | bytes) else text
    return (unit for unit in scored_units(model, parts, per, unknown, against, threads) if unit.chars)


def scored_units(
    model: LanguageModel,
    parts: Iterable[str | bytes],
    per: str,
    unknown: str,
    against: LanguageModel | None = None,
    threads: int = 1,
    where: str = "the text",
) -> Iterator[ScoredUnit]:
    """As `score`, but also the units without a scored character.

    The text is all parts joined; `where` is its name in errors.
    """
    check_model("model", model)
    check_unit(per)
    one_of("unknown", unknown, UNKNOWN_POLICIES)
    threads = whole("threads", threads)
    if against is not None:
        check_model("against", against)
        if (against.vocab.of_bytes, against.records) != (model.vocab.of_bytes, model.records):
            raise OptionError(
                "against: the two models read different things; both must be of characters or both of bytes, and both "
                "of lines (train --lines) or neither"
            )
    parts, again = tee(_checked(parts)) if against else (_checked(parts), ())
    ours = surprisals(model, parts, unknown, per == "char", threads, where)
    if against is None:
        return _units(((part, None) for part in ours), per)
    theirs = surprisals(against, again, unknown, False, threads, f"{where}, as the other model reads it,")
    return _units(paired(ours, theirs), per)


def _checked(parts: Iterable[Any]) -> Iterator[str | bytes]:
    for part in parts:
        if not isinstance(part, str | bytes):
            raise OptionError(f"text: a part of it is a {type(part).__name__}; give parts of str or of bytes")
        yield part


def _units(parts: Iterable[tuple[ScoredText, ScoredText | None]], per: str) -> Iterator[ScoredUnit]:
    """Cut a scored text into units and add up the figures of each. A unit may go on over several stretches."""
    number, start = 1, 0  # of the unit that has not ended yet
    open_text: list[Any] = []  # what it has so far, and the sums of its figures
    open_sums = [0.0, 0.0, 0.0]
    offset, after_space, compared = 0, True, False
    for part, other in _stretches(parts):
        text, compared = part.text, other is not None
        edges, after_space = ends(text, per, after_space), text[-1:].isspace()
        sums = _sums_between(edges, part, other)
        for column, carried in zip(sums, open_sums, strict=True):
            column[0] += carried  # the first piece belongs to the unit that has not ended yet
        open_sums = [column.pop() for column in sums]  # as does the last one
        ranks = part.ranks.tolist() if per == "char" else None
        begin = 0
        for end, chars, own, others in zip(edges.tolist(), *sums, strict=True):
            piece: Any = text[begin:end]
            if open_text:
                piece, open_text = piece[:0].join([*open_text, piece]), []
            rank = ranks[begin] if ranks else 0
            yield _unit(per, number, start, offset + end, piece, rank, chars, own, others if compared else None)
            number, start, begin = number + 1, offset + end, end
        if begin < len(text):
            open_text.append(text[begin:])
        offset += len(text)
    if open_text:
        chars, own, others = open_sums
        text = open_text[0][:0].join(open_text)
        yield _unit(per, number, start, offset, text, 0, chars, own, others if compared else None)


def _sums_between(edges: npt.NDArray[np.intp], part: ScoredText, other: ScoredText | None) -> list[list[float]]:
    """Sums over the pieces between the edges: scored characters, millionths of bits, and those of the other model."""
    scored = part.scored if other is None else part.scored & other.scored
    columns = (scored, part.millionths, scored if other is None else other.millionths)
    lengths = np.append(edges, len(part.text)) - np.append(0, edges)
    piece = np.repeat(np.arange(len(lengths)), lengths)
    return [np.bincount(piece, np.where(scored, column, 0), len(lengths)).tolist() for column in columns]


def _unit(
    per: str,
    number: int,
    start: int,
    end: int,
    text: str | bytes,
    rank: int,
    chars: float,
    millionths: float,
    other_millionths: float | None,
) -> ScoredUnit:
    """A unit from its sums."""
    if per == "line":
        text = text.removesuffix("\n") if isinstance(text, str) else text.removesuffix(b"\n")
    count, bits, other_bits, ratio = int(chars), millionths / MILLION, None, None
    if other_millionths is not None:
        other_bits, ratio = other_millionths / MILLION, (other_millionths - millionths) / MILLION
    return ScoredUnit(number, start, end, count, bits, bits / max(1, count), rank or None, other_bits, ratio, text)


def _stretches(
    parts: Iterable[tuple[ScoredText, ScoredText | None]],
) -> Iterator[tuple[ScoredText, ScoredText | None]]:
    """The same text, cut into stretches of at most STRETCH characters, none of them empty."""
    for part, other in parts:
        for start in range(0, len(part.text), STRETCH):
            stop = start + STRETCH
            yield part.between(start, stop), None if other is None else other.between(start, stop)


def top_units(units: Iterable[ScoredUnit], count: int) -> list[ScoredUnit]:
    """The `count` units with the highest rank_key, the highest first, ties in order. Only these are held in memory."""
    return nlargest(count, units, key=rank_key)


def rank_key(unit: ScoredUnit) -> float:
    """bits / (chars + 16) or, where two models are compared, the ratio.

    The 16 is a prior: a few characters prove little. By bits alone the longest lines would come first, by bits per
    character those of one character.
    """
    return unit.bits / (unit.chars + PRIOR_CHARS) if unit.ratio is None else unit.ratio


def threshold_value(unit: ScoredUnit) -> float:
    """What a threshold is compared with: bits per character or, where two models are compared, the ratio."""
    return unit.bits_per_char if unit.ratio is None else unit.ratio
