"""The shape of the source: imports point one way, modules are small, torch is loaded late or not at all."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "instar"
HEAVY = ("torch", "torchvision", "timm", "transformers", "accelerate", "sklearn")
TORCH_FREE = ("audit", "charts", "cli", "data", "deck", "evaluate", "plan")
TORCH_FREE_MODULES = ("errors", "progress", "records", "store")
NEEDS_TORCH = ("instar.evaluate.predict", "instar.plan.measure")
LONGEST_MODULE = 250


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    """Check the package below `source` against the contract of this repository."""
    code = f"import os, sys; os.chdir({str(source)!r})\n"
    code += "from importlinter.cli import lint_imports\n"
    code += f"sys.exit(lint_imports({str(ROOT / 'pyproject.toml')!r}, no_cache=True, no_logo=True))"
    return run(code)


def test_imports_point_one_way() -> None:
    result = lint_imports(PACKAGE.parent)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "text", "kept"),
    [
        ("cli", "from instar import records", True),
        ("records", "from instar import cli", False),
        ("records", "def late() -> None:\n    from instar import cli", False),
        ("stray", "", False),
    ],
)
def test_the_contract_notices(tmp_path: Path, module: str, text: str, kept: bool) -> None:
    package = tmp_path / "instar"
    package.mkdir()
    for name in ("__init__", "cli", "records", "compat"):
        (package / f"{name}.py").write_text("")
    (package / f"{module}.py").write_text(text)
    assert (lint_imports(tmp_path).returncode == 0) is kept


def test_every_folder_of_code_is_a_package() -> None:
    """import-linter does not see a folder without ``__init__.py``."""
    assert [path for path in modules() if not (path.parent / "__init__.py").exists()] == []


def test_no_module_is_two_ideas() -> None:
    lengths = {dotted(path): len(path.read_text().splitlines()) for path in modules()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_the_command_line_starts_without_torch() -> None:
    code = f"""
import sys
from instar.cli import main
sys.argv = ["instar", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
loaded = [name for name in {HEAVY} if name in sys.modules]
assert not loaded, loaded
"""
    result = run(code)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_what_needs_no_torch_does_not_load_it() -> None:
    names = [
        dotted(path)
        for path in modules()
        if path.relative_to(PACKAGE).parts[0] in TORCH_FREE or path.stem in TORCH_FREE_MODULES
    ]
    names = [name for name in names if name not in NEEDS_TORCH]
    code = f"""
import importlib, sys
for name in {names}:
    importlib.import_module(name)
    assert "torch" not in sys.modules, name + " loads torch"
"""
    result = run(code)
    assert result.returncode == 0, result.stderr


def imported(path: Path) -> set[str]:
    """The outermost names of all that the module imports, late imports included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def normal(name: str) -> str:
    """The name of a distribution in its normal form (specification "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_is_imported_is_declared() -> None:
    """What another package happens to bring along is gone when that one changes its mind."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    declared = {normal(re.split(r"[<>=!~;\[ ]", line)[0]) for line in asked}
    distributions = packages_distributions()
    undeclared = {
        f"{dotted(path)} imports {name}"
        for path in modules()
        for name in imported(path) - sys.stdlib_module_names - {"instar"}
        if not declared & {normal(distribution) for distribution in distributions.get(name, [])}
    }
    assert undeclared == set()


def test_versions_agree() -> None:
    import instar

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == instar.__version__


def test_decision_records_are_numbered_in_a_row() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{i:04}" for i in range(1, len(records) + 1)]
    assert [
        path.name for path in records if not path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} ")
    ] == []
