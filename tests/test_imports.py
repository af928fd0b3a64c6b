"""Imports only go down: three floors, no cycles, and no floor knows what it should not."""

import ast
from graphlib import TopologicalSorter
from itertools import permutations
from pathlib import Path

import charrnn

ROOT = Path(charrnn.__file__).parent
GROUND = ("text", "nn", "files", "machine", "keyed", "errors")
FLOORS = {"__init__": 0, "cli": 3, "__main__": 3} | dict.fromkeys(GROUND, 1)  # all others: 2


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
    return FLOORS.get(room(module), 2)


def test_the_walk_sees_what_python_imports():
    seen = {module for imported in IMPORTS.values() for module, _ in imported}
    assert {"charrnn.nn.cells.gru", "charrnn.text.corpus", "charrnn.errors", "numpy", "click"} <= seen
    assert {module for module in seen if module.startswith("charrnn")} <= set(FILES)


def test_imports_only_go_down():
    up = [(a, b) for a, bs in IMPORTS.items() for b, _ in bs if b.startswith("charrnn") and floor(b) > floor(a)]
    assert not up


def test_only_the_version_is_taken_from_the_package():
    assert {what for bs in IMPORTS.values() for b, what in bs if b == "charrnn"} <= {"__version__"}


def test_there_is_no_cycle():
    inner = {a: {b for b, _ in bs if b.startswith("charrnn.") and b != a} for a, bs in IMPORTS.items()}
    order = list(TopologicalSorter(inner).static_order())  # raises CycleError
    assert set(order) >= set(inner)


def test_text_nn_and_files_do_not_know_each_other():
    rooms = {(room(a), room(b)) for a, bs in IMPORTS.items() for b, _ in bs if b.startswith("charrnn.")}
    assert not rooms & set(permutations(("text", "nn", "files"), 2))


def test_only_the_command_line_talks_to_people():
    for name, path in FILES.items():
        if floor(name) == 3:
            continue
        assert not {"click", "tqdm"} & {module.split(".")[0] for module, _ in IMPORTS.get(name, ())}, name
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        assert not [node for node in nodes if isinstance(node, ast.Name) and node.id == "print"], name
        streams = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr")]
        assert not streams, name
