"""Characters and lines scored per second, compared with evaluation, which only adds up.

    python benchmarks/scoring.py [--threads 2] [--turns 3] [--only gru] [--characters 300000]

Random weights and a random text of 65 characters, in lines of 8 and of 80 characters on average. `evaluate` computes
one loss for the text, as `charrnn eval` does. The others do what `charrnn score` does with a text in memory, up to the
bytes of each output row, which are thrown away: `lines` and `chars` with a model of continuous text, `records` with a
model of records, which reads each line from the zero state. Each runs in fresh processes of its own, after an uncounted
run on a hundredth of the text. They take turns, and a row has the medians over the turns.
"""

from __future__ import annotations

from time import perf_counter

from common import answer, arguments, heading, machine, medians, row

CELLS = [("rnn", 256, 2), ("gru", 256, 2)]  # cell, hidden, layers
LENGTHS = [8, 80]  # average characters in a line
ROWS = [(*cell, length) for cell in CELLS for length in LENGTHS]
SIDES = ["evaluate", "lines", "chars", "records"]


def random_text(characters: int, length: int) -> str:
    import numpy as np

    ids = np.random.default_rng(0).integers(48, 112, characters, dtype=np.uint8)
    ids[np.random.default_rng(1).random(characters) < 1 / length] = 10
    return ids.tobytes().decode() + "\n"


def measure(side: str, number: int, threads: int, characters: int) -> list[float]:
    from charrnn.cli.score_rows import tsv
    from charrnn.evaluation.metrics import evaluate
    from charrnn.evaluation.scoring import score
    from charrnn.language_model import LanguageModel
    from charrnn.nn.config import ModelConfig
    from charrnn.nn.init import initial_params
    from charrnn.nn.model import Model
    from charrnn.text.vocab import Vocab

    cell, H, L, length = ROWS[number]
    vocab = Vocab("\n" + "".join(map(chr, range(48, 112))))
    config = ModelConfig(len(vocab), cell, H, L)
    model = LanguageModel(Model(config, initial_params(config, 1)), vocab, 0, side == "records")
    per = "char" if side == "chars" else "line"

    def work(text: str) -> None:
        if side == "evaluate":
            evaluate(model, text, threads=threads)
            return
        for scored in score(model, text, per, threads=threads):
            tsv(scored, per).encode()

    text = random_text(characters, length)
    work(text[: characters // 100])
    began = perf_counter()
    work(text)
    return [perf_counter() - began, text.count("\n")]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--characters", type=int, default=300_000, help="length of the text")
    options = parser.parse_args()
    if options.measure:
        answer(options.measure, lambda *job: measure(*job, options.characters))
        return

    print(f"{machine('numpy')}; {options.threads} threads, medians of {options.turns} turns\n")
    print(heading("network", "characters a line", *(f"{side}, chars/s" for side in SIDES), "records, lines/s"))
    for number, (cell, H, L, length) in enumerate(ROWS):
        if options.only not in ("", cell):
            continue
        times = medians([(side, number, options.threads) for side in SIDES], options.turns)
        seconds = {side: times[side, number, options.threads][0] for side in SIDES}
        lines = times["records", number, options.threads][1]
        rates = [f"{options.characters / seconds[side]:,.0f}" for side in SIDES]
        print(row(f"{cell} {H}x{L}", length, *rates, f"{lines / seconds['records']:,.0f}"), flush=True)


if __name__ == "__main__":
    main()
