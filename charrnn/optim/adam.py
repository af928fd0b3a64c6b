"""From a gradient to the next weights: clipping, Adam, and the average of the weights; all on flat vectors."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from ..nn.params import Array, Params

RECENT = 9  # times the weight that each step would have in an even average is what the latest has


def clip_gradient(gradient: Array, limit: float) -> float:
    """Scale the gradient, in place, to a length of `limit` at most (0: leave it). Returns its length before that.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013).
    """
    with np.errstate(over="ignore", invalid="ignore"):  # the caller looks whether the length is finite
        norm = sqrt(float(np.dot(gradient, gradient)))
    if limit and limit < norm < inf:
        gradient *= limit / norm
    return norm


class Adam:
    """Adam with decoupled weight decay on the matrices, and an average of the weights that follows them.

        m = beta1 m + (1 - beta1) g            mhat = m / (1 - beta1^k)
        v = beta2 v + (1 - beta2) g^2          vhat = v / (1 - beta2^k)
        w = w - lr (mhat / (sqrt(vhat) + eps) + weight_decay w)
        average = average + (w - average) RECENT / (k + RECENT - 1)

    The average is over about the last ninth of all steps. Before the learning rate has decayed it is the better model.
    Source: Kingma and Ba, "Adam" (2015); Loshchilov and Hutter, "Decoupled weight decay regularization" (2019); Shamir
    and Zhang, "Stochastic gradient descent for non-smooth optimization" (2013), whose eta is RECENT - 1.
    """

    BLOCK = 1 << 15  # numbers worked on at a time, so that they stay in the cache

    def __init__(self, params: Params, beta1: float = 0.9, beta2: float = 0.99, eps: float = 1e-8) -> None:
        self.params = params
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v, self.average = params.zeros_like(), params.zeros_like(), params.copy()
        self.updates = 0
        self._scratch: Array = np.empty(min(self.BLOCK, params.flat.size), params.flat.dtype)

    def step(self, gradient: Array, lr: float, weight_decay: float = 0.0) -> None:
        """Move the weights by one step; `gradient` is flat."""
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
            m += np.multiply(g, 1 - self.beta1, out=change)
            v *= self.beta2
            np.multiply(g, g, out=change)
            change *= 1 - self.beta2
            v += change
            np.sqrt(v, out=change)
            change += self.eps * root2
            np.divide(m, change, out=change)
            change *= rate
            w -= change
            np.subtract(w, average, out=change)
            change *= recent
            average += change
