"""Imports only go down: three floors, no cycles between modules or rooms, and no room knows what it should not."""

import ast
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.util import find_spec
from itertools import permutations, product
from pathlib import Path

import pytest

import charrnn

ROOT = Path(charrnn.__file__).parent
FLOORS = {
    "__init__": 0,
    "_version": 0,
    **dict.fromkeys(("text", "nn", "optim", "parallel", "files", "system", "prng", "checks", "errors"), 1),
    **dict.fromkeys(("training", "evaluation", "sampling", "checkpoint", "language_model"), 2),
    **dict.fromkeys(("cli", "__main__"), 3),
}


def walk(path):
    """The modules that a file imports, at whatever depth of the code; those of charrnn as paths within it."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            parts = (*base, *(node.module or "").split(".")) if node.module else base
            for alias in node.names:
                inside = ROOT.joinpath(*parts[1:], alias.name)
                is_module = parts[0] == "charrnn" and (inside.with_suffix(".py").exists() or inside.is_dir())
                yield ".".join((*parts, alias.name) if is_module else parts), alias.name


def module_name(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
IMPORTS = {name: set(walk(path)) for name, path in FILES.items() if name != "charrnn"}


def room(module):
    """The room of the house that a module is in: `cli`, `nn`, `training` ..."""
    return f"{module}.__init__".split(".")[1]


def floor(module):
    return FLOORS[room(module)]


def test_the_walk_sees_what_python_imports():
    seen = {module for imported in IMPORTS.values() for module, _ in imported}
    assert {"charrnn.nn.cells.gru", "charrnn.text.corpus", "charrnn.errors", "numpy", "click"} <= seen
    assert {module for module in seen if module.startswith("charrnn")} <= set(FILES)


def test_imports_only_go_down():
    up = [(a, b) for a, bs in IMPORTS.items() for b, _ in bs if b.startswith("charrnn") and floor(b) > floor(a)]
    assert not up


def test_nothing_is_taken_from_the_package_itself():
    assert not {what for bs in IMPORTS.values() for b, what in bs if b == "charrnn"}


def test_there_is_no_cycle():
    inner = {a: {b for b, _ in bs if b.startswith("charrnn.") and b != a} for a, bs in IMPORTS.items()}
    order = list(TopologicalSorter(inner).static_order())  # raises CycleError
    assert set(order) >= set(inner)


def rooms():
    """The arrows between rooms."""
    arrows = {(room(a), room(b)) for a, bs in IMPORTS.items() for b, _ in bs if b.startswith("charrnn.")}
    return {(a, b) for a, b in arrows if a != b}


def test_there_is_no_cycle_between_rooms():
    inner = {a: {b for c, b in rooms() if c == a} for a, _ in rooms()}
    assert list(TopologicalSorter(inner).static_order())  # raises CycleError


def test_text_files_and_networks_do_not_know_each_other():
    assert not rooms() & {
        *permutations(("text", "nn", "files"), 2),
        *product(("optim", "parallel", "nn"), ("text", "files")),
        *product(("text", "files"), ("optim", "parallel")),
    }


def test_every_folder_is_small_enough_to_look_over():
    for folder in {path.parent for path in FILES.values()} - {ROOT}:
        inside = [path for path in folder.iterdir() if path.name not in ("__init__.py", "__pycache__")]
        assert len(inside) <= 13, folder


def test_only_the_command_line_talks_to_people():
    for name, path in FILES.items():
        if floor(name) == 3:
            continue
        assert not {"click", "tqdm"} & {module.split(".")[0] for module, _ in IMPORTS.get(name, ())}, name
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        assert not [node for node in nodes if isinstance(node, ast.Name) and node.id == "print"], name
        streams = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr")]
        assert not streams, name


@pytest.mark.parametrize("folder", ["benchmarks", "fuzz", "docs"])
def test_scripts_import_only_what_exists(folder):
    """Their imports stand in functions, so that starting them would not tell."""
    for path in (ROOT.parent / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("charrnn"):
                module = import_module(node.module)
                for alias in node.names:
                    name = f"{node.module}.{alias.name}"
                    assert hasattr(module, alias.name) or find_spec(name), (path.name, name)
