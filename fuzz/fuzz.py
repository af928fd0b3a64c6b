"""Try to make charrnn fail in a way that it must not: make fuzz, or fuzz.py TARGET [SECONDS [SEED]].

A coverage-guided fuzzer (Atheris, which is libFuzzer for Python) makes up inputs for each target in turn. Whatever a
target does not expect ends the run with a traceback and leaves the input in fuzz/found/; given as TARGET INPUT, it is
tried again. Every crash that was found belongs in a test.

    checkpoint  the bytes of a checkpoint, under a right checksum
    member      one member of a checkpoint, its metadata above all, under right checksums; what loads is used
    text        a file of text: encodings, compression, pieces; held against Python's own reading
    vocabulary  characters to ids and back
    command     words for the command line
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
SECONDS = 600 // len(TARGETS)
MEMORY = 500  # MB


def seal(content: bytes) -> bytes:
    """The right checksum at the end of an archive."""
    return content[:-64] + hashlib.sha256(content[:-64]).hexdigest().encode()


def pack(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = bytes(64)
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return seal(file.getvalue())


class Targets:
    """One method a target. `self.folder` is the working directory; in it are a text and a checkpoint."""

    def __init__(self, atheris) -> None:
        self.atheris = atheris
        with atheris.instrument_imports(include=["charrnn"]):
            import charrnn
            import charrnn.checkpoint.load
            import charrnn.cli
            import charrnn.cli.train.session
            import charrnn.text.reader
            import charrnn.text.vocab
        self.charrnn, self.main = charrnn, charrnn.cli.main
        self.reading, self.vocab = charrnn.text.reader, charrnn.text.vocab
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
        """Inputs to begin with."""
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
        Path("forged.npz").write_bytes(content)
        try:
            run = self.charrnn.load("forged.npz")
            model = run.model()
            self.charrnn.sample(model, 3)
            self.charrnn.evaluate(model, model.vocab.decode([0, 0, 0]))
            self.charrnn.save("again.npz", run)
            self.charrnn.load("again.npz")
        except self.charrnn.CharRNNError as error:
            said = str(error)
            assert "\n" not in said, said
            assert len(said) < 2000, said

    def text(self, data: bytes) -> None:
        encodings = ("utf-8", "utf-16", "utf-32", "latin-1", "cp1252", "gb18030", "utf-7", "shift_jis", "utf-8-sig")
        packers = ((".txt", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress))
        if len(data) < 2:
            return
        encoding, (suffix, packer) = encodings[data[0] % len(encodings)], packers[data[0] // len(encodings) % 4]
        damaged, body = data[0] > 200, data[2:]
        self.reading.PIECE = data[1] % 40 + 1
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
        known, text = (part.decode("utf-32-le", "replace") for part in (data[:half], data[half:]))
        vocab = self.vocab.Vocab(known)
        assert vocab.characters == "".join(sorted(set(known)))
        ids, missing = vocab.encode(text, "skip")
        kept = "".join(c for c in text if c in known)
        assert (vocab.decode(ids), missing) == (kept, len(text) - len(kept))
        if missing:
            try:
                vocab.encode(text)
                raise AssertionError("an unknown character went unseen")
            except self.charrnn.CharRNNError:
                pass

    def command(self, data: bytes) -> None:
        import click
        from click.testing import CliRunner

        given = self.atheris.FuzzedDataProvider(data)
        name = given.PickValueInList(sorted(self.main.commands))
        words = [name, *(["corpus.txt"] if given.ConsumeBool() else [])]
        odd = ["", "-", "0", "-1", "nan", "1e308", "1e-300", "2", "corpus.txt", "forged.npz", "/dev/null", "latin-1"]
        for _ in range(given.ConsumeIntInRange(0, 6)):
            option = given.PickValueInList([p for p in self.main.commands[name].params if isinstance(p, click.Option)])
            words.append(given.PickValueInList(option.opts))
            if not option.is_flag:
                value = given.PickValueInList([*odd, None])
                words.append(given.ConsumeUnicode(9).replace("\0", "") if value is None else value)
        if name == "train":  # the last of each is what counts
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
    """Let libFuzzer have its way with one target. Does not return."""
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
    chosen, *rest = sys.argv[1:] or ["all"]
    if chosen == "one":
        fuzz(*rest)
    if rest and not rest[0].isdigit():
        fuzz(chosen, os.path.abspath(rest[0]))
    seconds, seed = (*rest, str(SECONDS), "1")[:2] if len(rest) < 2 else rest
    limits = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=20000", "-timeout=20", f"-rss_limit_mb={MEMORY}"]
    failed = []
    for target in TARGETS if chosen == "all" else [chosen]:
        command = [sys.executable, __file__, "one", target, *limits, f"-artifact_prefix={FOUND.resolve()}/{target}-"]
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        found = re.findall(r"^#(\d+)\s+DONE\s+cov: (\d+)", result.stderr, re.MULTILINE)
        said = f"{int(found[0][0]):,} inputs, {found[0][1]} places reached" if found else "no end"
        print(f"{target:12}{'FAILED' if result.returncode else 'clean'}: {said}", flush=True)
        if result.returncode:
            failed.append(target)
            print(result.stderr[-4000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
