"""Imports between modules of ganface go one way, and not in a circle.

All count: those inside functions, and those for types alone.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import ganface

ROOT = Path(ganface.__file__).parent
# From the top down; a room may import from its own level and from those below
LEVELS = (
    "__main__",
    "cli",
    "lecture search page",
    "evaluation training",
    "methods",
    "models losses latents dataset pictures",
    "config io system",
    "errors",
    "",  # ganface itself: the version
)
LEVEL = {room: number for number, rooms in enumerate(LEVELS) for room in rooms.split(" ")}


def modules():
    """Every module by its name below ganface, and what it holds."""
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), ast.parse(path.read_text())


def imported(tree, names):
    """The modules of ganface that this one imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out from ganface on"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [each if each[8:] in names else node.module for each in whole]
        else:
            continue
        for target in targets:
            if target.split(".")[0] == "ganface":
                yield target[8:]


def graph():
    trees = dict(modules())
    return {name: {*imported(tree, trees)} for name, tree in trees.items()}


def test_no_module_imports_itself_by_way_of_others():
    TopologicalSorter(graph()).prepare()  # raises CycleError, which names the circle


def test_no_module_imports_from_a_room_above():
    upward = {
        (name, target)
        for name, targets in graph().items()
        for target in targets
        if LEVEL[target.split(".")[0]] < LEVEL[name.split(".")[0]]
    }
    assert not upward
