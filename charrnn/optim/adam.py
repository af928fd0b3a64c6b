"""Gradient clipping, Adam, and the average of the weights, all on flat vectors.

Numbers in comments name lines of examples/min_char_rnn.py: (11) clipping, (12) to (14) Adam.
"""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from ..nn.params import Array, Params

RECENT = 9  # the weight of the latest step in the average, relative to an equal weight for all steps


def clip_gradient(gradient: Array, limit: float) -> float:
    """Scale the gradient in place so that its norm is at most `limit` (0: no limit). Returns the norm before that.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013).
    """
    with np.errstate(over="ignore", invalid="ignore"):  # the caller checks that the norm is finite
        norm = sqrt(float(np.dot(gradient, gradient)))
    if limit and limit < norm < inf:
        gradient *= limit / norm  # (11)
    return norm


class Adam:
    """Adam with decoupled weight decay on the matrices, and a running average of the weights.

        m = beta1 m + (1 - beta1) g            mhat = m / (1 - beta1^k)
        v = beta2 v + (1 - beta2) g^2          vhat = v / (1 - beta2^k)
        w = w - lr (mhat / (sqrt(vhat) + eps) + weight_decay w)
        average = average + (w - average) RECENT / (k + RECENT - 1)

    The average covers about the last ninth of all steps. Until the learning rate has decayed, it is the better model.
    Source: Kingma and Ba, "Adam" (2015); Loshchilov and Hutter, "Decoupled weight decay regularization" (2019); Shamir
    and Zhang, "Stochastic gradient descent for non-smooth optimization" (2013), whose eta is RECENT - 1.
    """

    BLOCK = 1 << 15  # numbers processed at a time, so that they stay in the cache

    def __init__(self, params: Params, beta1: float = 0.9, beta2: float = 0.99, eps: float = 1e-8) -> None:
        self.params = params
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v, self.average = params.zeros_like(), params.zeros_like(), params.copy()
        self.updates = 0
        self._scratch: Array = np.empty(min(self.BLOCK, params.flat.size), params.flat.dtype)

    def step(self, gradient: Array, lr: float, weight_decay: float = 0.0) -> None:
        """Update the weights and their average from the flat gradient."""
        self.updates += 1
        root2 = sqrt(1 - self.beta2**self.updates)
        rate = lr * root2 / (1 - self.beta1**self.updates)
        recent = RECENT / (self.updates + RECENT - 1)
        if weight_decay:
            self.params.matrices[...] *= 1 - lr * weight_decay
        for start in range(0, gradient.size, self.BLOCK):
            block = slice(start, start + self.BLOCK)
            g, w, average = gradient[block], self.params.flat[block], self.average.flat[block]
            m, v = self.m.flat[block], self.v.flat[block]
            change = self._scratch[: g.size]
            m *= self.beta1
            m += np.multiply(g, 1 - self.beta1, out=change)  # (12)
            v *= self.beta2
            np.multiply(g, g, out=change)
            change *= 1 - self.beta2
            v += change  # (13)
            np.sqrt(v, out=change)
            change += self.eps * root2
            np.divide(m, change, out=change)
            change *= rate
            w -= change  # (14)
            np.subtract(w, average, out=change)
            change *= recent
            average += change
