"""Layer normalisation: what a layer hands on has mean 0 and variance 1 over its H units, for each character by itself.

    y = r (o - mean(o))                      r = 1 / sqrt(var(o) + EPSILON)

    do = r (dy - mean(dy) - y mean(dy y))

There is no gain and no bias for each unit: the matrix that reads y has as much.
Source: Ba, Kiros and Hinton, "Layer normalization" (2016). What it gives is in benchmarks/README.md.
"""

from __future__ import annotations

import numpy as np

from .params import Array

EPSILON = 1e-5


def normalise(output: Array, out: Array) -> Array:
    """Write y of an output o (H, columns) to `out`, and return r (columns,)."""
    np.subtract(output, _mean(output), out=out)
    scale = _scale(out)
    out *= scale
    return scale


def backward(dnormal: Array, normal: Array, scale: Array) -> Array:
    """Turn dy (H, columns) into do, in place, given y, which is overwritten, and r."""
    normal *= _mean_product(dnormal, normal)
    dnormal -= _mean(dnormal)
    dnormal -= normal
    dnormal *= scale
    return dnormal


def scale(output: Array) -> Array:
    """r (columns,) of an output o (H, columns)."""
    return _scale(output - _mean(output))


def centred(W: Array) -> Array:
    """The matrix of which r times its product with o is W y: each row less its mean."""
    return np.asarray(W - W.mean(axis=1, keepdims=True))


def _scale(deviation: Array) -> Array:
    return np.asarray(1 / np.sqrt(_mean_product(deviation, deviation) + EPSILON))


def _mean(columns: Array) -> Array:
    return np.asarray(np.add.reduce(columns) / len(columns))


def _mean_product(left: Array, right: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->j", left, right) / len(left))
