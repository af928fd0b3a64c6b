"""Layer normalisation: the output of a layer has mean 0 and variance 1 over its H units, for each character.

    y = r (s - mean(s))                      r = 1 / sqrt(var(s) + EPSILON)

    ds = r (dy - mean(dy) - y mean(dy y))

There is no gain or bias per unit, because the matrix that multiplies y can do the same.
Source: Ba, Kiros and Hinton, "Layer normalization" (2016). Measurements: benchmarks/HISTORY.md, "Layer
normalisation".
"""

from __future__ import annotations

import numpy as np

from .params import Array

EPSILON = 1e-5


def normalise(output: Array, out: Array) -> Array:
    """Write y of an output s (H, columns) to `out`. Returns r (columns,)."""
    np.subtract(output, _mean(output), out=out)
    scale = 1 / np.sqrt(_mean_product(out, out) + EPSILON)
    out *= scale
    return np.asarray(scale)


def backward(dnormed: Array, normed: Array, scale: Array) -> Array:
    """Turn dy (H, columns) into ds in place, given y and r. Overwrites y."""
    normed *= _mean_product(dnormed, normed)
    dnormed -= _mean(dnormed)
    dnormed -= normed
    dnormed *= scale
    return dnormed


def folded(W: Array) -> Array:
    """A matrix for `folded_product`: W minus the mean of each row, and below it a row that computes mean(s)."""
    return np.concatenate([W - W.mean(axis=1, keepdims=True), np.full((1, W.shape[1]), 1 / W.shape[1], W.dtype)])


def folded_product(product: Array, output: Array) -> Array:
    """W y, from the product of `folded(W)` and an output s (H, columns). One column is done with numbers: faster."""
    if output.shape[1] == 1:
        mean = float(product[-1, 0])
        variance = float(np.vdot(output, output)) / len(output) - mean * mean
        return np.asarray(product[:-1] * (max(variance, 0.0) + EPSILON) ** -0.5)
    variances = _mean_product(output, output) - product[-1] ** 2
    return np.asarray(product[:-1] / np.sqrt(np.maximum(variances, 0) + EPSILON))


def _mean(columns: Array) -> Array:
    return np.asarray(np.add.reduce(columns) / len(columns))


def _mean_product(left: Array, right: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->j", left, right) / len(left))
