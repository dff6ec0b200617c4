"""What holds the house up: layers, light imports, safe loading, and a project that speaks of itself alone."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "graphs", "nodes", "tools", "flags", "evals")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_the_packages_at_the_top_are_the_six() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found - {"tests"} == set(PACKAGES)


def test_arrows_point_down() -> None:
    found = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-3000:]


@pytest.mark.parametrize(
    "heavy", ["torch", "transformers", "langchain_openai", "openai", "pymilvus", "neo4j", "pypdf", "docx", "alembic"]
)
def test_the_app_is_imported_without_heavy_libraries(heavy: str, loaded: set[str]) -> None:
    assert heavy not in loaded


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    code = "import app.main, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return set(found.stdout.split())


@pytest.mark.parametrize(
    "call", ["pickle.load", "pickle.loads", "yaml.load", "joblib.load", "torch.load", "eval", "exec"]
)
def test_nothing_is_read_by_a_loader_that_runs_what_it_reads(call: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == call and "SafeLoader" not in ast.unparse(node)
    ]
    assert not found


def test_no_file_grows_past_four_hundred_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := p.read_text("utf-8").count("\n")) > 400}
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.read_text("utf-8").strip() and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def test_the_project_speaks_of_itself_alone() -> None:
    elsewhere = re.compile(r"(?<![\w.])/(?:work|farm)/[a-z.]|(?<![\w.])/tmp/w/|\bissues? #?\d+\b", re.IGNORECASE)
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    vendored = ("app/page/vendor/", "tests/architecture/")
    found = [
        name for name in tracked if name and not name.startswith(vendored) and elsewhere.search(text_of(ROOT / name))
    ]
    assert not found


def text_of(path: Path) -> str:
    """A file's text; nothing of one that is not text, or is gone."""
    try:
        return path.read_text("utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""
