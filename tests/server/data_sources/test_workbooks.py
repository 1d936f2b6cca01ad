"""A workbook all the way: uploaded, previewed, profiled, trained on, deployed and predicted."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

import requests

from jupyter_pycaret_ops import Client

from ...fakes.workbooks import workbook
from ...live import LiveServer


def book() -> bytes:
    rows = [
        [
            f"00{n % 9}",
            date(2026, 1, 1) + timedelta(days=n),
            2.5 * (n % 7),
            n % 5,
            "yes" if n % 9 > 5 else "no",
        ]
        for n in range(90)
    ]
    head = ["code", "day", "price", "pieces", "late"]
    return workbook(Orders=[["Orders of 2026"], [], head, *rows])


def test_workbook_is_read_trained_on_and_served_with_its_own_types(server: LiveServer) -> None:
    name = f"orders {secrets.token_hex(4)}"
    with Client(server.url, server.token) as ops:
        workspace = ops.workspaces.list()[0]["id"]
        source = ops.data_sources.upload(workspace, book(), name, filename="orders.xlsx")
        assert (source["kind"], source["config"]["rows"]) == ("excel_upload", 90)
        preview: Any = ops.data_sources.preview(source["id"], rows=2, target="late")
        assert preview["rows"][0] == {
            "code": "000",
            "day": "2026-01-01",
            "price": 0,
            "pieces": 0,
            "late": "no",
        }
        assert preview["suggestion"]["task"] == "classification"
        profile = ops.data_sources.profile(source["id"], target="late")
        types = {column["name"]: column["type"] for column in profile["columns"]}
        assert types == {
            "code": "category",
            "day": "date",
            "price": "number",
            "pieces": "number",
            "late": "boolean",
        }
    run = server.submit(
        server.experiment(target="late"),
        plan="create",
        model_id="dt",
        data_source_id=source["id"],
        setup_params={"fold": 3, "session_id": 1},
    )
    row = server.ended(run["id"])
    assert row["status"] == "succeeded", row["error"]
    assert {name: found["type"] for name, found in row["snapshot"]["reading"].items()} == types
    notebook = requests.get(
        f"{server.api}/runs/{run['id']}/notebook", headers=server.http.headers, timeout=60
    )
    assert "pd.read_excel(" in notebook.text
    slug = f"orders-{secrets.token_hex(4)}"
    pipeline = server.post(f"/runs/{run['id']}/promote", {"name": slug})
    server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": slug})
    rows = [
        {"code": "006", "day": "2026-02-01", "price": 2.5, "pieces": 1, "late": "no"},
        server.get(f"/deployments/{slug}/schema")["example"],
    ]
    answer = server.post(f"/deployments/{slug}/predict", {"rows": rows}, 200)
    assert {item["prediction"] for item in answer["predictions"]} <= {"yes", "no"}
