"""The import rules of docs/design.md, held by an AST walk over every module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "lingsou"
LAYERS = [
    ["core"],
    ["text", "catalog", "demo", "events", "evaluation"],
    ["encoders", "models", "features", "quality", "graph", "rules"],
    ["query", "retrieval", "ranking", "recommend", "ads", "reviews"],
    ["pipeline", "assist", "training"],
    ["serving", "client", "console", "cli", "testing"],
]
LAYER_OF = {package: number for number, layer in enumerate(LAYERS) for package in layer}
ORDER = [package for layer in LAYERS for package in layer]
SIBLINGS_APART = set(LAYERS[3])
ONLINE = {*(p for layer in LAYERS[:4] for p in layer), "pipeline", "assist", "serving"}
HEAVY = {"torch", "transformers", "peft", "sentence_transformers", "optuna", "ray", "psycopg", "PIL", "redis"}
NEURAL = SOURCE / "training" / "neural"
BAD_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
PICKLES = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
MODULES = sorted(SOURCE.rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_module_keeps_the_rules(path: Path) -> None:
    own, tree = package_of(path), parse(path)
    if own:
        assert own in LAYER_OF, f"package {own} has no layer in docs/design.md"
    for name in imports(tree):
        top, *rest = name.split(".")
        assert top not in PICKLES, f"no pickle: {name}"
        if top != "lingsou" or not rest or not own:
            continue
        other = rest[0]
        if other == own or other not in LAYER_OF:
            continue
        assert ORDER.index(other) < ORDER.index(own), f"{own} may not import {other}: it stands below it"
        assert not ({own, other} <= SIBLINGS_APART), f"L3 siblings never import each other: {own} → {other}"
        assert own != "client" or other == "core", "the client stands alone: it imports core only"
        assert not (own in ONLINE and other == "training"), f"{own} is online and may not import training"
    assert not BAD_NAMES & {part.removesuffix(".py") for part in path.relative_to(SOURCE).parts}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "split this module"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_heavy_packages_are_imported_only_where_they_are_needed(path: Path) -> None:
    """Inside functions; and `training.neural`, which needs PyTorch in every line, only from inside functions too."""
    if path.is_relative_to(NEURAL):
        return
    for node in parse(path).body:
        names = set() if isinstance(node, ast.FunctionDef | ast.ClassDef) else set(imports(node))
        assert not HEAVY & {name.split(".")[0] for name in names}
        assert not [name for name in names if name.startswith("lingsou.training.neural")]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if package_of(p) != "cli"], ids=lambda p: str(p.relative_to(SOURCE))
)
def test_nothing_prints_outside_cli(path: Path) -> None:
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    assert not [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
