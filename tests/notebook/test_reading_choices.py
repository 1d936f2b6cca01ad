"""Types and notices in the upload panel: what is chosen is what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.notebook.reading_choices import (
    ReadingChoices,
    note_list,
    notice_list,
    type_picker,
)
from jupyter_pycaret_ops.notebook.upload_panel import UploadPanel

from ..live import LiveServer, until

LEAK = {
    "code": "leak_suspect",
    "column": "fee",
    "message": "“fee” predicts “left” almost alone.",
    "setup_params": {"ignore_features": ["fee"]},
}
CASE = {
    "code": "labels_differ_by_case",
    "column": "left",
    "message": "“Yes” and “yes” differ.",
    "setup_params": {"merge_levels": True},
}


def test_choices_become_setup_params_and_can_be_taken_back() -> None:
    choices = ReadingChoices()
    notices: list[dict[str, Any]] = [
        LEAK,
        LEAK | {"column": "tax", "setup_params": {"ignore_features": ["tax"]}},
        CASE,
    ]
    assert choices.setup_params(notices) == {}
    for notice in notices:
        choices.toggle(notice)
    choices.set_type("age", "category", "number")
    choices.set_type("fee", "category", "number")
    assert choices.setup_params(notices) == {
        "ignore_features": ["fee", "tax"],
        "merge_levels": True,
        "column_types": {"age": "category"},
    }
    choices.toggle(LEAK)
    choices.set_type("age", "number", "number")
    assert choices.setup_params(notices) == {
        "ignore_features": ["tax"],
        "merge_levels": True,
        "column_types": {"fee": "category"},
    }


def test_pickers_and_notices_are_named_and_escaped() -> None:
    html = type_picker('a"<b>', 3, "number", "category")
    assert 'aria-label="Type of a&quot;&lt;b&gt;"' in html
    assert '<option value="category" selected>' in html
    assert "was number" in html
    assert "was" not in type_picker("a", 0, "constant", "constant")
    choices = ReadingChoices()
    shown = notice_list([LEAK, CASE], choices, live=True)
    assert 'aria-label="Leave out fee"' in shown
    assert "Treat as one" in shown
    choices.toggle(LEAK)
    assert 'aria-label="Undo Leave out fee"' in notice_list([LEAK], choices, live=True)
    assert "<button" not in notice_list([LEAK], choices, live=False)
    assert note_list([]) == ""
    assert "2 notes" in note_list([{"message": "<a>"}, {"message": "b"}])
    assert "<a>" not in note_list([{"message": "<a>"}])


@pytest.fixture
def client(server: LiveServer) -> Iterator[Client]:
    with Client(server.url, server.token) as made:
        yield made


def test_upload_panel_shows_types_and_notices_and_trains_by_them(client: Client) -> None:
    panel = UploadPanel(client)
    rows = [f"{n % 7};{90 if n % 3 else 0};{n % 23};{'yes' if n % 3 else 'no'}" for n in range(90)]
    rows[1] = rows[1].replace("yes", "Yes")
    content = "\n".join(["code;fee;age;left", *rows]).encode()
    fields = {"name": "subscribers.csv", "start": 0, "total": len(content)}
    panel.handle_message(
        {"do": "piece", "fields": fields, "panel": panel.id}, [memoryview(content)]
    )
    assert panel.error_message is None
    until(lambda: "Leave out fee" in panel.view.html, "the profile's notices", 120)

    def press(action: str, **sent: str) -> str:
        panel.handle_message({"do": action, "fields": sent, "panel": panel.id}, [])
        assert panel.error_message is None
        return panel.view.html

    assert "was number" in press("type:0", **{"type 0": "category"})
    places = {item["code"]: place for place, item in enumerate(panel._notices)}
    press(f"notice:{places['leak_suspect']}")
    html = press(f"notice:{places['labels_differ_by_case']}")
    assert "Undo Leave out fee" in html
    press("start", target="left")
    assert panel.run is not None
    run = client.runs.get(panel.run.run.id)
    client.runs.cancel(run["id"])
    assert run["snapshot"]["setup_params"] == {
        "ignore_features": ["fee"],
        "merge_levels": True,
        "column_types": {"code": "category"},
    }
    panel.close()
