"""Writing text: the loop that draws one character after another, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, UnknownCharacterError
from ..language_model import LanguageModel
from ..nn.ensemble import Network, make_stepper
from ..nn.model import State
from ..nn.params import Array
from ..prng import SAMPLING, generator
from ..text.vocab import Ids, Vocab
from .filters import HOTTEST, forbid, penalise, top_k_top_p
from .repetition import MEMORY, RepetitionPenalty
from .stop_strings import until_stopped

Text = str | bytes

PRIME_CHUNK = 256  # characters of a prime read at a time
NOISE = 1 << 14  # random numbers drawn at a time


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
    forbidden: npt.NDArray[np.bool_] | None = None,
    no_repeat: int = 0,
    seed: int = 0,
) -> Iterator[Ids]:
    """The ids of n samples, drawn side by side for as long as they are asked for: (n,) at each step.

    All samples read `prime` first, or the model's start character if it is empty, from the zero state. The scores go
    through the filters in this order: the characters marked in `forbidden` (V,) are impossible; those that would repeat
    more than `no_repeat` characters become less likely (repetition.py; 0 for no such thing); `top_k` (0 for any number)
    and `top_p` (1 for all) choose among what is left; `temperature` 0 takes the most likely.
    """
    if not (temperature >= 0 and top_k >= 0 and 0 <= top_p <= 1 and no_repeat >= 0):
        raise OptionError(
            f"temperature {temperature}, top_k {top_k}, top_p {top_p}, no_repeat {no_repeat}: "
            "none may be below 0, and top_p not above 1"
        )
    network = model.network
    logits, state = read(network, prime if len(prime) else np.array([model.bos_id]))
    logits = np.repeat(logits, n, axis=1)
    reader = make_stepper(network)
    stepper_state = reader.start(tuple(tuple(np.repeat(part, n, axis=1) for part in layer) for layer in state))
    written = RepetitionPenalty(len(logits), n, no_repeat) if no_repeat else None
    if written:
        for known in prime[-MEMORY:]:
            written.add(np.repeat(known, n))
    for noise in gumbel_noise(generator(seed, SAMPLING), temperature, len(logits), n, logits.dtype):
        if forbidden is not None:
            logits = forbid(logits, forbidden)
        if written:
            logits = penalise(logits, written.penalties())
        ids = (top_k_top_p(logits, temperature, top_k, top_p) + noise).argmax(axis=0)
        yield ids
        if written:
            written.add(ids)
        logits, stepper_state = reader.step(ids, stepper_state)


def read(network: Network, ids: Ids) -> tuple[Array, State]:
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
    stops: Sequence[Ids] = (),
    min_length: int = 0,
    **filters: Any,
) -> Iterator[list[Ids]]:
    """n samples of `length` characters each, as ids: at each step what is now certain of each of them.

    A sample ends early where one of the strings `stops` is complete that began after `min_length` characters; it is
    left out, so what may be the beginning of one is held back until more has been drawn (stopping.py). `filters` are
    the options of `generate_ids`.
    """
    if length < 0 or n < 1 or min_length < 0:
        raise OptionError(f"{n} samples of {min_length} to {length} characters cannot be drawn")
    prime = np.zeros(0, np.intp) if prime is None else prime
    steps = islice(generate_ids(model, prime, n, **filters), length)
    if stops:
        return until_stopped(steps, n, stops, min_length)
    return (list(ids[:, None]) for ids in steps)


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
) -> Text:
    """`length` characters of new text after `prime`, which is not part of the result.

    It ends early before the first of the strings `stop` that begins after `min_length` characters. The characters of
    `ban` are never written, and only those of `allow` are; a character that would repeat more than `no_repeat`
    characters becomes the less likely the more it would. The same seed gives the same text. Raises
    UnknownCharacterError for a prime that the model cannot read, OptionError for a model of records and for what cannot
    be done.
    """
    if model.records:
        raise OptionError("this model is of records, one a line; draw some with sample_records")
    prime_ids, _ = model.vocab.encode(prime, where="the prime")
    forbidden = forbidden_characters(model.vocab, ban, allow)
    steps = generate(
        model,
        length,
        prime_ids,
        stops=stop_strings(model.vocab, stop, forbidden),
        min_length=min_length,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        forbidden=forbidden,
        no_repeat=no_repeat,
        seed=seed,
    )
    return model.vocab.decode(np.array([drawn for (ids,) in steps for drawn in ids], np.intp))


def forbidden_characters(
    vocab: Vocab, ban: Text, allow: Text | None, end: int | None = None
) -> npt.NDArray[np.bool_] | None:
    """A mark (V,) for each character that may not be written: all in `ban`, and all that are not in `allow`.

    None if there is none. The id `end`, with which a record ends, always may be. Characters that the model does not
    know are never written anyway. In a model of bytes they are the bytes of these strings in UTF-8. Raises OptionError
    if nothing is left.
    """
    forbidden = np.full(len(vocab), allow is not None)
    if allow is not None:
        forbidden[vocab.encode(allow, "skip")[0]] = False
    forbidden[vocab.encode(ban, "skip")[0]] = True
    nothing_left = forbidden.all()
    if end is not None:
        nothing_left, forbidden[end] = np.delete(forbidden, end).all(), False
    if nothing_left:
        raise OptionError(f"what is banned and what is allowed leave no {vocab.unit} that this model could write")
    return forbidden if forbidden.any() else None


def stop_strings(
    vocab: Vocab, stop: Text | Sequence[Text] | None, forbidden: npt.NDArray[np.bool_] | None = None
) -> list[Ids]:
    """The ids of stop strings, without empty ones. Raises OptionError for one that can never be drawn."""
    stops = []
    for string in [stop] if isinstance(stop, str | bytes) else stop or ():
        try:
            ids, _ = vocab.encode(string, where="the stop string")
        except UnknownCharacterError:
            raise OptionError(f"the stop string {string!r} has a character that this model never writes") from None
        if forbidden is not None and forbidden[ids].any():
            raise OptionError(f"the stop string {string!r} has a character that is banned or not allowed")
        if len(ids):
            stops.append(ids)
    return stops
