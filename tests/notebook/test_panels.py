"""Panels with a real server, rendered without a browser."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.common.errors import Unauthenticated
from jupyter_pycaret_ops.common.protocol import API_PREFIX
from jupyter_pycaret_ops.notebook.dashboard_panel import Dashboard, DeploymentsPanel
from jupyter_pycaret_ops.notebook.deploy_panel import DeployPanel
from jupyter_pycaret_ops.notebook.panel import Panel
from jupyter_pycaret_ops.notebook.run import Run
from jupyter_pycaret_ops.notebook.run_panel import RunPanel
from jupyter_pycaret_ops.notebook.serving import Deployment, Pipeline
from jupyter_pycaret_ops.notebook.upload_panel import UploadPanel

from ..client.relay import Relay
from ..live import LiveServer, until


@pytest.fixture(scope="module")
def deployed(server: LiveServer) -> Callable[[str], Any]:
    """Create a deployment with the given access, of a pipeline that all tests share."""
    pipeline = server.deploy_iris(f"shared-{secrets.token_hex(4)}")["pipeline_id"]

    def deploy(access: str) -> Any:
        body = {"endpoint_slug": f"panel-{secrets.token_hex(4)}", "auth_mode": access}
        return server.post(f"/pipelines/{pipeline}/deployments", body)

    return deploy


def submitted(server: LiveServer, *models: str, **more: Any) -> str:
    run = server.submit(
        server.experiment(setup_params={"fold": 5, "session_id": 1}),
        plan="compare",
        plan_params={"include": [*models]},
        sklearn_dataset="wine",
        **more,
    )
    return str(run["id"])


def test_run_panel_reports_lost_connection_and_recovers(server: LiveServer, relay: Relay) -> None:
    with Client(f"http://127.0.0.1:{relay.port}{API_PREFIX}", server.token) as client:
        run_id = submitted(server, "rf", "et", "gbc", "lr")
        panel = RunPanel(Run(client, client.runs.get(run_id)))
        panel.start()
        server.saw(run_id, "model.scored")
        relay.cut()
        until(lambda: "Connection lost since" in panel.render(live=True), "the notice")
        assert "disabled" in panel.render(live=True), "buttons that need the server"
        relay.is_up = True
        until(lambda: "Succeeded" in panel.render(live=True), "the end", 120)
        # the run is read again after its last event
        said = " is clearly better than always answering "
        until(lambda: said in panel.render(live=True), "the headline")
    html = panel.render(live=True)
    assert "Connection lost" not in html
    assert html.count("jp-pycaret-leaderboard__model") == 5, "four models, and the baseline"
    assert html.count("jp-pycaret-leaderboard__row--baseline") == 1
    assert 'data-do="promote"' in html
    assert "<button" not in panel.render(live=False)


def test_run_panel_shows_error_of_failed_run(client: Client, server: LiveServer) -> None:
    run = server.submit(
        server.experiment(target="b"),
        plan="compare",
        data_inline=[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    )
    row = server.ended(run["id"])
    assert row["status"] == "failed"
    panel = RunPanel(Run(client, client.runs.get(run["id"])))
    panel.start()
    assert row["error"][:20] in panel.render(live=False)


def test_upload_panel_receives_file_in_chunks(client: Client) -> None:
    panel = UploadPanel(client)
    content = b"size,kind\n" + b"".join(
        b"%d,%s\n" % (n, b"ab"[n % 2 : n % 2 + 1]) for n in range(50)
    )
    half = len(content) // 2
    for start, piece in ((0, content[:half]), (half, content[half:])):
        fields = {"name": "sizes.csv", "start": start, "total": len(content)}
        panel.handle("piece", fields, [memoryview(piece)])
    assert panel.error_message is None
    html = panel.render(live=True)
    assert "50 rows, 2 columns" in html
    panel.handle("refused", {"name": "x.csv", "message": "It is empty."}, [])
    assert "x.csv was not taken: It is empty." in panel.render(live=True)


def test_dashboard_shows_runs_and_ends_its_threads(client: Client, server: LiveServer) -> None:
    before = threading.active_count()
    board = Dashboard(client)
    run_id = submitted(server, "lr")
    board.start()
    until(lambda: run_id[-6:] in board.render(live=True), "the run's line")
    server.ended(run_id)
    board.handle(f"run:{run_id}", {}, [])
    until(lambda: "Succeeded" in board.render(live=True), "the run's panel")
    board.handle("run:none", {}, [])
    assert board.error_message == "There is no such run."
    board.close()
    until(lambda: threading.active_count() <= before, "the threads' end", 30)


def press(panel: Panel, action: str, within: Panel | None = None, **fields: Any) -> str:
    """Press a button as the browser does, and return the HTML."""
    panel.handle_message({"do": action, "fields": fields, "panel": (within or panel).id}, [])
    return panel.view.html


def test_key_is_created_shown_once_listed_and_revoked(
    client: Client,
    server: LiveServer,
    deployed: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = deployed("api-key")
    slug = made["endpoint_slug"]
    board = DeploymentsPanel(client)
    board.fetch()
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(board.view, "send", messages.append)
    press(board, f"open:{slug}")
    assert board.selected is not None
    assert "There is none yet" in press(board, "keys", board.selected)
    (keys,) = board.selected.children()
    html = press(board, "key", keys, name=f"{slug}-shop", expiry="30")
    assert messages[0].keys() == {"secret"}
    secret = messages[0]["secret"]
    assert secret not in html, "the state of the widget may be saved"
    assert "Copy this key now." in html
    assert f"{slug}-shop" in html
    assert f"{slug}-shop" not in board.render(live=False), "a saved file has nothing of keys"
    with Client(server.url, secret) as shop:
        assert shop.deployments.schema(slug)["example"]
    row = next(one for one in client.api_keys.list() if one["name"] == f"{slug}-shop")
    assert (row["deployment_id"], row["scopes"]) == (made["id"], ["predict"])
    assert row["expires_at"] is not None
    assert "a key named" in press(board, "key", keys, name=f"{slug}-shop")
    assert "Give the key a name" in press(board, "key", keys, name=" ")
    assert "Copy this key now." not in press(board, "seen", keys)
    assert "are refused at once" in press(board, f"doubt:{row['id']}", keys)
    assert f"Revoke {slug}-shop now" not in press(board, f"keep:{row['id']}", keys)
    assert "There is none yet" in press(board, f"revoke:{row['id']}", keys)
    with Client(server.url, secret) as shop, pytest.raises(Unauthenticated):
        shop.deployments.schema(slug)
    assert len(messages) == 1
    client.deployments.update(slug, auth_mode="public")
    press(board, "keys", board.selected)
    assert "no key is needed" in press(board, "keys", board.selected)


def test_public_deployment_needs_confirmation(
    client: Client, deployed: Callable[[str], Any]
) -> None:
    pipeline = client.pipelines.get(deployed("workspace")["pipeline_id"])
    panel = DeployPanel(Pipeline(client, pipeline))
    home = pipeline["workspace_id"]
    slug = f"for-all-{secrets.token_hex(4)}"
    html = press(panel, "deploy", slug=slug, auth="public")
    assert f"Make {slug} public?" in html
    assert f"Anyone who reaches {urlsplit(client.address.api).netloc} can then call it" in html
    assert slug not in {row["endpoint_slug"] for row in client.deployments.list(home)}
    html = press(panel, "back")
    assert f'value="{slug}"' in html
    assert '<option value="public" selected>' in html
    # confirming without a request does nothing
    press(panel, "public")
    assert slug not in {row["endpoint_slug"] for row in client.deployments.list(home)}
    press(panel, "deploy", slug=slug, auth="public")
    html = press(panel, "public")
    assert f"Deployment {slug}" in html
    assert client.deployments.get(slug)["auth_mode"] == "public"
    client.deployments.delete(slug)


def test_static_html_of_unfinished_run_has_its_time(client: Client, server: LiveServer) -> None:
    # a notebook run that is never started
    run_id = server.submit(
        server.experiment(target="b"),
        plan="compare",
        executor="notebook",
        frame={"name": "df", "rows": 2, "columns": ["a", "b"]},
    )["id"]
    panel = RunPanel(Run(client, client.runs.get(run_id)))
    assert "A run in a notebook&#x27;s kernel ends with it." in panel._static_html()
    assert "As it was at 20" in panel._static_html()
    assert f"%pcrun show {run_id}" in panel._static_html()
    assert "The kernel has ended" in panel.view.html
    assert "No longer followed" in panel.view.html
    panel.start()
    panel.handle("cancel", {}, [])
    until(lambda: panel.is_final, "the end")
    assert "As it was at" not in panel._static_html()
    assert "%pcrun show" not in panel._static_html()
    assert "No longer followed" not in panel.view.html
    panel.close()


def test_deployment_predicts_dataframe_with_its_index(
    client: Client, deployed: Callable[[str], Any]
) -> None:
    made = deployed("workspace")
    deployment = Deployment(client, client.deployments.get(made["endpoint_slug"]))
    example = deployment.schema["example"]
    frame = pd.DataFrame([example, example], index=["one", "two"]).assign(unknown=1)
    assert list(deployment.predict(frame).index) == ["one", "two"]
    assert len(deployment.predict(example)) == 1
    assert deployment.pause().row["status"] == "paused"
    assert deployment.resume().row["status"] == "active"
    deployment.delete()
