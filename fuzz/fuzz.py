"""Look for inputs that crash charrnn: make fuzz, or fuzz.py TARGET [SECONDS [SEED]].

A coverage-guided fuzzer (Atheris, which is libFuzzer for Python) makes inputs for each target in turn. An unexpected
exception ends the run with a traceback and writes the input to fuzz/found/. To try that input again, run fuzz.py TARGET
INPUT. Every crash that was found belongs in a test.

    checkpoint  the bytes of a checkpoint, with a correct checksum
    member      one member of a checkpoint, mostly its metadata, with correct checksums; if it loads, the model is used
    text        a text file: encodings, compression, piece sizes; compared with Python's own decoding
    vocabulary  characters to ids and back
    command     arguments for the command line
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
FOUND = HERE / "found"
TARGETS = ("checkpoint", "member", "text", "vocabulary", "command")
SECONDS = 600 // len(TARGETS)  # of each target
MAX_MEMORY = 500  # MB


def seal(content: bytes) -> bytes:
    """The archive with a correct checksum at its end."""
    return content[:-64] + hashlib.sha256(content[:-64]).hexdigest().encode()


def pack(members: dict[str, bytes]) -> bytes:
    """An archive of these members, with a correct checksum."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = bytes(64)
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return seal(file.getvalue())


class Targets:
    """One method per target. `self.folder` is the working directory, with a text and a checkpoint in it."""

    def __init__(self, atheris) -> None:
        self.atheris = atheris
        with atheris.instrument_imports(include=["charrnn"]):
            import charrnn
            import charrnn.checkpoint.load
            import charrnn.checkpoint.save
            import charrnn.cli
            import charrnn.cli.train.session
            import charrnn.text.reader
            import charrnn.text.vocab
        self.charrnn, self.main = charrnn, charrnn.cli.main
        self.reader, self.vocab = charrnn.text.reader, charrnn.text.vocab
        self.folder = Path(tempfile.mkdtemp(prefix="charrnn-fuzz-"))
        os.chdir(self.folder)
        Path("corpus.txt").write_text("abab ba\n" * 9)
        corpus = charrnn.read_corpus(["corpus.txt"])
        run = charrnn.new_run(corpus, "rnn", 2, 1, charrnn.Options(batch_size=2, seq_length=5))
        run.set_budget(steps=3)
        for _ in charrnn.train(run, corpus):
            pass
        run.commands = ["charrnn train corpus.txt"]
        charrnn.save("seed.npz", run)
        self.seed = Path("seed.npz").read_bytes()
        with zipfile.ZipFile("seed.npz") as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}

    def seeds(self, target: str) -> list[bytes]:
        """The first inputs."""
        if target == "checkpoint":
            return [self.seed]
        if target == "member":
            return [bytes([number]) + data for number, data in enumerate(self.members.values())]
        return [b"\0\0some text\r\n\xe4\xb8\x96", "\ufeffé世🙂\ud83d".encode("utf-16-le", "surrogatepass")]

    def checkpoint(self, data: bytes) -> None:
        self.use(seal(data) if len(data) > 64 else data)

    def member(self, data: bytes) -> None:
        name = list(self.members)[data[0] % len(self.members) if data else 0]
        self.use(pack(self.members | {name: data[1:]}))

    def use(self, content: bytes) -> None:
        """Load a checkpoint with this content and use it. A CharRNNError must have a message of one short line."""
        Path("forged.npz").write_bytes(content)
        try:
            run = self.charrnn.load("forged.npz")
            model = run.model()
            self.charrnn.sample(model, 3)
            self.charrnn.evaluate(model, model.vocab.decode([0, 0, 0]))
            self.charrnn.save("again.npz", run)
            self.charrnn.load("again.npz")
        except self.charrnn.CharRNNError as error:
            message = str(error)
            assert "\n" not in message, message
            assert len(message) < 2000, message

    def text(self, data: bytes) -> None:
        encodings = ("utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "gb18030", "utf-7", "shift_jis", "utf-8-sig")
        packers = ((".txt", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress))
        if len(data) < 2:
            return
        encoding, (suffix, packer) = encodings[data[0] % len(encodings)], packers[data[0] // len(encodings) % 4]
        damaged, body = data[0] > 200, data[2:]
        self.reader.PIECE = data[1] % 40 + 1
        path = Path(f"text{suffix}")
        path.write_bytes(body if damaged else packer(body))
        try:
            read = self.charrnn.read_corpus([str(path)], encoding)
        except self.charrnn.CharRNNError:
            return
        if not damaged:
            text = body.decode("utf-8" if encoding == "utf-8-sig" else encoding)
            assert read.vocab.decode(read.ids) == text.removeprefix("\ufeff").replace("\r\n", "\n")

    def vocabulary(self, data: bytes) -> None:
        half = len(data) // 8 * 4
        characters, text = (part.decode("utf-32-le", "replace") for part in (data[:half], data[half:]))
        vocab = self.vocab.Vocab(characters)
        assert vocab.characters == "".join(sorted(set(characters)))
        ids, missing = vocab.encode(text, "skip")
        kept = "".join(c for c in text if c in characters)
        assert (vocab.decode(ids), missing) == (kept, len(text) - len(kept))
        if missing:
            try:
                vocab.encode(text)
                raise AssertionError("an unknown character was not noticed")
            except self.charrnn.CharRNNError:
                pass

    def command(self, data: bytes) -> None:
        import click
        from click.testing import CliRunner

        choices = self.atheris.FuzzedDataProvider(data)
        name = choices.PickValueInList(sorted(self.main.commands))
        words = [name, *(["corpus.txt"] if choices.ConsumeBool() else [])]
        odd = ["", "-", "0", "-1", "nan", "1e308", "1e-300", "2", "corpus.txt", "forged.npz", "/dev/null", "latin-1"]
        for _ in range(choices.ConsumeIntInRange(0, 6)):
            option = choices.PickValueInList(
                [p for p in self.main.commands[name].params if isinstance(p, click.Option)]
            )
            words.append(choices.PickValueInList(option.opts))
            if not option.is_flag:
                value = choices.PickValueInList([*odd, None])
                words.append(choices.ConsumeUnicode(9).replace("\0", "") if value is None else value)
        if name == "train":  # of a repeated option the last one counts
            words += ["--hidden", "2", "--layers", "1", "--batch-size", "2", "-c", "new.npz"]
            words += [] if {"--minutes", "--epochs", "--steps"} & set(words) else ["--steps", "1"]
        if not {"--minutes", "--epochs", "--interactive", "--length", "-n", "--num-samples"} & set(words):
            Path("charrnn.npz").write_bytes(self.seed)
            result = CliRunner().invoke(self.main, words, prog_name="charrnn")
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                print(words, file=sys.stderr)
                raise result.exception
            assert result.exit_code in (0, 1, 2), (words, result.output)


def fuzz(target: str, *options: str) -> None:
    """Fuzz one target. Does not return."""
    import atheris

    targets = Targets(atheris)
    corpus = targets.folder / "inputs"
    corpus.mkdir()
    for number, seed in enumerate(targets.seeds(target)):
        (corpus / str(number)).write_bytes(seed)
    inputs = [str(corpus)] if options[0].startswith("-") else []
    atheris.Setup([sys.argv[0], *options, *inputs], getattr(targets, target))
    atheris.Fuzz()


def main() -> int:
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    FOUND.mkdir(exist_ok=True)
    target, *rest = sys.argv[1:] or ["all"]
    if target == "one":
        fuzz(*rest)
    if rest and not rest[0].isdigit():
        fuzz(target, os.path.abspath(rest[0]))
    seconds, seed = (*rest, str(SECONDS), "1")[:2] if len(rest) < 2 else rest
    limits = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-max_len=20000",
        "-timeout=20",
        f"-rss_limit_mb={MAX_MEMORY}",
    ]
    failed = []
    for name in TARGETS if target == "all" else [target]:
        command = [sys.executable, __file__, "one", name, *limits, f"-artifact_prefix={FOUND.resolve()}/{name}-"]
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        found = re.findall(r"^#(\d+)\s+DONE\s+cov: (\d+)", result.stderr, re.MULTILINE)
        summary = f"{int(found[0][0]):,} inputs, {found[0][1]} places covered" if found else "did not finish"
        print(f"{name:12}{'FAILED' if result.returncode else 'clean'}: {summary}", flush=True)
        if result.returncode:
            failed.append(name)
            print(result.stderr[-4000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
