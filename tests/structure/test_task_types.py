"""Tasks are named in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from jupyter_pycaret_ops.common.task_types import TASK_TYPES

from ..live import ROOT
from .test_structure import HOME, modules

DESCRIPTORS = HOME / "common" / "task_types.py"


def literals(file: Path) -> list[str]:
    """The texts in a Python file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_no_task_id_is_a_literal_in_python_outside_of_the_descriptors() -> None:
    found = [
        f"{file.relative_to(HOME)}: {text}"
        for _, file, _ in modules()
        if file != DESCRIPTORS
        for text in literals(file)
        if text in TASK_TYPES
    ]
    assert found == []


def test_no_task_id_is_a_literal_in_typescript() -> None:
    quoted = re.compile(rf"['\"`]({'|'.join(TASK_TYPES)})['\"`]")
    files = [
        *(ROOT / "labextension" / "src").rglob("*.ts*"),
        *(HOME / "notebook" / "static").glob("*.js"),
    ]
    assert len(files) > 50
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in files
        for match in quoted.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_search_finds_the_descriptors_themselves() -> None:
    assert set(TASK_TYPES) <= set(literals(DESCRIPTORS))


def test_each_task_has_its_module_in_the_engine() -> None:
    folder = HOME / "kernel" / "engine" / "tasks"
    missing = [task for task in TASK_TYPES if not (folder / f"{task}.py").is_file()]
    assert missing == []
