"""Examine an uploaded workbook in a process of its own: its memory is limited, and what it breaks is not the server."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...common.errors import Invalid, Unavailable
from ...common.tables import workbook
from ...common.tables.sample_types import typed_columns
from ..files.file_store import FileStore

#: seconds for one workbook
WITHIN_S = 120.0
#: address space of the process, in bytes
MEMORY_BYTES = 4 << 30
TOO_LARGE = (
    "The workbook is too large to be read here. Save the table as CSV or Parquet, then upload it."
)


def examine(files: FileStore, storage_key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `rows`, `columns`, `dialect`, `reported` and `dialect_fields` of a stored workbook; blocks.

    Raises
    ------
    Invalid
        When it has no table, or is too large.
    Unavailable
        When it takes too long.
    """
    fields = workbook.check_fields(given)
    path = files.local_path(storage_key)
    if path is not None:
        found = _ask(path, fields)
    else:
        with tempfile.TemporaryDirectory(prefix="pco-workbook-") as folder:
            path = Path(folder) / "book"
            files.fetch(storage_key, path)
            found = _ask(path, fields)
    facts = workbook.SheetFacts(**found)
    return {
        "rows": facts.rows,
        "columns": typed_columns(facts.names, workbook.texts_of(facts.examined)),
        "encoding": None,
        "delimiter": None,
        "dialect": facts.dialect(),
        "reported": facts.notices,
        "dialect_fields": fields,
    }


def _ask(path: Path, fields: Mapping[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", workbook.__name__, str(path), json.dumps(fields)]
    try:
        done = subprocess.run(  # noqa: S603  # this interpreter, without a shell
            [*command, str(MEMORY_BYTES)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"The workbook was not read within {WITHIN_S:g} s. Save the table as CSV, or try again.",
            retry_after_s=60,
        ) from None
    if done.returncode != 0 or not done.stdout:
        raise Invalid(TOO_LARGE)
    found: dict[str, Any] = json.loads(done.stdout)
    if "error" in found:
        raise Invalid(found["error"], errors=found.get("errors"))
    return found
