"""A run as a file: saved whole, and read without trusting it.

Members: `last.NAME`, `average.NAME` and, once there was a validation, `best.NAME` for each parameter; `adam_m.NAME` and
`adam_v.NAME`, Adam's moments; `whitening.NAME`, the moments of whitening, for each matrix between hidden units (all of
these with several networks along an axis in front); `state.h0`, `state.h1` ..., the state carried from chunk to chunk
(the layers of the first network, then those of the next ...); for a model of records `known`, the hashes of its
training records. Weights, moments, average and state of an earlier step, if the run would go back to that one were it
to diverge: `good.NAME`, `good_m.NAME`, `good_v.NAME`, `good_average.NAME`, `good_whitening.NAME`, `good_state.h0` ...
All else is in `metadata.json`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from reprlib import repr as short
from typing import Any

import numpy as np

from .. import __version__
from ..errors import CheckpointError, OptionError
from ..files.archive import Archive, write_archive
from ..files.schema import from_json, has_type
from ..language_model import LanguageModel
from ..nn.cells import CELLS
from ..nn.config import ModelConfig
from ..nn.model import State
from ..nn.params import Array, Params
from ..optim.whitening import moment_shapes
from ..text.records import Hashes
from ..text.vocab import CODE_POINTS, Vocab
from ..training.run import Run, Snapshot
from ..training.settings import COUNT, CorpusInfo, Options, Schedule, TrainProgress

FORMAT = 3
GOOD, GOOD_STATE = ("good", "good_m", "good_v", "good_average", "good_whitening"), "good_state"
WHITENING = ("whitening", "good_whitening")
SQUARES = ("adam_v", "good_v")  # means of them
WEIGHTS = ("last", "average", "best", "good", "good_average")
LARGEST = 1 << 24  # no size in a checkpoint is larger than this
LARGEST_MOMENT = 2  # those of whitening are means of numbers from -1 to 1
LARGEST_STATE = 1e15  # an LSTM's cell grows by at most 1 a step


def save(path: str | Path, run: Run) -> None:
    """Write a run to `path`, whole or not at all. Raises CheckpointError; whatever was there before then still is."""
    metadata = {
        "format": FORMAT,
        "program": f"charrnn {__version__}",
        "dtype": run.network.params.flat.dtype.name,
        "model": asdict(run.config),
        "vocabulary": {"of_bytes": run.vocab.of_bytes, "characters": run.vocab.characters},
        "start": run.bos_id,
        "known": None if run.training_hashes is None else len(run.training_hashes),
        "options": asdict(run.options),
        "corpus": asdict(run.corpus),
        "schedule": asdict(run.schedule),
        "progress": asdict(run.progress),
        "good_step": earlier.step if (earlier := _earlier(run)) else None,
        "init_from": run.init_from,
        "commands": run.commands,
        "clock": {"elapsed": run.elapsed},
    }
    write_archive(Path(path), dict(_members(run)), metadata)


def load(path: str | Path) -> Run:
    """Read a run back. Raises CheckpointError, in one line, for any file that `save` did not write as it stands."""
    with Archive(Path(path)) as archive:
        try:
            return _read(archive)
        except KeyError as error:
            raise archive.fault(f"its metadata lack {error}") from None
        except (TypeError, ValueError, OverflowError, RecursionError, OptionError) as error:
            raise archive.fault(f"its metadata do not fit together ({error})") from None
        except OSError as error:
            raise archive.fault(f"it cannot be read to its end ({error.strerror or error})") from None


def load_model(path: str | Path, weights: str | None = None) -> LanguageModel:
    """The model in a checkpoint, with its "best" weights by validation or its "last"; see `Run.model`."""
    return load(path).model(weights)


def _members(run: Run) -> Iterator[tuple[str, Array]]:
    adam, states = run.adam, {"state": run.state}
    groups = {"last": run.network.params, "average": adam.average, "adam_m": adam.m, "adam_v": adam.v}
    groups["whitening"] = run.whitening.moments
    if run.best is not None:
        groups["best"] = run.best
    if earlier := _earlier(run):
        groups |= zip(GOOD, earlier.arrays, strict=True)
        states[GOOD_STATE] = earlier.state
    for prefix, params in groups.items():
        for name, view in params.items():
            yield f"{prefix}.{name}", view
    for prefix, state in states.items():
        for number, layer in enumerate(state):
            for kind, part in zip(CELLS[run.config.cell].STATE, layer, strict=True):
                yield f"{prefix}.{kind}{number}", part
    if run.training_hashes is not None:
        yield "known", run.training_hashes


def _earlier(run: Run) -> Snapshot | None:
    """The state to go back to, if it is another one than the present and may yet be needed."""
    return run.snapshot if run.snapshot and run.snapshot.step != run.progress.step and not run.finished else None


def _read(archive: Archive) -> Run:
    metadata = archive.metadata
    if not (has_type(metadata["format"], int) and metadata["format"] == FORMAT):
        raise archive.fault(
            f"its format is {short(metadata['format'])} and this charrnn reads format {FORMAT}; "
            "use the version that wrote it"
        )
    if metadata["dtype"] not in ("float32", "float64"):
        raise archive.fault(f"its dtype is {short(metadata['dtype'])}")
    dtype = np.dtype(metadata["dtype"])
    vocab = _vocab(archive, metadata["vocabulary"])
    config = from_json(ModelConfig, metadata["model"])
    options = from_json(Options, metadata["options"])
    _check_sizes(archive, config, options, vocab)
    start, commands, elapsed = metadata["start"], metadata["commands"], metadata["clock"]["elapsed"]
    if not (has_type(start, int) and 0 <= start < len(vocab)):
        raise archive.fault(f"its start character is {short(start)}")
    init_from = metadata["init_from"]
    if not (has_type(commands, tuple[str, ...]) and has_type(init_from, str | None)):
        raise archive.fault("its history is malformed")
    if not (has_type(elapsed, float) and 0 <= elapsed < COUNT):
        raise archive.fault(f"its elapsed time is {short(elapsed)} seconds")

    corpus = from_json(CorpusInfo, metadata["corpus"])
    schedule = from_json(Schedule, metadata["schedule"])
    progress = from_json(TrainProgress, metadata["progress"])
    groups, states = ["last", "average", "adam_m", "adam_v", "whitening"], ["state"]
    if progress.best_step is not None:
        groups.append("best")
    good_step = metadata.get("good_step")
    if good_step is not None:
        if not (has_type(good_step, int) and (progress.best_step or 0) <= good_step < progress.step):
            raise archive.fault(f"its good_step is {short(good_step)}")
        groups.extend(GOOD)
        states.append(GOOD_STATE)
    expected = {name: (shape, dtype) for name, shape in _shapes(config, options.batch_size, groups, states).items()}
    if options.lines:
        expected["known"] = (_known_shape(archive, corpus, metadata["known"]), np.dtype(np.uint32))
    archive.expect(expected)

    params = {group: _params(archive, group, config, dtype) for group in groups}
    carried = {name: _state(archive, name, config, options.batch_size, dtype) for name in states}
    run = Run(config, options, vocab, start, corpus, params["last"], carried["state"])
    run.adam.m, run.adam.v, run.adam.average = params["adam_m"], params["adam_v"], params["average"]
    run.whitening.moments = params["whitening"]
    run.best = params.get("best")
    if good_step is not None:
        run.snapshot = Snapshot(tuple(params[group] for group in GOOD), carried[GOOD_STATE], good_step)
    if options.lines:
        run.training_hashes = _known(archive, vocab, start, *expected["known"])
    run.schedule, run.progress, run.adam.updates = schedule, progress, progress.step
    run.init_from, run.commands, run.elapsed = init_from, list(commands), float(elapsed)
    run.check_history()
    return run


def _vocab(archive: Archive, value: Mapping[str, Any]) -> Vocab:
    if not (has_type(value["of_bytes"], bool) and has_type(value["characters"], str)):
        raise archive.fault("its vocabulary is malformed")
    if len(value["characters"]) > CODE_POINTS:
        raise archive.fault("its vocabulary has more characters than there are")
    vocab = Vocab(value["characters"], value["of_bytes"])
    if vocab.characters != value["characters"] or not len(vocab):
        raise archive.fault("its vocabulary is not sorted, or has a character twice, or none")
    return vocab


def _check_sizes(archive: Archive, config: ModelConfig, options: Options, vocab: Vocab) -> None:
    sizes = {
        "hidden": config.hidden,
        "layers": config.layers,
        "networks": config.networks,
        "batch_size": options.batch_size,
        "seq_length": options.seq_length,
        "shards": options.shards,
    }
    for name, size in sizes.items():
        if not 1 <= size <= LARGEST:
            raise archive.fault(f"its {name} is {size}")
    layers = config.layers * config.networks
    if config.cell not in CELLS or config.vocab_size != len(vocab) or layers > len(archive.names()):
        raise archive.fault("its model, vocabulary and arrays do not fit together")


def _shapes(config: ModelConfig, B: int, groups: list[str], states: list[str]) -> dict[str, tuple[int, ...]]:
    """The name and shape of every array of parameters or states."""
    front = (config.networks,) if config.networks > 1 else ()
    shapes = {f"{group}.{name}": front + shape for group in groups for name, shape in _of(group, config).items()}
    parts = itertools.product(states, CELLS[config.cell].STATE, range(config.layers * config.networks))
    return shapes | {f"{name}.{kind}{number}": (config.hidden, B) for name, kind, number in parts}


def _of(group: str, config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The shapes of a group of arrays, of one network."""
    return moment_shapes(config.shapes()) if group in WHITENING else config.shapes()


def _params(archive: Archive, prefix: str, config: ModelConfig, dtype: np.dtype[Any]) -> Params:
    params = Params(_of(prefix, config), dtype, networks=config.networks)
    for name, view in params.items():
        view[...] = archive.read(f"{prefix}.{name}", view.shape, dtype)
    highest = config.largest_weight(dtype) if prefix in WEIGHTS else float(np.finfo(dtype).max)
    highest = LARGEST_MOMENT if prefix in WHITENING else highest
    _check_numbers(archive, prefix, params.flat, 0 if prefix in SQUARES else -highest, highest)
    return params


def _state(archive: Archive, prefix: str, config: ModelConfig, B: int, dtype: np.dtype[Any]) -> State:
    kinds = CELLS[config.cell].STATE
    return tuple(
        tuple(_part(archive, f"{prefix}.{kind}{number}", (config.hidden, B), dtype) for kind in kinds)
        for number in range(config.layers * config.networks)
    )


def _part(archive: Archive, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    array = archive.read(name, shape, dtype)
    _check_numbers(archive, name, array, -LARGEST_STATE, LARGEST_STATE)
    return array


def _known_shape(archive: Archive, corpus: CorpusInfo, count: Any) -> tuple[int]:
    """The shape of the hashes of so many training records, of which each has at least two characters."""
    if not (has_type(count, int) and corpus.parts and 0 < 2 * count < corpus.parts[0]):
        raise archive.fault(f"it remembers {short(count)} training records")
    return (count,)


def _known(archive: Archive, vocab: Vocab, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Hashes:
    if vocab.encode("\n", "skip")[0].tolist() != [start]:
        raise archive.fault("its lines are records, but do not begin with a newline")
    known = archive.read("known", shape, dtype)
    if not (known[1:] > known[:-1]).all():
        raise archive.fault("its hashes of training records are not sorted")
    return known


def _check_numbers(archive: Archive, name: str, array: Array, lowest: float, highest: float) -> None:
    if not np.isfinite(array).all():
        raise archive.fault(f"its {name} values are not all finite numbers")
    if array.min() < lowest or array.max() > highest:
        raise archive.fault(f"its {name} values are not all from {lowest:.3g} to {highest:.3g}")


__all__ = ["CheckpointError", "load", "load_model", "save"]
