"""Writing text: the loop that draws one character after another, and where a text ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from ..errors import OptionError
from ..language_model import LanguageModel, check_model
from ..nn.ensemble import Network, make_stepper
from ..nn.model import State
from ..nn.params import Array
from ..prng import SAMPLING, generator
from ..text.vocab import Ids
from .filters import MAX_TEMPERATURE, Mask, forbid, forbidden_characters, penalise, top_k_top_p
from .params import SamplingParams, Text, either
from .repetition import MEMORY, RepetitionPenalty
from .stop_strings import encode_stops, until_stopped

PRIME_CHUNK = 256  # characters of the prime read at a time
NOISE = 1 << 14  # random numbers generated at a time


def gumbel_noise(rng: np.random.Generator, temperature: float, V: int, n: int, dtype: npt.DTypeLike) -> Iterator[Array]:
    """Endless arrays (V, n) of standard Gumbel noise times the temperature.

    The argmax of logits + noise is a draw from softmax(logits / temperature), with no need to compute probabilities. At
    temperature 0 it is the most likely character, the first one if several are equal.
    Source: Gumbel, "Statistical theory of extreme values" (1954); Maddison et al., "A* sampling" (2014).
    """
    steps = max(1, NOISE // (V * n))
    while True:
        yield from (-min(temperature, MAX_TEMPERATURE) * np.log(rng.standard_exponential((steps, V, n)))).astype(dtype)


def generate_ids(
    model: LanguageModel, prime: Ids, params: SamplingParams, n: int = 1, forbidden: Mask | None = None
) -> Iterator[Ids]:
    """The ids of n endless samples drawn side by side: yields (n,) at each step.

    All samples first read `prime` (or the model's start character if it is empty) from the zero state. The logits pass
    through the filters in this order: characters marked in `forbidden` (V,) become impossible, `no_repeat` makes loops
    less likely (repetition.py), `top_k` and `top_p` choose among the rest, `temperature` divides what is left.
    """
    network = model.network
    logits, state = read(network, prime if len(prime) else np.array([model.bos_id]))
    logits = np.repeat(logits, n, axis=1)
    stepper = make_stepper(network)
    stepper_state = stepper.start(tuple(tuple(np.repeat(part, n, axis=1) for part in layer) for layer in state))
    repetition = RepetitionPenalty(len(logits), n, params.no_repeat) if params.no_repeat else None
    if repetition:
        for read_id in prime[-MEMORY:]:
            repetition.add(np.repeat(read_id, n))
    rng = generator(params.seed, SAMPLING)
    for noise in gumbel_noise(rng, params.temperature, len(logits), n, logits.dtype):
        if forbidden is not None:
            logits = forbid(logits, forbidden)
        if repetition:
            logits = penalise(logits, repetition.penalties())
        ids = (top_k_top_p(logits, params) + noise).argmax(axis=0)
        yield ids
        if repetition:
            repetition.add(ids)
        logits, stepper_state = stepper.step(ids, stepper_state)


def read(network: Network, ids: Ids) -> tuple[Array, State]:
    """Read ids (N,) from the zero state as one stream: the logits (V, 1) of the next character, and the state."""
    state = network.zero_state(1)
    for start in range(0, len(ids), PRIME_CHUNK):
        part = ids[start : start + PRIME_CHUNK]
        work = network.workspace(len(part), 1)
        state = network.forward(part[:, None], state, work)
    return work.logits[:, -1:], state


@dataclass(frozen=True)
class SamplingRequest:
    """A model, how to sample from it, and `ban`, `allow` and `stop` as ids of its vocabulary."""

    model: LanguageModel
    params: SamplingParams
    forbidden: Mask | None  # (V,), the characters that must not be drawn
    stops: list[Ids]

    def steps(self, prime: Ids, n: int = 1) -> Iterator[list[Ids]]:
        """n samples of `length` characters: yields at each step the ids that now certainly belong to each of them.

        A sample ends early when a stop string is complete. The stop string is left out, so what may be the beginning of
        one is held back until more characters have been drawn (stop_strings.py).
        """
        steps = islice(generate_ids(self.model, prime, self.params, n, self.forbidden), self.params.length)
        if self.stops:
            return until_stopped(steps, n, self.stops, self.params.min_length)
        return (list(ids[:, None]) for ids in steps)


def make_request(model: LanguageModel, params: SamplingParams) -> SamplingRequest:
    """Look up `ban`, `allow` and `stop` in the model's vocabulary.

    Raises OptionError if no character is left to draw, or if a stop string can never be drawn.
    """
    forbidden = forbidden_characters(model.vocab, params.ban, params.allow)
    return SamplingRequest(model, params, forbidden, encode_stops(model.vocab, params.stop, forbidden))


def sample(
    model: LanguageModel,
    length: int = 200,
    prime: Text = "",
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    stop: Text | Sequence[Text] | None = None,
    seed: int = 0,
    *,
    ban: Text = "",
    allow: Text | None = None,
    min_length: int = 0,
    no_repeat: int = 0,
    params: SamplingParams | None = None,
) -> Text:
    """New text of `length` characters that continues `prime`; the result does not include the prime.

    The other keywords are the fields of `SamplingParams`, which describes them. `params` gives them all at once, in
    place of the keywords. The same seed gives the same text. A model of bytes returns bytes.

    >>> verse = charrnn.sample(model, length=40, prime="the ", temperature=0.7, seed=1)
    >>> len(verse)
    40
    >>> verse == charrnn.sample(model, prime="the ", params=SamplingParams(length=40, temperature=0.7, seed=1))
    True

    Raises UnknownCharacterError if the model cannot read the prime; OptionError for a model of records, for a value
    that is not valid, if no character is left to draw, and if a stop string can never be drawn.
    """
    keywords = SamplingParams(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        ban=ban,
        allow=allow,
        no_repeat=no_repeat,
        seed=seed,
        length=length,
        stop=stop,
        min_length=min_length,
    )
    check_model("model", model)
    if model.records:
        raise OptionError("model: it writes records, one a line; use sample_records")
    request = make_request(model, either("params", params, keywords))
    prime_ids, _ = model.vocab.encode(prime, where="the prime")
    return model.vocab.decode(np.array([drawn for (ids,) in request.steps(prime_ids) for drawn in ids], np.intp))
