"""The style of panels under cells is that of the side panel."""

from __future__ import annotations

import importlib.util

from ..live import ROOT


def test_panel_style_is_generated_from_side_panel_style() -> None:
    """After a change of either: `make panel-css`."""
    spec = importlib.util.spec_from_file_location(
        "panel_css", ROOT / "labextension" / "scripts" / "panel_css.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.MADE.read_text(encoding="utf-8") == script.made(), "run `make panel-css`"
    assert ".jp-pycaret-leaderboard td {" in script.made()
    assert "jp-pycaret-form__" not in script.made(), "what panels do not draw"
    # loaded after the side panel's style, it would else change the side panel
    heads = [head for head, _ in script.blocks(script.MADE.read_text(encoding="utf-8"))]
    assert heads.index(script.UNDER_CELLS) == len([one for one in heads if "@key" in one]) + 1
