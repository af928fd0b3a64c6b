"""charrnn train --init-from: the weights, shape and vocabulary that a run takes from a checkpoint."""

import json
import shlex

import numpy as np
import pytest

from charrnn import load

SMALL = shlex.split("--hidden 5 --layers 1 --batch-size 3 --seq-length 11")


class TestInitFrom:
    """A tiny --lr leaves the weights as they are, so that they can be compared with those of the checkpoint."""

    STILL = ("--steps", 1, "--lr", 1e-30, "--batch-size", 2)

    def test_known_characters_keep_their_weights(self, charrnn, trained, folder, text):
        trained.rename("old.npz")
        (folder / "new.txt").write_text("0é世~ some new text\n" * 9, encoding="utf-8")
        charrnn("train", "new.txt", "--init-from", "old.npz", *self.STILL, "-c", "new.npz")
        old, new = load("old.npz"), load("new.npz")
        assert new.vocab.characters == "".join(sorted(set(text) | set("0é世~ some new text\n")))
        assert new.config.hidden == old.config.hidden == 12
        before, after = old.best, new.network.params
        for name in before:
            if name not in ("Wxh0", "Why", "by"):
                np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-20)
        for place, character in enumerate(new.vocab.characters):
            known = old.vocab.characters.find(character)
            if known >= 0:
                np.testing.assert_allclose(after["Wxh0"][:, place], before["Wxh0"][:, known], rtol=0, atol=1e-20)
                np.testing.assert_allclose(after["Why"][place], before["Why"][known], rtol=0, atol=1e-20)
                np.testing.assert_allclose(after["by"][place], before["by"][known], rtol=0, atol=1e-20)
            else:
                assert np.abs(after["Wxh0"][:, place]).min() > 0
                np.testing.assert_allclose(after["Why"][place], 0, atol=1e-20)

    def test_the_old_text_has_the_same_loss(self, charrnn, trained):
        before = json.loads(charrnn("eval", "corpus.txt", "--json").out)
        charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", *self.STILL, "-c", "new.npz")
        after = json.loads(charrnn("eval", "corpus.txt", "--json", "-c", "new.npz").out)
        assert after == before

    @pytest.mark.parametrize(
        ("option", "value"), [("--hidden", 13), ("--layers", 1), ("--cell", "gru"), ("--bytes", None)]
    )
    def test_another_shape_is_wrong_usage(self, charrnn, trained, option, value):
        words = [option] if value is None else [option, value]
        err = charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", *words, "-c", "new.npz", status=2).err
        assert option in err

    def test_the_shape_of_the_checkpoint_may_be_given(self, charrnn, trained):
        shape = ["--hidden", 12, "--layers", 2, "--cell", load("charrnn.npz").config.cell]
        charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", *shape, "--steps", 1, "-c", "new.npz")

    def test_a_model_of_bytes_reads_bytes_without_the_option(self, charrnn, folder):
        (folder / "data").write_bytes(bytes(range(256)))
        charrnn("train", "data", "--bytes", *SMALL, "--steps", 1)
        charrnn("train", "corpus.txt", "--init-from", "charrnn.npz", "--steps", 1, "-c", "new.npz")
        assert load("new.npz").vocab.of_bytes
