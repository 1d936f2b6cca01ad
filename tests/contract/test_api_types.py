"""The types of the API in the panel and in the client are those of the OpenAPI document."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from jupyter_pycaret_ops.server.api.openapi import document

from ..live import ROOT
from .client_types import generate

PANEL = ROOT / "labextension"


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not on the PATH")
@pytest.mark.skipif(
    not (PANEL / "node_modules" / "openapi-typescript").is_dir(),
    reason="what the panel is built with is not there: run `make install`",
)
def test_the_types_of_the_panel_are_made_from_the_document() -> None:
    made = subprocess.run(
        ["node", "scripts/apiTypes.mjs"],
        cwd=PANEL,
        input=json.dumps(document()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    kept = (PANEL / "src" / "api" / "schema.ts").read_text(encoding="utf-8")
    assert made.stdout == kept, "the types are old: run `make api-types`"


def test_types_of_the_client_are_generated_from_the_document() -> None:
    stored = (ROOT / "jupyter_pycaret_ops/client/api_types.py").read_text(encoding="utf-8")
    assert generate() == stored, "the types are old: run `make api-types`"
