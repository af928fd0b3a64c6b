"""New records: so many, complete, and as was asked for; or a clear end.

Records are drawn and those that do not pass are thrown away, so what is left has the model's own distribution, given
that it passes. A prefix is read and not drawn, which comes to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..errors import CharRNNError, OptionError
from ..language_model import LanguageModel
from ..text.vocab import Ids
from .constraints import Constraint, at_least, complete, first_violation, matching, not_among, unlike_others
from .record_stream import FEWEST_STREAMS, STREAMS, DrawnRecord, draw_records
from .text import forbidden_characters

PATIENCE = 1_000_000  # characters drawn in a row without a record that passes, after which there is no hope
MAX_LENGTH = 1000  # characters of a record, unless something else was asked for


class TooFewError(CharRNNError):
    """Records that pass are too rare to draw as many as were asked for."""


@dataclass
class Tally:
    """What became of the records that were drawn."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def drawn(self) -> int:
        return self.accepted + self.refused.total()

    def __str__(self) -> str:
        share = 100 * self.accepted / max(1, self.drawn)
        faults = "".join(f"; {count:,} {fault}" for fault, count in self.refused.items())
        return f"{self.accepted:,} of {self.drawn:,} records drawn were accepted ({share:.3g}%){faults}"


def new_records(
    model: LanguageModel,
    n: int,
    prefix: Ids,
    min_length: int = 1,
    max_length: int = MAX_LENGTH,
    match: str | None = None,
    novel: bool = False,
    unique: bool = False,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    forbidden: npt.NDArray[np.bool_] | None = None,
    seed: int = 0,
    tally: Tally | None = None,
) -> Iterator[list[DrawnRecord]]:
    """n new records, some at a time. The options are those of `sample_records`; `tally` is kept up to date.

    Raises TooFewError, when those there are have been handed over, if PATIENCE characters in a row gave none.
    """
    if n < 0 or max_length < max(1, min_length, len(prefix)):
        raise OptionError(
            f"{n} records of {min_length} to {max_length} characters, {len(prefix)} of them given, cannot be drawn"
        )
    streams = max(FEWEST_STREAMS, min(n, STREAMS))
    demands = [complete(), at_least(min_length)]
    if match is not None:
        demands.append(matching(match, model.vocab.of_bytes))
    if novel and model.training_hashes is None:
        raise OptionError("this model does not remember what it learnt from, so what is novel cannot be told")
    if novel and model.training_hashes is not None:
        demands.append(not_among(model.training_hashes))
    if unique:
        demands.append(unlike_others())
    records = draw_records(model, prefix, max_length, temperature, top_k, top_p, forbidden, seed, streams)
    return _accepted(records, n, demands, Tally() if tally is None else tally)


def _accepted(
    records: Iterator[list[DrawnRecord]], n: int, demands: list[Constraint], tally: Tally
) -> Iterator[list[DrawnRecord]]:
    """The first n records that pass the demands."""
    fruitless = 0
    while tally.accepted < n:
        accepted = []
        for drawn in next(records):
            fault = first_violation(drawn, demands)
            if fault is None:
                accepted.append(drawn)
                tally.accepted += 1
                fruitless = 0
                if tally.accepted == n:
                    break
            else:
                tally.refused[fault] += 1
                fruitless += len(drawn.text) + 1
        if accepted:
            yield accepted
        if fruitless > PATIENCE:
            raise TooFewError(
                f"{tally.accepted:,} of the {n:,} asked for, and the last {PATIENCE:,} characters gave no more; "
                f"ask for fewer, or loosen what is asked of them: {tally}"
            )


def sample_records(
    model: LanguageModel,
    n: int = 1,
    prefix: str | bytes = "",
    *,
    min_length: int = 1,
    max_length: int = MAX_LENGTH,
    match: str | None = None,
    novel: bool = False,
    unique: bool = False,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    ban: str | bytes = "",
    allow: str | bytes | None = None,
    seed: int = 0,
) -> list[str | bytes]:
    """n new records from a model of records. The same seed gives the same ones, and more of them for a larger n.

    They have `min_length` to `max_length` characters and begin with `prefix`; all of a record matches the regular
    expression `match`; with `novel` none is a line of the text that the model was trained on (held-out lines may be,
    and those of a model it began with), and with `unique` no two are alike. After the prefix no character of `ban` is
    written, and only those of `allow` are.
    Raises TooFewError if such records are too rare, and OptionError for a model of texts.
    """
    prefix_ids, _ = model.vocab.encode(prefix, where="the prefix")
    forbidden = forbidden_characters(model.vocab, ban, allow, model.bos_id)
    lists = new_records(
        model, n, prefix_ids, min_length, max_length, match, novel, unique, temperature, top_k, top_p, forbidden, seed
    )
    return [drawn.text for records in lists for drawn in records]
