"""The example in the package's docstring is run as it stands."""

import pytest

import charrnn


def test_the_example_runs(tmp_path, monkeypatch, capsys, short_text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(short_text.replace("世界", "some text"), encoding="utf-8")
    head, example = charrnn.__doc__.split("import charrnn\n", 1)
    names = {"charrnn": charrnn}
    exec(compile(example, head, "exec"), names)

    lines = capsys.readouterr().out.splitlines()
    steps = [line.split() for line in lines[:500]]
    assert [int(step) for step, _ in steps] == list(range(1, 501))
    assert float(steps[-1][1]) < float(steps[0][1])
    *written, bits_per_char, some, text = lines[500:]
    assert len("\n".join(written)) == 200
    assert set("".join(written)) <= set(names["corpus"].vocab.characters)
    assert 0 < float(bits_per_char) < 8
    words = [some.removeprefix("some "), text.removeprefix(" text ")]
    assert sum(map(float, words)) == pytest.approx(8 * float(bits_per_char), abs=1e-4)
    assert (tmp_path / "model.npz").exists()


def test_every_public_name_is_what_its_home_has():
    for name in charrnn.__all__:
        assert getattr(charrnn, name).__module__.startswith("charrnn.")
        assert getattr(charrnn, name).__name__ == name
    assert sorted(charrnn._HOMES) == sorted(charrnn.__all__)
