import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.nn.stepper import Stepper


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("B", [1, 4])
def test_one_character_at_a_time_is_the_same_as_many(make_model, random_state, layers, B):
    model = make_model(layers=layers)
    x = np.random.default_rng(0).integers(0, 7, (9, B))
    start = random_state(model, B)
    work = model.workspace(*x.shape)
    last = model.forward(x, start, work)

    stepper = Stepper(model)
    carried, steps = stepper.carry(start), []
    for x_t in x:
        logits, carried = stepper.step(x_t, carried)
        steps.append(logits)
    assert_allclose(np.hstack(steps), work.logits, rtol=0, atol=1e-12)
    for (got, _), expected in zip(carried, last, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_a_step_leaves_what_it_was_given(make_model, random_state):
    model = make_model()
    stepper = Stepper(model)
    carried = stepper.carry(random_state(model, 2))
    x = np.array([3, 0])
    first, _ = stepper.step(x, carried)
    again, _ = stepper.step(x, carried)
    assert_allclose(again, first, rtol=0, atol=0)
