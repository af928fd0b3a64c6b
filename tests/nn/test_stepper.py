import numpy as np
import pytest
from numpy.testing import assert_allclose

from charrnn.nn.stepper import Stepper


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("B", [1, 4])
def test_steps_give_the_same_as_forward(make_model, random_state, layers, B):
    model = make_model(layers=layers)
    x = np.random.default_rng(0).integers(0, 7, (9, B))
    start = random_state(model, B)
    work = model.workspace(*x.shape)
    last = model.forward(x, start, work)

    stepper = Stepper(model)
    stepper_state, steps = stepper.start(start), []
    for x_t in x:
        logits, stepper_state = stepper.step(x_t, stepper_state)
        steps.append(logits)
    assert_allclose(np.hstack(steps), work.logits, rtol=0, atol=1e-12)
    for (got, _), expected in zip(stepper_state, last, strict=True):
        assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_a_step_does_not_change_its_input_state(make_model, random_state):
    model = make_model()
    stepper = Stepper(model)
    stepper_state = stepper.start(random_state(model, 2))
    x = np.array([3, 0])
    first, _ = stepper.step(x, stepper_state)
    again, _ = stepper.step(x, stepper_state)
    assert_allclose(again, first, rtol=0, atol=0)
