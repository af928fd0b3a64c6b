"""A model with a known distribution: a Markov chain of characters."""

import numpy as np

from charrnn.language_model import LanguageModel
from charrnn.nn.config import ModelConfig
from charrnn.nn.layer_norm import EPSILON
from charrnn.nn.model import Model
from charrnn.nn.params import Params
from charrnn.text.vocab import Vocab

NO_PRIME = np.zeros(0, np.intp)


def markov_chain(table):
    """A network whose next character depends only on the last one: table[i, j] is the probability of j after i.

    With Wxh = 100 and no recurrence h is 1 at the place of the last character and 0 elsewhere; what is handed on is
    that less its mean 1/V, over its deviation.
    """
    V = len(table)
    config = ModelConfig(V, "rnn", hidden=V, layers=1)
    params = Params(config.shapes(), np.float64)
    params["Wxh0"][...] = 100 * np.eye(V)
    params["Why"][...] = np.log(table).T * np.sqrt((1 - 1 / V) / V + EPSILON)
    params["by"][...] = np.log(table).mean(axis=0)
    return LanguageModel(Model(config, params), Vocab("abcdefgh"[:V]), 0)
