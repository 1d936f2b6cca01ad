"""Panels against a real server, drawn without a browser."""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.client.finding import API_PATH
from jupyter_pycaret_ops.notebook.board import Dashboard
from jupyter_pycaret_ops.notebook.run import Run
from jupyter_pycaret_ops.notebook.run_panel import RunPanel
from jupyter_pycaret_ops.notebook.upload_panel import UploadPanel

from ..client.relay import Relay
from ..live import LiveServer, until


def submitted(server: LiveServer, *models: str, **more: Any) -> str:
    run = server.submit(
        server.experiment(setup_params={"fold": 5, "session_id": 1}),
        plan="compare",
        plan_params={"include": [*models]},
        sklearn_dataset="wine",
        **more,
    )
    return str(run["id"])


def test_a_panel_says_that_the_line_is_lost_and_goes_on_when_it_is_back(
    server: LiveServer, relay: Relay
) -> None:
    with Client(f"http://127.0.0.1:{relay.port}{API_PATH}", server.token) as client:
        run_id = submitted(server, "rf", "et", "gbc", "lr")
        panel = RunPanel(Run(client, client.runs.get(run_id)))
        panel.begin()
        server.saw(run_id, "model.scored")
        relay.cut()
        until(lambda: "Connection lost since" in panel.draw(live=True), "that it is said")
        assert "disabled" in panel.draw(live=True), "what needs the server is off"
        relay.is_up = True
        until(lambda: "Succeeded" in panel.draw(live=True), "the end", 120)
    html = panel.draw(live=True)
    assert "Connection lost" not in html
    assert html.count("jp-pycaret-leaderboard__model") == 4
    assert 'data-do="promote"' in html
    assert "<button" not in panel.draw(live=False)


def test_a_failed_run_says_why(client: Client, server: LiveServer) -> None:
    run = server.submit(
        server.experiment(target="b"),
        plan="compare",
        data_inline=[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    )
    row = server.ended(run["id"])
    assert row["status"] == "failed"
    panel = RunPanel(Run(client, client.runs.get(run["id"])))
    panel.begin()
    assert row["error"][:20] in panel.draw(live=False)


def test_a_file_comes_in_pieces_where_the_server_is_another(client: Client) -> None:
    panel = UploadPanel(client)
    content = b"size,kind\n" + b"".join(
        b"%d,%s\n" % (n, b"ab"[n % 2 : n % 2 + 1]) for n in range(50)
    )
    half = len(content) // 2
    for start, piece in ((0, content[:half]), (half, content[half:])):
        fields = {"name": "sizes.csv", "start": start, "total": len(content)}
        panel.do("piece", fields, [memoryview(piece)])
    assert panel.trouble is None
    html = panel.draw(live=True)
    assert "50 rows, 2 columns" in html
    panel.do("refused", {"name": "x.csv", "message": "It is empty."}, [])
    assert "x.csv was not taken: It is empty." in panel.draw(live=True)


def test_the_dashboard_shows_runs_and_endpoints_and_stops_its_threads(
    client: Client, server: LiveServer
) -> None:
    before = threading.active_count()
    board = Dashboard(client)
    run_id = submitted(server, "lr")
    board.begin()
    until(lambda: run_id[-6:] in board.draw(live=True), "the run's line")
    server.ended(run_id)
    board.do(f"run:{run_id}", {}, [])
    until(lambda: "Succeeded" in board.draw(live=True), "the run's panel")
    board.do("run:none", {}, [])
    assert board.trouble == "There is no such run."
    board.close()
    until(lambda: threading.active_count() <= before, "the threads' end", 30)


def test_a_frame_reaches_a_deployment_with_its_index(client: Client, server: LiveServer) -> None:
    from jupyter_pycaret_ops.notebook.serving import Deployment

    made = server.deploy_iris(f"frame-{threading.get_ident() % 10_000}-a")
    deployment = Deployment(client, client.deployments.get(made["endpoint_slug"]))
    example = deployment.schema["example"]
    frame = pd.DataFrame([example, example], index=["one", "two"]).assign(unknown=1)
    assert list(deployment.predict(frame).index) == ["one", "two"]
    assert len(deployment.predict(example)) == 1
    assert deployment.pause().row["status"] == "paused"
    assert deployment.resume().row["status"] == "active"
    deployment.delete()
