"""Initial weights."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

from ..prng import INITIAL_WEIGHTS, generator
from .cells import CELLS
from .config import ModelConfig
from .params import Array, Params

INPUT_SCALE = 1.0


def initial_params(config: ModelConfig, seed: int, dtype: npt.DTypeLike = np.float32) -> Params:
    """Orthogonal recurrent weights, one block per gate; normal input weights; a softmax that starts uniform.

    `Why` and `by` are zero, so every character is equally likely at first and the first loss is exactly ln V. Each
    matrix is drawn from (seed, its name), and from the network's number in all networks but the first. So adding a
    layer or a network does not change the others.
    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2014).
    """
    params = Params(config.shapes(), dtype, networks=config.networks)
    for number in range(config.networks):
        _draw(config, params.network(number), seed, (number,) if number else ())
    return params


def _draw(config: ModelConfig, network: Params, seed: int, key: tuple[int, ...]) -> None:
    for name, view in network.items():
        rng = generator(seed, INITIAL_WEIGHTS, crc32(name.encode()), *key)
        if name.startswith("Whh"):
            for block in np.split(view, len(view) // config.hidden):
                block[...] = orthogonal(config.hidden, rng)
        elif name == "Wxh0":  # its input is one-hot: the sum over inputs has one term
            view[...] = rng.standard_normal(view.shape) * INPUT_SCALE
        elif name.startswith("Wxh"):
            view[...] = rng.standard_normal(view.shape) / np.sqrt(config.hidden)
        elif name.startswith("bh"):
            view[...] = CELLS[config.cell].initial_bias(config.hidden)


def orthogonal(n: int, rng: np.random.Generator) -> Array:
    """A uniformly random orthogonal n x n matrix (the signs of the diagonal of R make QR unique)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return np.asarray(q * np.sign(np.diag(r)))
