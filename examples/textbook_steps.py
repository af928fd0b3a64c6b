"""One time step of each recurrent cell as the lecture and the papers write it, and its derivative.

A step takes an input x and the state before the step, and returns the state after it; each is one column vector. Wxh,
Whh and bh have a block of H rows for each gate, one below the other. These functions are slow and meant to be read; the
tests compare charrnn's fast cells with them.

A backward step takes the gradient of the state after the step (dh and, in the LSTM, dc) and what the step took. From
the step's own values it works out three things, and returns them in this order:

    da          the gradient of a = Wxh x + bh, from which  dWxh += da x^T,  dbh += da,  dx = Wxh^T da
    du          the gradient of u = Whh h, from which  dWhh += du h^T  (only in the GRU it is not the same as da)
    dh (, dc)   the gradient of the state before the step

Sources: CS231n lecture 10, "Recurrent Neural Networks"; Hochreiter and Schmidhuber, "Long short-term memory" (1997),
with the forget gate of Gers et al., "Learning to forget" (2000); Cho et al., "Learning phrase representations using RNN
encoder-decoder" (2014), in the variant whose reset gate acts after the product (Chung et al., 2014).
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# The plain recurrent network. The numbers in brackets are those of min_char_rnn.py.


def rnn_step(x, h, Wxh, Whh, bh):
    return np.tanh(Wxh @ x + Whh @ h + bh)  # (1)


def rnn_step_backward(dh, x, h, Wxh, Whh, bh):
    da = dh * (1 - rnn_step(x, h, Wxh, Whh, bh) ** 2)  # (8)
    dh = Whh.T @ da  # (10)
    return da, da, dh


# The LSTM. Its blocks of rows: input gate i, forget gate f, output gate o, candidate g.


def lstm_gates(x, h, Wxh, Whh, bh):
    a_i, a_f, a_o, a_g = np.split(Wxh @ x + Whh @ h + bh, 4)  # (L1)
    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)  # (L2)
    g = np.tanh(a_g)  # (L3)
    return i, f, o, g


def lstm_step(x, h, c, Wxh, Whh, bh):
    i, f, o, g = lstm_gates(x, h, Wxh, Whh, bh)
    c = f * c + i * g  # (L4)
    h = o * np.tanh(c)  # (L5)
    return h, c


def lstm_step_backward(dh, dc, x, h, c, Wxh, Whh, bh):
    i, f, o, g = lstm_gates(x, h, Wxh, Whh, bh)
    tanh_c = np.tanh(f * c + i * g)
    do = dh * tanh_c  # (L6)
    dc = dc + dh * o * (1 - tanh_c**2)  # (L7) the new c is used at the next step, and for the new h
    di, df, dg = dc * g, dc * c, dc * i  # (L8)
    da_i, da_f, da_o = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)  # (L9)
    da_g = dg * (1 - g**2)  # (L10)
    da = np.concatenate([da_i, da_f, da_o, da_g])
    dc = dc * f  # (L11)
    dh = Whh.T @ da  # (L12)
    return da, da, dh, dc


# The GRU. Its blocks of rows: reset gate r, update gate z, candidate n.


def gru_gates(x, h, Wxh, Whh, bh):
    a_r, a_z, a_n = np.split(Wxh @ x + bh, 3)  # (G1)
    u_r, u_z, u_n = np.split(Whh @ h, 3)  # (G2)
    r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)  # (G3)
    n = np.tanh(a_n + r * u_n)  # (G4) r resets after the product Whh h
    return r, z, n, u_n


def gru_step(x, h, Wxh, Whh, bh):
    _, z, n, _ = gru_gates(x, h, Wxh, Whh, bh)
    return (1 - z) * n + z * h  # (G5)


def gru_step_backward(dh, x, h, Wxh, Whh, bh):
    r, z, n, u_n = gru_gates(x, h, Wxh, Whh, bh)
    dn, dz = dh * (1 - z), dh * (h - n)  # (G6)
    da_n = dn * (1 - n**2)  # (G7)
    dr, du_n = da_n * u_n, da_n * r  # (G8)
    da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)  # (G9)
    da = np.concatenate([da_r, da_z, da_n])
    du = np.concatenate([da_r, da_z, du_n])
    dh = dh * z + Whh.T @ du  # (G10) h was used for the new h itself, and for the gates
    return da, du, dh
