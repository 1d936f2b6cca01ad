"""What becomes of the parameters of PyCaret 3's `setup()`; `pycaret3_setup.json` has each with the reason."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypedDict


class SetupParameter(TypedDict):
    """What becomes of a parameter: it "works", is "not needed" or "refused", and why."""

    state: str
    note: str


@cache
def setup_parameters() -> dict[str, SetupParameter]:
    """Return the parameters of PyCaret 3.3.2, of classification and regression, in the order of its signature."""
    content = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    found: dict[str, SetupParameter] = json.loads(content)["parameters"]
    return found


def why_not(name: str) -> str:
    """Return why a parameter of PyCaret 3 is not taken, as the end of a message; empty for other names."""
    found = setup_parameters().get(name)
    if found is None or found["state"] == "works":
        return ""
    note = found["note"]
    return f" It is not needed: {note}." if found["state"] == "not needed" else f" Why: {note}."
