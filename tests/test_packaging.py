"""What is installed is what is in the tree, and what is written about it is true."""

import ast
import re
import tomllib
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import synthvae

ROOT = Path(__file__).parent.parent
SOURCE_FOLDERS = ["synthvae", "cli", "tests", "benchmarks", "metadata_examples"]


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folders(pyproject: dict[str, Any]) -> dict[str, Path]:
    """Each listed package with the folder it is installed from."""
    mapping = pyproject["tool"]["setuptools"]["package-dir"]
    packages = pyproject["tool"]["setuptools"]["packages"]
    split = {name: name.partition(".") for name in packages}
    return {
        name: ROOT / mapping[top] / rest.replace(".", "/") for name, (top, _, rest) in split.items()
    }


def files_of(top: str) -> list[Path]:
    return [
        path
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


def imported(source: str) -> set[str]:
    """The top-level packages that a source names; relative imports name none."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_packages_list_equals_the_tree(folders: dict[str, Path]) -> None:
    with_code = {
        path.parent for top in ("synthvae", "cli") for path in files_of(top) if path.suffix == ".py"
    }
    assert sorted(folders.values()) == sorted(with_code)
    assert [folder for folder in with_code if not (folder / "__init__.py").is_file()] == []


def test_every_file_beside_the_code_is_shipped(
    pyproject: dict[str, Any], folders: dict[str, Path]
) -> None:
    shipped = pyproject["tool"]["setuptools"]["package-data"]
    names = {folder: name for name, folder in folders.items()}
    for path in files_of("synthvae") + files_of("cli"):
        if path.suffix != ".py":
            patterns = shipped.get("*", []) + shipped.get(names.get(path.parent, ""), [])
            assert any(fnmatch(path.name, pattern) for pattern in patterns), path.relative_to(ROOT)


def test_types_are_shipped(pyproject: dict[str, Any], folders: dict[str, Path]) -> None:
    assert "py.typed" in pyproject["tool"]["setuptools"]["package-data"]["*"]
    assert (folders["synthvae"] / "py.typed").is_file()
    assert (folders["synthvae_cli"] / "py.typed").is_file()


def test_the_script_points_at_a_file_that_is_installed(
    pyproject: dict[str, Any], folders: dict[str, Path]
) -> None:
    package, _, module = (
        pyproject["project"]["scripts"]["synthvae"].partition(":")[0].rpartition(".")
    )
    assert (folders[package] / f"{module}.py").is_file()


def test_imported_sees_absolute_imports_only() -> None:
    source = "import cli.app\nfrom synthvae_cli import fit\nfrom . import x\nfrom .cli import y\n"
    assert imported(source) == {"cli", "synthvae_cli"}


def test_no_source_names_the_command_line_package() -> None:
    sources = [path for top in SOURCE_FOLDERS for path in files_of(top) if path.suffix == ".py"]
    assert sources
    for path in sources:
        named = imported(path.read_text(encoding="utf-8"))
        assert not named & {"cli", "synthvae_cli"}, path.relative_to(ROOT)


def test_version_is_one(pyproject: dict[str, Any]) -> None:
    assert synthvae.__version__ == pyproject["project"]["version"]


def test_every_make_command_in_the_readme_is_a_target() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))
    code = re.findall(r"```.*?```|`[^`\n]+`", readme, re.DOTALL)
    lines = [line.split("#")[0] for block in code for line in block.splitlines()]
    commands = re.findall(r"\bmake((?: +[a-z][\w-]*)+)", "\n".join(lines))
    named = {word for command in commands for word in command.split()}
    assert {"demo", "test"} <= named, "the README shows how to run the demo and the tests"
    assert named <= targets


def test_constraints_pin_every_direct_dependency(pyproject: dict[str, Any]) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins: dict[str, str] = {}
    for line in lines:
        if not line.startswith("#"):
            pin = re.fullmatch(r"([\w.-]+)==([\w.]+)", line)  # so no URL, no path, no local tag
            assert pin, line
            pins[canonicalize_name(pin[1])] = pin[2]
    assert pins["torch"] == "2.13.0"
    project = pyproject["project"]
    for text in chain(project["dependencies"], *project["optional-dependencies"].values()):
        needed = Requirement(text)
        assert needed.specifier.contains(pins[canonicalize_name(needed.name)]), text
