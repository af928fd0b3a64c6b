"""New records: exactly as many as asked for, complete, and within the constraints; or an error that says how many.

Records are drawn, and those that fail a constraint are thrown away. So the rest has the model's own distribution, given
that it passes. The prefix is read and not drawn, which gives the same distribution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from ..checks import whole
from ..errors import OptionError, TooFewError
from ..language_model import LanguageModel, check_model
from ..text.vocab import Ids
from . import MAX_LENGTH
from .constraints import Constraint, at_least, complete, first_violation, matching, not_among, not_repeated
from .filters import forbidden_characters
from .params import RecordConstraints, SamplingParams, Text, either, not_default
from .record_stream import STREAMS, DrawnRecord, draw_records

MIN_STREAMS = 16  # even for one record: many may have to be drawn before one passes
PATIENCE = 1_000_000  # give up after so many characters in a row without a record that passes
PREVIEW_RECORDS = 5
PREVIEW_LENGTH = 80  # characters of each


@dataclass
class Tally:
    """How many of the records drawn were accepted, and how many were refused for which fault."""

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
    constraints: RecordConstraints,
    params: SamplingParams,
    tally: Tally | None = None,
) -> Iterator[list[DrawnRecord]]:
    """n new records, some at a time; `tally` is kept up to date.

    Raises at once what `sample_records` raises, except TooFewError: that comes after the records there are, when
    PATIENCE characters in a row gave none.
    """
    n = whole("n", n, 0)
    prefix, _ = model.vocab.encode(constraints.prefix, where="the prefix")
    if len(prefix) > constraints.max_length:
        raise OptionError(
            f"prefix: it is {len(prefix)} {model.vocab.unit}s long and max_length is {constraints.max_length}; "
            "change one of them"
        )
    forbidden = forbidden_characters(model.vocab, params.ban, params.allow, model.bos_id)
    streams = max(MIN_STREAMS, min(n, STREAMS))
    records = draw_records(model, prefix, constraints.max_length, params, forbidden, streams)
    return _accepted(records, n, tests_for(model, constraints), Tally() if tally is None else tally)


def tests_for(model: LanguageModel, constraints: RecordConstraints) -> list[Constraint]:
    """The tests that a drawn record must pass.

    Raises OptionError for a `match` that is not a regular expression, and for `novel` with a model that does not know
    its training records.
    """
    tests = [complete(), at_least(constraints.min_length)]
    if constraints.match is not None:
        tests.append(matching(constraints.match, model.vocab.of_bytes))
    if constraints.novel:
        if model.training_hashes is None:
            raise OptionError("novel: this model does not know its training records; leave novel out")
        tests.append(not_among(model.training_hashes))
    if constraints.unique:
        tests.append(not_repeated())
    return tests


def _accepted(
    records: Iterator[list[DrawnRecord]], n: int, tests: list[Constraint], tally: Tally
) -> Iterator[list[DrawnRecord]]:
    """The first n records that pass the tests."""
    fruitless = 0  # characters since the last record that passed
    while tally.accepted < n:
        accepted = []
        for drawn in next(records):
            fault = first_violation(drawn, tests)
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
                f"too few records: found {tally.accepted:,} of {n:,}, and none in the last {PATIENCE:,} characters "
                f"({tally}); ask for fewer, or loosen the constraints"
            )


def sample_records(
    model: LanguageModel,
    n: int = 1,
    prefix: Text = "",
    *,
    min_length: int = 1,
    max_length: int = MAX_LENGTH,
    match: str | None = None,
    novel: bool = False,
    unique: bool = False,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    ban: Text = "",
    allow: Text | None = None,
    seed: int = 0,
    params: SamplingParams | None = None,
    constraints: RecordConstraints | None = None,
) -> list[Text]:
    """n new records from a model of records, without their newlines.

    The other keywords are fields of `RecordConstraints` and `SamplingParams`, which describe them. `constraints` and
    `params` give them all at once, in place of the keywords. `ban` and `allow` do not apply to the prefix. The same
    seed gives the same records, and a larger n gives more of them.

    >>> names = charrnn.sample_records(model, 3, "a", max_length=8, unique=True, seed=1)
    >>> len(names), all(name.startswith("a") for name in names)
    (3, True)
    >>> constraints = RecordConstraints(prefix="a", max_length=8, unique=True)
    >>> names == charrnn.sample_records(model, 3, constraints=constraints, params=SamplingParams(seed=1))
    True

    Raises TooFewError if records that pass the constraints are too rare; OptionError for a model of texts and for a
    value that is not valid; TextError for a prefix with a newline or with a character that the model does not know.
    """
    check_model("model", model)
    keywords = SamplingParams(temperature=temperature, top_k=top_k, top_p=top_p, ban=ban, allow=allow, seed=seed)
    params = either("params", params, keywords)
    for name in not_default(params):
        if name in ("length", "stop", "min_length", "no_repeat"):
            raise OptionError(f"params: {name} is for texts; leave it out, and use constraints to bound the records")
    record_keywords = RecordConstraints(
        prefix=prefix, min_length=min_length, max_length=max_length, match=match, novel=novel, unique=unique
    )
    constraints = either("constraints", constraints, record_keywords)
    return [drawn.text for records in new_records(model, n, constraints, params) for drawn in records]


def preview_records(model: LanguageModel, params: SamplingParams) -> list[Text]:
    """PREVIEW_RECORDS new records, those of more than PREVIEW_LENGTH characters cut one character after that.

    It is quick even for a model that never ends a record.
    """
    no_prefix: Ids = model.vocab.encode("")[0]
    records = draw_records(model, no_prefix, PREVIEW_LENGTH, params, streams=PREVIEW_RECORDS)
    return [drawn.text for drawn in islice(chain.from_iterable(records), PREVIEW_RECORDS)]
