"""Reading a run from a checkpoint, which is not trusted: whatever does not fit is refused with a CheckpointError."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from reprlib import repr as short
from typing import Any

import numpy as np

from ..checks import MOST, file_name
from ..errors import OptionError
from ..files.archive import Archive
from ..files.schema import from_json, has_type
from ..language_model import LanguageModel
from ..nn.cells import CELLS
from ..nn.config import ModelConfig
from ..nn.model import State
from ..nn.params import Array, Params
from ..text.records import Hashes
from ..text.vocab import CODE_POINTS, Vocab
from ..training.run import Run, Snapshot
from ..training.settings import CorpusInfo, Options, Schedule, TrainProgress
from .format import (
    DTYPES,
    EARLIER_NAMES,
    GROUPS,
    MAX_SIZE,
    SNAPSHOT_PARAMS,
    SNAPSHOT_STATE,
    TRAINING_HASHES,
    Group,
    bounds,
)


def load(path: str | Path) -> Run:
    """Read a run from the checkpoint at `path`.

        >>> run = charrnn.load("model.npz")
        >>> print(run.progress.step)

    Raises CheckpointError, with a message of one line, for every file that `save` did not write in exactly this form.
    """
    with Archive(Path(file_name("path", path))) as archive:
        try:
            return _Reader(archive).run()
        except KeyError as error:
            raise archive.fault(f"its metadata has no {error}") from None
        except (TypeError, ValueError, OverflowError, RecursionError, OptionError) as error:
            raise archive.fault(f"its metadata is inconsistent ({error})") from None
        except OSError as error:
            raise archive.fault(f"reading it failed ({error.strerror or error})") from None


def load_model(path: str | Path, weights: str | None = None) -> LanguageModel:
    """The model in a checkpoint, with its "best" weights by validation or its "last" average; see `Run.model`.

    >>> model = charrnn.load_model("model.npz")
    """
    return load(path).model(weights)


class _Reader:
    """Reads the run in an archive: first the metadata, then the arrays that must follow from them."""

    def __init__(self, archive: Archive) -> None:
        self.archive, self.fault = archive, archive.fault
        version = archive.metadata["format"]
        if not (has_type(version, int) and version in EARLIER_NAMES):
            raise self.fault(
                f"its format is {short(version)}, and this charrnn reads {' and '.join(map(str, EARLIER_NAMES))}; "
                "use the version that wrote it"
            )
        self.names, keys = EARLIER_NAMES[version]
        new_keys = {old: new for new, old in keys.items()}
        self.metadata = {new_keys.get(key, key): value for key, value in archive.metadata.items()}

    def run(self) -> Run:
        metadata = self.metadata
        if metadata["dtype"] not in DTYPES:
            raise self.fault(f"its dtype is {short(metadata['dtype'])}")
        self.dtype = np.dtype(metadata["dtype"])
        self.vocab = self._vocab(metadata["vocabulary"])
        self.config = from_json(ModelConfig, metadata["model"])
        self.options = from_json(Options, metadata["options"])
        self._check_sizes()
        corpus = from_json(CorpusInfo, metadata["corpus"])
        schedule = from_json(Schedule, metadata["schedule"])
        progress = from_json(TrainProgress, metadata["progress"])
        bos_id, snapshot_step = self._bos_id(), self._snapshot_step(progress)
        init_from, commands, elapsed = self._history()

        present = {"always": True, "validated": progress.best_step is not None, "snapshot": snapshot_step is not None}
        groups = [group for group in GROUPS if present[group.present]]
        expected = {
            self._in_file(name): (shape, self.dtype)
            for group in groups
            for name, shape in group.shapes(self.config, self.options.batch_size).items()
        }
        hashes_shape = self._hashes_shape(corpus) if self.options.lines else None
        if hashes_shape:
            expected[self._in_file(TRAINING_HASHES)] = hashes_shape, np.dtype(np.uint32)
        self.archive.expect(expected)

        params = {group.name: self._params(group) for group in groups if group.holds != "state"}
        states = {group.name: self._state(group) for group in groups if group.holds == "state"}
        run = Run(self.config, self.options, self.vocab, bos_id, corpus, params["raw"], states["state"])
        run.adam.m, run.adam.v, run.adam.average = params["adam_m"], params["adam_v"], params["average"]
        run.whitening.moments = params["whitening"]
        run.best = params.get("best")
        if snapshot_step is not None:
            arrays = tuple(params[name] for name in SNAPSHOT_PARAMS)
            run.snapshot = Snapshot(arrays, states[SNAPSHOT_STATE], snapshot_step)
        if hashes_shape:
            run.training_hashes = self._hashes(bos_id, hashes_shape)
        run.schedule, run.progress, run.adam.updates = schedule, progress, progress.step
        run.init_from, run.commands, run.elapsed = init_from, commands, elapsed
        run.check_history()
        return run

    def _vocab(self, value: Mapping[str, Any]) -> Vocab:
        if not (has_type(value["of_bytes"], bool) and has_type(value["characters"], str)):
            raise self.fault("its vocabulary is malformed")
        if len(value["characters"]) > CODE_POINTS:
            raise self.fault("its vocabulary has more characters than Unicode")
        vocab = Vocab(value["characters"], value["of_bytes"])
        if vocab.characters != value["characters"] or not len(vocab):
            raise self.fault("its vocabulary is empty, not sorted, or has a character twice")
        return vocab

    def _check_sizes(self) -> None:
        config, options = self.config, self.options
        sizes = {
            "hidden": config.hidden,
            "layers": config.layers,
            "networks": config.networks,
            "batch_size": options.batch_size,
            "seq_length": options.seq_length,
            "shards": options.shards,
        }
        for name, size in sizes.items():
            if not 1 <= size <= MAX_SIZE:
                raise self.fault(f"its {name} is {size}")
        layers = config.layers * config.networks
        if config.cell not in CELLS or config.vocab_size != len(self.vocab) or layers > len(self.archive.names()):
            raise self.fault("its model, vocabulary and arrays do not fit together")

    def _bos_id(self) -> int:
        bos_id: int = self.metadata["bos_id"]
        if not (has_type(bos_id, int) and 0 <= bos_id < len(self.vocab)):
            raise self.fault(f"its bos_id is {short(bos_id)}")
        return bos_id

    def _snapshot_step(self, progress: TrainProgress) -> int | None:
        step: int | None = self.metadata.get("snapshot_step")
        if step is not None and not (has_type(step, int) and (progress.best_step or 0) <= step < progress.step):
            raise self.fault(f"its snapshot_step is {short(step)}")
        return step

    def _history(self) -> tuple[str | None, list[str], float]:
        """The checkpoint that the weights came from, the commands, and the seconds of training."""
        init_from, commands = self.metadata["init_from"], self.metadata["commands"]
        elapsed = self.metadata["clock"]["elapsed"]
        if not (has_type(commands, tuple[str, ...]) and has_type(init_from, str | None)):
            raise self.fault("its commands or its init_from are malformed")
        if not (has_type(elapsed, float) and 0 <= elapsed < MOST):
            raise self.fault(f"its elapsed time is {short(elapsed)} seconds")
        return init_from, commands, float(elapsed)

    def _hashes_shape(self, corpus: CorpusInfo) -> tuple[int]:
        """The shape of `training_hashes`. Each training record has at least two characters."""
        count = self.metadata[TRAINING_HASHES]
        if not (has_type(count, int) and corpus.parts and 0 < 2 * count < corpus.parts[0]):
            raise self.fault(f"its number of training_hashes is {short(count)}")
        return (count,)

    def _hashes(self, bos_id: int, shape: tuple[int]) -> Hashes:
        if self.vocab.encode("\n", "skip")[0].tolist() != [bos_id]:
            raise self.fault("its lines are records, but its bos_id is not a newline")
        hashes = self.archive.read(self._in_file(TRAINING_HASHES), shape, np.uint32)
        if not (hashes[1:] > hashes[:-1]).all():
            raise self.fault("its training_hashes are not sorted")
        return hashes

    def _params(self, group: Group) -> Params:
        params = Params(group.network_shapes(self.config), self.dtype, networks=self.config.networks)
        for name, view in params.items():
            view[...] = self.archive.read(self._in_file(f"{group.name}.{name}"), view.shape, self.dtype)
        self._check_numbers(group, params.flat)
        return params

    def _state(self, group: Group) -> State:
        parts = []
        for name, shape in group.shapes(self.config, self.options.batch_size).items():
            parts.append(self.archive.read(self._in_file(name), shape, self.dtype))
            self._check_numbers(group, parts[-1])
        kinds = len(CELLS[self.config.cell].STATE)
        return tuple(tuple(parts[i : i + kinds]) for i in range(0, len(parts), kinds))

    def _check_numbers(self, group: Group, array: Array) -> None:
        lowest, highest = bounds(group.numbers, self.config, self.dtype)
        if not np.isfinite(array).all():
            raise self.fault(f"its {group.name} values are not all finite numbers")
        if array.min() < lowest or array.max() > highest:
            raise self.fault(f"its {group.name} values are not all from {lowest:.3g} to {highest:.3g}")

    def _in_file(self, name: str) -> str:
        """What the file calls the array that has this name in the present format."""
        group, dot, array = name.partition(".")
        return self.names.get(group, group) + dot + array
