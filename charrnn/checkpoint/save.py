"""Writing a run to a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from .._version import __version__
from ..checks import file_name, instance
from ..files.archive import write_archive
from ..nn.model import State
from ..nn.params import Array, Params
from ..training.run import Run, Snapshot
from .format import FORMAT, GROUPS, SNAPSHOT_PARAMS, SNAPSHOT_STATE, TRAINING_HASHES


def save(path: str | Path, run: Run) -> None:
    """Write a run to `path`, completely or not at all.

        >>> charrnn.save("copy.npz", run)

    Raises CheckpointError if that fails; a file that was there before is then still there, unchanged.
    """
    file_name("path", path)
    instance("run", run, Run, "a Run, which new_run and load return")
    snapshot = _snapshot(run)
    metadata = {
        "format": FORMAT,
        "program": f"charrnn {__version__}",
        "dtype": run.network.params.flat.dtype.name,
        "model": asdict(run.config),
        "vocabulary": {"of_bytes": run.vocab.of_bytes, "characters": run.vocab.characters},
        "bos_id": run.bos_id,
        TRAINING_HASHES: None if run.training_hashes is None else len(run.training_hashes),
        "options": asdict(run.options),
        "corpus": asdict(run.corpus),
        "schedule": asdict(run.schedule),
        "progress": asdict(run.progress),
        "snapshot_step": snapshot.step if snapshot else None,
        "init_from": run.init_from,
        "commands": run.commands,
        "clock": {"elapsed": run.elapsed},
    }
    write_archive(Path(path), dict(_arrays(run, snapshot)), metadata)


def _snapshot(run: Run) -> Snapshot | None:
    """The state to roll back to, if that is not the present one and the run may still need it."""
    return run.snapshot if run.snapshot and run.snapshot.step != run.progress.step and not run.finished else None


def _arrays(run: Run, snapshot: Snapshot | None) -> Iterator[tuple[str, Array]]:
    """Every array of the file, by name, in the order of GROUPS."""
    groups: dict[str, Params | State] = {
        "raw": run.network.params,
        "average": run.adam.average,
        "adam_m": run.adam.m,
        "adam_v": run.adam.v,
        "whitening": run.whitening.moments,
        "state": run.state,
    }
    if run.best is not None:
        groups["best"] = run.best
    if snapshot is not None:
        groups |= zip(SNAPSHOT_PARAMS, snapshot.arrays, strict=True)
        groups[SNAPSHOT_STATE] = snapshot.state
    for group in GROUPS:
        value = groups.get(group.name)
        if isinstance(value, Params):
            for name, view in value.items():
                yield f"{group.name}.{name}", view
        elif value is not None:
            names = group.shapes(run.config, run.options.batch_size)
            yield from zip(names, chain.from_iterable(value), strict=True)
    if run.training_hashes is not None:
        yield TRAINING_HASHES, run.training_hashes
