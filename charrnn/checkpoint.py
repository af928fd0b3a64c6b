"""A run as a file: saved whole, and read without trusting it.

Members: `last.NAME` and, once there was a validation, `best.NAME` for each parameter; `adam_m.NAME` and `adam_v.NAME`,
Adam's moments; `state.h0`, `state.h1` ..., the state carried from chunk to chunk; for a model of records `known`, the
hashes of its training records. All else is in `metadata.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from . import __version__
from .archive import Archive, write_archive
from .errors import CheckpointError, OptionError
from .language_model import LanguageModel
from .nn.cells import CELLS
from .nn.config import ModelConfig
from .nn.model import State
from .nn.params import Array, Params
from .run import CorpusRecord, Options, Progress, Run, Schedule
from .text.records import Hashes
from .text.vocab import Vocab

FORMAT = 2
LARGEST = 1 << 24  # no size in a checkpoint is larger than this

Record = TypeVar("Record")


def save(path: str | Path, run: Run) -> None:
    """Write a run to `path`, whole or not at all. Raises CheckpointError; whatever was there before then still is."""
    metadata = {
        "format": FORMAT,
        "program": f"charrnn {__version__}",
        "dtype": run.network.params.flat.dtype.name,
        "model": asdict(run.config),
        "vocabulary": {"of_bytes": run.vocab.of_bytes, "characters": run.vocab.characters},
        "start": run.start,
        "known": None if run.known is None else len(run.known),
        "options": asdict(run.options),
        "corpus": asdict(run.corpus),
        "schedule": asdict(run.schedule),
        "progress": asdict(run.progress),
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
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError, OptionError) as error:
            raise archive.fault(f"its metadata do not fit together ({error!r})") from None


def load_model(path: str | Path, weights: str | None = None) -> LanguageModel:
    """The model in a checkpoint, with its "best" weights by validation or its "last"; see `Run.model`."""
    return load(path).model(weights)


def _members(run: Run) -> Iterator[tuple[str, Array]]:
    for prefix, params in _groups(run).items():
        for name, view in params.items():
            yield f"{prefix}.{name}", view
    for number, layer in enumerate(run.state):
        for kind, part in zip(CELLS[run.config.cell].STATE, layer, strict=True):
            yield f"state.{kind}{number}", part
    if run.known is not None:
        yield "known", run.known


def _groups(run: Run) -> dict[str, Params]:
    groups = {"last": run.network.params, "adam_m": run.adam.m, "adam_v": run.adam.v}
    return groups if run.best is None else groups | {"best": run.best}


def _read(archive: Archive) -> Run:
    metadata = archive.metadata
    if not (_is(metadata.get("format"), int) and metadata["format"] == FORMAT):
        raise archive.fault(
            f"its format is {metadata.get('format')!r} and this charrnn reads format {FORMAT}; "
            "use the version that wrote it"
        )
    if metadata["dtype"] not in ("float32", "float64"):
        raise archive.fault(f"its dtype is {metadata['dtype']!r}")
    dtype = np.dtype(metadata["dtype"])
    vocab = _vocab(archive, metadata["vocabulary"])
    config = _record(archive, ModelConfig, metadata["model"])
    options = _record(archive, Options, metadata["options"])
    _check_sizes(archive, config, options, vocab)
    start, commands, elapsed = metadata["start"], metadata["commands"], metadata["clock"]["elapsed"]
    if not (_is(start, int) and 0 <= start < len(vocab)):
        raise archive.fault(f"its start character is {start!r}")
    init_from = metadata["init_from"]
    if not (_is(commands, tuple[str, ...]) and _is(elapsed, float) and elapsed >= 0 and _is(init_from, str | None)):
        raise archive.fault("its history is malformed")

    last = _params(archive, "last", config, dtype)
    state = _state(archive, config, options.batch_size, dtype)
    corpus = _record(archive, CorpusRecord, metadata["corpus"])
    run = Run(config, options, vocab, start, corpus, last, state)
    run.adam.m = _params(archive, "adam_m", config, dtype)
    run.adam.v = _params(archive, "adam_v", config, dtype)
    run.schedule = _record(archive, Schedule, metadata["schedule"])
    run.progress = _record(archive, Progress, metadata["progress"])
    if options.lines:
        run.known = _known(archive, run, metadata["known"])
    if run.progress.best_step is not None:
        run.best = _params(archive, "best", config, dtype)
    run.adam.updates = run.progress.step
    run.init_from, run.commands, run.elapsed = init_from, list(commands), float(elapsed)
    if archive.names() != {name for name, _ in _members(run)}:
        raise archive.fault("it holds arrays that do not belong to its model")
    return run


def _vocab(archive: Archive, value: Mapping[str, Any]) -> Vocab:
    if not (_is(value["of_bytes"], bool) and _is(value["characters"], str)):
        raise archive.fault("its vocabulary is malformed")
    vocab = Vocab(value["characters"], value["of_bytes"])
    if vocab.characters != value["characters"] or not len(vocab):
        raise archive.fault("its vocabulary is not sorted, or has a character twice, or none")
    return vocab


def _check_sizes(archive: Archive, config: ModelConfig, options: Options, vocab: Vocab) -> None:
    sizes = {
        "hidden": config.hidden,
        "layers": config.layers,
        "batch_size": options.batch_size,
        "seq_length": options.seq_length,
        "shards": options.shards,
    }
    for name, size in sizes.items():
        if not 1 <= size <= LARGEST:
            raise archive.fault(f"its {name} is {size}")
    if config.cell not in CELLS or config.vocab_size != len(vocab) or config.layers > len(archive.members):
        raise archive.fault("its model, vocabulary and arrays do not fit together")


def _params(archive: Archive, prefix: str, config: ModelConfig, dtype: np.dtype[Any]) -> Params:
    arrays = {name: archive.read(f"{prefix}.{name}", shape, dtype) for name, shape in config.shapes().items()}
    params = Params(config.shapes(), dtype)
    for name, array in arrays.items():
        params[name][...] = array
    if not np.isfinite(params.flat).all():
        raise archive.fault(f"its {prefix} values are not all finite numbers")
    return params


def _state(archive: Archive, config: ModelConfig, B: int, dtype: np.dtype[Any]) -> State:
    kinds = CELLS[config.cell].STATE
    return tuple(
        tuple(archive.read(f"state.{kind}{number}", (config.hidden, B), dtype) for kind in kinds)
        for number in range(config.layers)
    )


def _known(archive: Archive, run: Run, count: Any) -> Hashes:
    """The hashes of the training records, of which each has at least two characters."""
    if not (_is(count, int) and run.corpus.parts and 0 < 2 * count < run.corpus.parts[0]):
        raise archive.fault(f"it remembers {str(count)[:40]} training records")
    if run.vocab.encode("\n", "skip")[0].tolist() != [run.start]:
        raise archive.fault("its lines are records, but do not begin with a newline")
    known = archive.read("known", (count,), np.uint32)
    if not (known[1:] > known[:-1]).all():
        raise archive.fault("its hashes of training records are not sorted")
    return known


def _record(archive: Archive, kind: type[Record], value: Any) -> Record:
    """A dataclass from JSON, the type of every field checked; fields that an older version lacks take their default."""
    if not isinstance(value, dict):
        raise archive.fault(f"its {kind.__name__} metadata are no object")
    hints = get_type_hints(kind)
    known = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in value:
            if field.default is MISSING and field.default_factory is MISSING:
                raise archive.fault(f"its metadata lack {field.name}")
            continue
        if not _is(value[field.name], hints[field.name]):
            raise archive.fault(f"its {field.name} is {str(value[field.name])[:40]!r}")
        known[field.name] = _as(value[field.name], hints[field.name])
    return kind(**known)


def _is(value: Any, hint: Any) -> bool:
    """Is a JSON value of this type? Lists stand for tuples, whole numbers for floats, and no float is infinite."""
    if isinstance(hint, UnionType):
        return any(_is(value, option) for option in get_args(hint))
    if get_origin(hint) in (list, tuple):
        kinds = get_args(hint)
        if not isinstance(value, list):
            return False
        if len(kinds) == 1 or kinds[-1] is Ellipsis:
            return all(_is(item, kinds[0]) for item in value)
        return len(value) == len(kinds) and all(map(_is, value, kinds))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    return type(value) is hint


def _as(value: Any, hint: Any) -> Any:
    """A checked JSON value as the type says: lists that are tuples, whole numbers that are floats."""
    if isinstance(hint, UnionType):
        return _as(value, next(option for option in get_args(hint) if _is(value, option)))
    if get_origin(hint) is tuple:
        return tuple(value)
    if get_origin(hint) is list:
        return [_as(item, get_args(hint)[0]) for item in value]
    return float(value) if hint is float else value


__all__ = ["CheckpointError", "load", "load_model", "save"]
