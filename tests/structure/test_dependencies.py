"""What is imported is declared, and nothing that is declared may be a version with a known fault."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..live import ROOT
from .test_structure import HOME, PACKAGE

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: modules of extras: imported where a source or a file needs them
EXTRAS = {
    *("aiobotocore", "botocore", "imblearn", "lightgbm"),
    *("psycopg", "pyarrow", "python_calamine", "s3fs"),
}
#: below these there are published faults that reach this product
FIRST_GOOD = {
    "cryptography": "44.0.1",
    "jupyter-core": "5.8.1",
    "jupyter-server": "2.14.1",
    "jupyterlab": "4.2.5",
    "python-multipart": "0.0.18",
    "tornado": "6.5",
}


def requirements(*extras: str) -> dict[str, Requirement]:
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(made.name): made for made in map(Requirement, lines)}


def imported() -> dict[str, str]:
    """Top-level modules of others that the package imports, each with a file that does."""
    found: dict[str, str] = {}
    for file in HOME.rglob("*.py"):
        if "labextension" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], str(file.relative_to(HOME)))
    return {
        name: file
        for name, file in found.items()
        if name != PACKAGE and name not in sys.stdlib_module_names
    }


def test_every_imported_package_is_declared() -> None:
    brings = packages_distributions()
    for declared, names in (
        (requirements(), imported().keys() - EXTRAS),
        (requirements(*PROJECT["optional-dependencies"]), EXTRAS),
    ):
        for name in names:
            # a module that no installed package brings is told by its own name
            packages = {canonicalize_name(item) for item in brings.get(name, [name])}
            assert packages & declared.keys(), f"{name}, imported in {imported().get(name)}"


def test_lower_bounds_are_above_versions_with_known_faults() -> None:
    declared = requirements()
    for name, good in FIRST_GOOD.items():
        bounds = [item.version for item in declared[name].specifier if item.operator == ">="]
        assert bounds, name
        assert Version(bounds[0]) >= Version(good), name


def test_pins_are_within_the_declared_bounds_and_name_no_host() -> None:
    text = (ROOT / "requirements" / "constraints.txt").read_text()
    assert "://" not in text
    pins: dict[str, list[Version]] = {}
    for line in text.splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)==([^ ;]+)", line)
        if match:
            pins.setdefault(canonicalize_name(match[1]), []).append(Version(match[2]))
    for name, requirement in requirements(*PROJECT["optional-dependencies"]).items():
        if name == canonicalize_name(PROJECT["name"]):
            continue
        assert name in pins, name
        for pin in pins[name]:
            assert requirement.specifier.contains(pin, prereleases=True), (name, pin)
