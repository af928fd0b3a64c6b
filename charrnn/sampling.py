"""Writing text: filters from logits to logits, and the loop that draws one character after another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt

from .errors import OptionError, UnknownCharacterError
from .language_model import LanguageModel
from .nn.chance import SAMPLING, generator
from .nn.model import Model, State
from .nn.params import Array
from .nn.stepper import Stepper
from .text.vocab import Ids

PRIME_CHUNK = 256  # characters of a prime read at a time
NOISE = 1 << 14  # random numbers drawn at a time
HOTTEST = 1e30  # a temperature at which all characters are alike, however their scores differ


def temper(logits: Array, temperature: float) -> Array:
    """logits / temperature: below 1 bolder, above 1 wilder; 0 leaves only the most likely (the first of equals).

    Logits are (V, n), one column a sample, and are taken relative to the largest, so that no temperature overflows.
    """
    relative: Array = logits - logits.max(axis=0)
    if temperature == 0:
        greedy = np.full_like(relative, -np.inf)
        greedy[logits.argmax(axis=0), np.arange(logits.shape[1])] = 0
        return greedy
    with np.errstate(over="ignore"):
        relative /= temperature
    return relative


def keep_top_k(logits: Array, k: int) -> Array:
    """Leave the k most likely characters of each column (of equals, the first); the others become impossible."""
    if k >= len(logits):
        return logits
    order = np.argsort(-logits, axis=0, kind="stable")
    kept = logits.copy()
    np.put_along_axis(kept, order[k:], -np.inf, axis=0)
    return kept


def keep_top_p(logits: Array, p: float) -> Array:
    """Leave the fewest characters whose probability adds up to p, the most likely first; always at least one.

    Source: Holtzman et al., "The curious case of neural text degeneration" (2020), nucleus sampling.
    """
    if p >= 1:
        return logits
    order = np.argsort(-logits, axis=0, kind="stable")
    sorted_probs = np.take_along_axis(softmax(logits), order, axis=0)
    before = np.cumsum(sorted_probs, axis=0) - sorted_probs
    before[0] = -1
    kept = logits.copy()
    sorted_logits = np.take_along_axis(logits, order, axis=0)
    np.put_along_axis(kept, order, np.where(before < p, sorted_logits, -np.inf), axis=0)
    return kept


def softmax(logits: Array) -> Array:
    """Probabilities (V, n) from logits (V, n), column by column."""
    probs = np.exp(logits - logits.max(axis=0))
    return np.asarray(probs / probs.sum(axis=0))


def possible(logits: Array, temperature: float, top_k: int, top_p: float) -> Array:
    """The logits (V, n) with -inf in place of those that top_k, and then top_p at this temperature, leave out."""
    if top_k:
        logits = keep_top_k(logits, top_k)
    if top_p < 1:
        kept = keep_top_p(temper(logits.astype(np.float64), temperature), top_p)
        logits = np.where(np.isfinite(kept), logits, -np.inf)
    return logits


def gumbel_noise(rng: np.random.Generator, temperature: float, V: int, n: int, dtype: npt.DTypeLike) -> Iterator[Array]:
    """Without end: temperature times standard Gumbel noise, (V, n).

    The largest of logits + noise is a draw from softmax(logits / temperature), so that no probability is worked out. At
    temperature 0 it is the most likely character, the first of equals.
    Source: Gumbel, "Statistical theory of extreme values" (1954); Maddison et al., "A* sampling" (2014).
    """
    steps = max(1, NOISE // (V * n))
    while True:
        yield from (-min(temperature, HOTTEST) * np.log(rng.standard_exponential((steps, V, n)))).astype(dtype)


def generate_ids(
    model: LanguageModel,
    prime: Ids,
    n: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
) -> Iterator[Ids]:
    """The ids of n samples, drawn side by side for as long as they are asked for: (n,) at each step.

    All samples read `prime` first, or the model's start character if it is empty, from the zero state.
    `temperature` 0 is greedy; `top_k` 0 and `top_p` 1 leave every character possible.
    """
    if not (temperature >= 0 and top_k >= 0 and 0 <= top_p <= 1):
        raise OptionError(
            f"temperature {temperature}, top_k {top_k}, top_p {top_p}: the first two must be 0 or more, top_p in [0, 1]"
        )
    network = model.network
    logits, state = read(network, prime if len(prime) else np.array([model.start]))
    logits = np.repeat(logits, n, axis=1)
    stepper = Stepper(network)
    carried = stepper.carry(tuple(tuple(np.repeat(part, n, axis=1) for part in layer) for layer in state))
    for noise in gumbel_noise(generator(seed, SAMPLING), temperature, len(logits), n, logits.dtype):
        ids = (possible(logits, temperature, top_k, top_p) + noise).argmax(axis=0)
        yield ids
        logits, carried = stepper.step(ids, carried)


def read(network: Model, ids: Ids) -> tuple[Array, State]:
    """Read ids (N,) from the zero state as one stream: the logits (V, 1) of what follows, and the state."""
    state = network.zero_state(1)
    for start in range(0, len(ids), PRIME_CHUNK):
        part = ids[start : start + PRIME_CHUNK]
        work = network.workspace(len(part), 1)
        state = network.forward(part[:, None], state, work)
    return work.logits[:, -1:], state


def generate(
    model: LanguageModel,
    length: int,
    prime: Ids | None = None,
    n: int = 1,
    stop: Ids | None = None,
    **filters: float,
) -> Iterator[list[Ids]]:
    """n samples of `length` characters each, as ids: at each step what is now certain of each of them.

    A sample ends early where the ids `stop` have been drawn; those are left out, so the last len(stop) - 1 characters
    are held back until more have been drawn. `filters` are the options of `generate_ids`.
    """
    if length < 0 or n < 1:
        raise OptionError(f"{n} samples of {length} characters cannot be drawn")
    prime = np.zeros(0, np.intp) if prime is None else prime
    steps = islice(generate_ids(model, prime, n, **filters), length)  # type: ignore[arg-type]
    if stop is None or not len(stop):
        yield from (list(ids[:, None]) for ids in steps)
        return
    samples = [_Sample(stop.tolist()) for _ in range(n)]
    for ids in steps:
        yield [sample.add(int(drawn)) for sample, drawn in zip(samples, ids, strict=True)]
        if all(sample.ended for sample in samples):
            break
    yield [np.array(sample.held, np.intp) for sample in samples]


class _Sample:
    """The end of one sample that is not yet certain."""

    def __init__(self, stop: list[int]) -> None:
        self.stop = stop
        self.held: list[int] = []
        self.ended = False

    def add(self, drawn: int) -> Ids:
        """Take the id that was drawn; return those that are certain now."""
        if self.ended:
            return np.zeros(0, np.intp)
        self.held.append(drawn)
        self.ended = self.held[-len(self.stop) :] == self.stop
        cut = len(self.held) - len(self.stop) + (not self.ended)
        certain, self.held = self.held[: max(0, cut)], [] if self.ended else self.held[max(0, cut) :]
        return np.array(certain, np.intp)


def sample(
    model: LanguageModel,
    length: int = 200,
    prime: str | bytes = "",
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    stop: str | bytes | None = None,
    seed: int = 0,
) -> str | bytes:
    """`length` characters of new text after `prime`, which is not part of the result.

    The same seed gives the same text. Raises UnknownCharacterError for a prime that the model cannot read, and
    OptionError for a model of records.
    """
    if model.lines:
        raise OptionError("this model is of records, one a line; draw some with sample_records")
    prime_ids, _ = model.vocab.encode(prime, where="the prime")
    stop_ids = stop_string(model, stop)
    steps = generate(
        model, length, prime_ids, stop=stop_ids, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
    )
    return model.vocab.decode(np.array([drawn for (ids,) in steps for drawn in ids], np.intp))


def stop_string(model: LanguageModel, stop: str | bytes | None) -> Ids | None:
    """The ids of a stop string; None if there is none. Raises OptionError for one that can never be drawn."""
    if not stop:
        return None
    try:
        return model.vocab.encode(stop, where="the stop string")[0]
    except UnknownCharacterError:
        raise OptionError(f"the stop string {stop!r} has a character that this model never writes") from None
