"""The options of `charrnn sample` as one typed record, and what follows from them for the sampler."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import click

from ...sampling import MAX_LENGTH
from ...sampling.params import RecordConstraints, SamplingParams, Text


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """The options of `charrnn sample`, as typed, apart from those that find the model and name an encoding."""

    # where to begin
    prime: str | None
    prime_file: str | None
    unknown: str
    interactive: bool
    # how to draw
    temperature: float
    top_k: int | None
    top_p: float
    ban: str
    allow: str | None
    no_repeat: int | None
    seed: int | None
    # where to end
    length: int
    stop: tuple[str, ...]
    min_length: int
    # what to print
    num_samples: int
    null: bool
    no_echo: bool
    check: tuple[str, ...]
    as_json: bool
    # records
    prefix: str | None
    match: str | None
    max_length: int | None
    unique: bool
    novel: bool
    scores: bool

    def params_for_texts(self) -> SamplingParams:
        """Raises UsageError for a --min-length that makes no sense."""
        if self.min_length and not any(self.stop):
            raise click.UsageError("--min-length needs a --stop, which it keeps from ending a sample too early.")
        if self.min_length > self.length:
            raise click.UsageError(f"--min-length {self.min_length} is more than --length {self.length}.")
        return SamplingParams(
            temperature=self.temperature,
            top_k=self.top_k or 0,
            top_p=self.top_p,
            ban=self.ban,
            allow=self.allow,
            no_repeat=self.no_repeat or 0,
            seed=self._seed(),
            length=self.length,
            stop=self.stop,
            min_length=self.min_length,
        )

    def params_for_records(self) -> SamplingParams:
        return SamplingParams(
            temperature=self.temperature,
            top_k=self.top_k or 0,
            top_p=self.top_p,
            ban=self.ban,
            allow=self.allow,
            seed=self._seed(),
        )

    def constraints(self, prefix: Text) -> RecordConstraints:
        """Raises UsageError if --min-length or `prefix`, which is --prefix as the model reads it, is too long."""
        shortest, longest = max(1, self.min_length), self.max_length or MAX_LENGTH
        if max(shortest, len(prefix)) > longest:
            cause = "--min-length" if shortest > longest else "the length of --prefix"
            raise click.UsageError(f"{cause} is more than --max-length, which is {longest}.")
        return RecordConstraints(
            prefix=prefix,
            min_length=shortest,
            max_length=longest,
            match=self.match,
            novel=self.novel,
            unique=self.unique,
        )

    def show_seed(self, params: SamplingParams) -> None:
        """Tell on standard error which seed is used, if none was given."""
        if self.seed is None:
            click.echo(f"seed {params.seed}", err=True)

    def _seed(self) -> int:
        return secrets.randbits(32) if self.seed is None else self.seed
