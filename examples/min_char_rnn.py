"""The character-level recurrent network of the CS231n lecture in about sixty lines of NumPy.

    python examples/min_char_rnn.py corpus.txt                # train for 35 seconds, writing text now and then
    python examples/min_char_rnn.py corpus.txt --seconds 300  # train for longer
    python examples/min_char_rnn.py --check                   # compare the gradient with finite differences

The network reads a text one character at a time and predicts the next one. All it remembers of what it has read is the
hidden state h, a vector of H numbers. x_t is the character at step t as a one-hot vector of V numbers, one for each
distinct character of the text: 1 at the character's own number and 0 elsewhere. k is the number of the character that
really comes next.

    forward, for t = 0, 1, ..., T-1
    (1)  h_t = tanh(Wxh x_t + Whh h_{t-1} + bh)      the same weights at every step
    (2)  y_t = Why h_t + by                          a score for each possible next character
    (3)  p_t = softmax(y_t)                          its probability
    (4)  loss += -ln p_t[k] / T                      the mean over the chunk, in nats per character

    backward, for t = T-1, ..., 1, 0; dX is the derivative of the loss with respect to X
    (5)  dy_t = (p_t - onehot(k)) / T                softmax and logarithm together
    (6)  dWhy += dy_t h_t^T,  dby += dy_t
    (7)  dh_t += Why^T dy_t                          h_t was used for the scores y_t, and also for h_{t+1}: see (10)
    (8)  da_t = dh_t * (1 - h_t^2)                   a_t is the argument of tanh in (1)
    (9)  dWxh += da_t x_t^T,  dWhh += da_t h_{t-1}^T,  dbh += da_t
    (10) dh_{t-1} = Whh^T da_t                       back through time; (7) adds to it

    learning, one step for each chunk; g is the gradient of all weights w
    (11) g = g CLIP / |g|, if |g| > CLIP             clipping: no gradient is longer than CLIP
    (12) m = BETA1 m + (1 - BETA1) g                 Adam: a running mean of the gradient
    (13) v = BETA2 v + (1 - BETA2) g^2               and one of its square
    (14) w = w - LR mhat / (sqrt(vhat) + EPS)        mhat = m / (1 - BETA1^n), vhat = v / (1 - BETA2^n) after n steps

    writing
    (15) the next character is drawn from p_t^(1/temperature), scaled to add up to 1

The text is read in chunks of T characters. The hidden state is carried from one chunk to the next, but the gradient
stops at the beginning of the chunk: this is truncated back-propagation through time.

Sources: CS231n lecture 10, "Recurrent Neural Networks", for (1) to (10); Pascanu et al., "On the difficulty of training
recurrent neural networks" (2013), for (11); Kingma and Ba, "Adam" (2015), for (12) to (14).
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

H, T = 128, 32  # hidden units; characters in a chunk
LR, BETA1, BETA2, EPS, CLIP = 2e-3, 0.9, 0.99, 1e-8, 1.0


def initial_weights(V, H, rng):
    """Small random numbers. Whh is scaled so that Whh h is about as long as h."""
    Wxh, Whh, Why = rng.normal(0, 0.5, (H, V)), rng.normal(0, H**-0.5, (H, H)), rng.normal(0, 0.1, (V, H))
    return [Wxh, Whh, np.zeros(H), Why, np.zeros(V)]


def step(weights, x, h):
    """Read one character: the new hidden state, and the probability of each possible next character."""
    Wxh, Whh, bh, Why, by = weights
    h = np.tanh(Wxh @ x + Whh @ h + bh)  # (1)
    y = Why @ h + by  # (2)
    p = np.exp(y - y.max())
    return h, p / p.sum()  # (3)


def loss_and_gradient(weights, inputs, targets, h_before):
    """The loss of one chunk, its gradient with respect to each of the weights, and the last hidden state."""
    _, Whh, _, Why, by = weights
    onehot = np.eye(len(by))  # its row k is the one-hot vector of character k
    h, p, loss = [h_before], [], 0.0  # h[t + 1] is h_t
    for t, k in enumerate(targets):
        h_t, p_t = step(weights, onehot[inputs[t]], h[t])
        loss += -np.log(p_t[k]) / len(targets)  # (4)
        h.append(h_t)
        p.append(p_t)
    gradient = dWxh, dWhh, dbh, dWhy, dby = [np.zeros_like(w) for w in weights]
    dh = np.zeros_like(h_before)  # nothing comes back from later chunks
    for t, k in reversed(list(enumerate(targets))):
        dy = (p[t] - onehot[k]) / len(targets)  # (5)
        dWhy += np.outer(dy, h[t + 1])  # (6)
        dby += dy
        dh += Why.T @ dy  # (7)
        da = dh * (1 - h[t + 1] ** 2)  # (8)
        dWxh += np.outer(da, onehot[inputs[t]])  # (9)
        dWhh += np.outer(da, h[t])
        dbh += da
        dh = Whh.T @ da  # (10)
    return loss, gradient, h[-1]


def train(weights, ids, T):
    """Read a text over and over and learn, chunk by chunk. Yields the loss of each chunk; changes the weights."""
    m, v = ([np.zeros_like(w) for w in weights] for _ in "mv")
    start, h, n = 0, np.zeros(len(weights[2])), 0
    while True:
        if start + T >= len(ids):  # the end of the text: begin again
            start, h = 0, np.zeros_like(h)
        loss, gradient, h = loss_and_gradient(weights, ids[start : start + T], ids[start + 1 : start + T + 1], h)
        start, n = start + T, n + 1
        length = np.sqrt(sum((g * g).sum() for g in gradient))
        for i, g in enumerate(gradient):
            if length > CLIP:
                g *= CLIP / length  # (11)
            m[i] = BETA1 * m[i] + (1 - BETA1) * g  # (12)
            v[i] = BETA2 * v[i] + (1 - BETA2) * g * g  # (13)
            mhat, vhat = m[i] / (1 - BETA1**n), v[i] / (1 - BETA2**n)
            weights[i] -= LR * mhat / (np.sqrt(vhat) + EPS)  # (14)
        yield loss


def sample(weights, k, length, rng, temperature=0.7):
    """Write: from the zero state read the character k, draw the next one, read that, and so on. Returns all of them."""
    h, ids = np.zeros(len(weights[2])), [k]
    while len(ids) < length:
        h, p = step(weights, np.eye(len(weights[4]))[ids[-1]], h)
        p = p ** (1 / temperature)  # (15)
        ids.append(rng.choice(len(p), p=p / p.sum()))
    return ids


# That is the whole network. What follows checks the gradient and runs it.


def check(eps=1e-5):
    """Move each weight a little, up and down: does the loss change as the gradient says? Returns what is wrong."""
    rng, names, wrong = np.random.default_rng(1), ("Wxh", "Whh", "bh", "Why", "by"), []
    weights = [w + rng.normal(size=w.shape) for w in initial_weights(4, 5, rng)]
    chunk = rng.integers(0, 4, 8), rng.integers(0, 4, 8), rng.normal(size=5)
    for name, w, dw in zip(names, weights, loss_and_gradient(weights, *chunk)[1], strict=True):
        numeric = np.zeros_like(w)
        for place in np.ndindex(w.shape):
            w[place] += eps
            above = loss_and_gradient(weights, *chunk)[0]
            w[place] -= 2 * eps
            numeric[place] = (above - loss_and_gradient(weights, *chunk)[0]) / (2 * eps)
            w[place] += eps
        error = np.abs(dw - numeric).max() / np.abs(numeric).max()
        print(f"d{name}: relative error {error:.0e}")
        if not error < 1e-6:
            wrong.append(f"d{name}")
    return f"wrong: {', '.join(wrong)}" if wrong else None


def main():
    parser = argparse.ArgumentParser(description="The recurrent network of the CS231n lecture: it learns to write.")
    parser.add_argument("corpus", nargs="?", help="the text to learn from, in UTF-8")
    parser.add_argument("--seconds", type=float, default=35, help="how long to train (default: 35)")
    parser.add_argument("--check", action="store_true", help="only compare the gradient with finite differences")
    parser.error = lambda message: parser.exit(2, f"{parser.prog}: {message}; try --help\n")
    options = parser.parse_args()
    if options.check:
        sys.exit(check())
    if options.corpus is None:
        parser.error("name a text file to learn from")
    try:
        characters, ids = np.unique(list(Path(options.corpus).read_text(encoding="utf-8")), return_inverse=True)
        if len(ids) < 2:
            raise ValueError("at least two characters are needed")
    except (OSError, ValueError) as error:
        sys.exit(f"cannot learn from {options.corpus}: {error}")

    rng, begin = np.random.default_rng(1), time.perf_counter()
    weights = initial_weights(len(characters), H, rng)
    learning = train(weights, ids, min(T, len(ids) - 1))
    for end in options.seconds * np.arange(1, 6) / 5:  # five times, after a fifth of the time each
        losses = [next(learning)]
        while time.perf_counter() - begin < end:
            losses.append(next(learning))
        print(f"{end:.3g} s: loss {np.mean(losses):.2f} nats per character", file=sys.stderr)
        print("".join(characters[sample(weights, ids[0], 300, rng)]), end="\n\n", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
