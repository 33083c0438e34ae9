"""Imports run downward only: the rules of docs/architecture.md, held by reading every file."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[1]
HOSTS = ("napari_sam2v", "cvat_serverless")
RECIPE = "training_recipe"
SOURCES = sorted(p for top in ("src_model", *HOSTS, RECIPE) for p in (REPOSITORY / top).rglob("*.py"))

BELOW_TRACKING = {
    "errors", "files", "folders", "lazy", "frames", "masks", "prompts", "nn", "memory", "weights",
    "document",
}  # fmt: skip
MAY_IMPORT = {
    "errors": set(),
    "files": set(),
    "folders": set(),
    "lazy": set(),
    "data": set(),
    "nn": {"errors"},
    "prompts": {"errors", "masks"},
    "masks": {"errors"},
    "frames": {"errors"},
    "weights": {"errors", "files", "lazy", "nn"},
    "memory": {"errors", "masks", "nn"},
    "tracking": BELOW_TRACKING,
    "detection": BELOW_TRACKING | {"tracking"},
    "document": {"errors", "files", "lazy", "masks", "prompts", "frames"},
    "measures": {"errors", "masks", "frames", "document"},
    "formats": {"errors", "files", "masks", "prompts", "frames", "document", "measures"},
    "simulation": {"lazy"},
    "datasets": {"errors", "files", "masks", "frames", "document", "formats"},
    "evaluation": BELOW_TRACKING | {"tracking", "data", "datasets", "formats", "simulation"},
    "training": BELOW_TRACKING | {"tracking", "evaluation", "datasets"},
    "workflow": BELOW_TRACKING | {"measures", "tracking", "detection"},
    "cli": BELOW_TRACKING
    | {"tracking", "detection", "evaluation", "training", "data", "datasets", "simulation", "document", "formats"}
    | {"workflow"},
}
"""For each part of src_model, the other parts it may import."""

WITHOUT_TORCH = (
    "errors",
    "files",
    "lazy",
    "data",
    "masks",
    "frames",
    "document",
    "measures",
    "formats",
    "datasets",
    "simulation",
)
HOST_PACKAGES = {"napari", "npe2", "magicgui", "superqt", "qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6", "vispy"}
HOST_PACKAGES |= {"pyqtgraph", "cvat_sdk", "cvat_cli", "nuclio_sdk", *HOSTS}


@cache
def imported_modules(path: Path) -> tuple[str, ...]:
    """Dotted names of all modules a file imports, inside functions and under TYPE_CHECKING too."""
    return tuple(_imported_modules(path))


def _imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module
            # `from src_model import tracking` imports a part as much as `import src_model.tracking` does
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str | None:
    """The part of src_model that a dotted name leads to, such as "masks"; None for names in no part."""
    top, _, rest = module.partition(".")
    part = rest.partition(".")[0]
    return part if top == "src_model" and part in MAY_IMPORT else None


def files_in(part: str) -> list[Path]:
    folder = REPOSITORY / "src_model" / part
    return [*folder.rglob("*.py"), *REPOSITORY.glob(f"src_model/{part}.py")]


def third_party(path: Path) -> set[str]:
    tops = {module.partition(".")[0] for module in imported_modules(path)}
    return tops - set(sys.stdlib_module_names) - {"src_model"}


def described(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_every_part_of_src_model_has_its_place_in_the_rules():
    found = {path.stem for path in (REPOSITORY / "src_model").iterdir() if not path.name.startswith(("_", "py.typed"))}
    assert found <= set(MAY_IMPORT), f"enter the new part in docs/architecture.md and here: {found - set(MAY_IMPORT)}"


def test_the_rules_themselves_have_no_circle():
    done: set[str] = set()
    while open_parts := set(MAY_IMPORT) - done:
        ready = {part for part in open_parts if MAY_IMPORT[part] <= done}
        assert ready, f"these parts may import each other: {open_parts}"
        done |= ready


def test_the_document_names_every_part():
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    missing = [
        part for part in MAY_IMPORT if f"`src_model/{part}/`" not in text and f"`src_model/{part}.py`" not in text
    ]
    assert missing == []


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_between_parts_run_downward(part):
    wrong = [
        f"{described(path)} imports {module}"
        for path in files_in(part)
        for module in imported_modules(path)
        if (target := part_of(module)) not in {None, part} and target not in MAY_IMPORT[part]
    ]
    assert wrong == []


def test_the_network_imports_torch_alone():
    wrong = {described(path): extra for path in files_in("nn") if (extra := third_party(path) - {"torch"})}
    assert wrong == {}


@pytest.mark.parametrize("part", WITHOUT_TORCH)
def test_parts_that_work_without_torch_never_name_it(part):
    wrong = [described(path) for path in files_in(part) if "torch" in third_party(path)]
    assert wrong == []


@pytest.mark.parametrize("top", ["src_model", RECIPE])
def test_model_and_recipe_know_no_host(top):
    wrong = {
        described(path): found
        for path in SOURCES
        if path.is_relative_to(REPOSITORY / top)
        if (found := third_party(path) & HOST_PACKAGES)
    }
    assert wrong == {}


@pytest.mark.parametrize(("host", "other"), [HOSTS, HOSTS[::-1]])
def test_hosts_know_neither_each_other_nor_the_command(host, other):
    wrong = [
        f"{described(path)} imports {module}"
        for path in sorted((REPOSITORY / host).rglob("*.py"))
        for module in imported_modules(path)
        if module.partition(".")[0] == other or part_of(module) == "cli"
    ]
    assert wrong == []


def test_nothing_that_is_installed_knows_the_recipe():
    wrong = [
        f"{described(path)} imports {module}"
        for path in SOURCES
        if not path.is_relative_to(REPOSITORY / RECIPE)
        for module in imported_modules(path)
        if module.partition(".")[0] == RECIPE
    ]
    assert wrong == []


def test_every_folder_with_modules_is_a_package_so_that_it_is_installed():
    folders = {path.parent for path in SOURCES}
    assert [described(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_these_parts_load_where_torch_is_missing():
    """Each on its own: nothing of the package is loaded when its turn comes."""
    program = (
        "import sys, importlib; sys.modules['torch'] = None\n"
        f"for part in {WITHOUT_TORCH}:\n"
        "    for name in [name for name in sys.modules if name.startswith('src_model')]: del sys.modules[name]\n"
        "    importlib.import_module('src_model.' + part)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
