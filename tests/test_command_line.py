"""`jupyter pycaret-ops run` and what follows, as a person types them."""

from __future__ import annotations

import json
import os
import pty
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from jupyter_pycaret_ops.cli.calls import COMMANDS
from jupyter_pycaret_ops.client.asking import unused

from .live import ROOT, LiveServer, until

COFFEE = ROOT / "examples" / "coffee_orders.csv"
PROGRAM = [sys.executable, "-m", "jupyter_pycaret_ops.cli"]


def called(
    server: LiveServer, *words: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        env=server.home.env() | env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_whole_job_from_a_terminal(server: LiveServer, tmp_path: Path) -> None:
    """Upload and run, look, promote, deploy, predict: each step's words lead to the next."""
    mark = secrets.token_hex(4)
    done = called(
        server,
        *("run", "compare", "--data", str(COFFEE), "--include", "lr,nb", "--fold", "3"),
        *("--experiment", f"coffee {mark}"),
    )
    assert done.returncode == 0, done.stderr
    assert "target guessed: reordered" in done.stderr
    assert "task guessed: classification" in done.stderr
    assert "Uploading coffee_orders" in done.stderr
    first, best, heads, *models = done.stdout.splitlines()
    status, run_id = first.split()
    assert status == "succeeded"
    assert "Accuracy" in best
    assert heads.split()[:3] == ["#", "MODEL", "Accuracy"]
    assert len(models) == 2

    assert run_id in called(server, "runs", "--limit", "3").stdout
    shown = json.loads(called(server, "show", run_id[-6:], "--json").stdout)
    assert shown["id"] == run_id
    promoted = called(server, "promote", run_id, "--name", f"coffee {mark}")
    assert promoted.stdout.startswith(f"coffee {mark} v1"), promoted.stderr
    slug = f"coffee-{mark}"
    deployed = called(server, "deploy", f"coffee {mark}:1", "--slug", slug)
    assert deployed.stdout.strip().endswith(f"/deployments/{slug}/predict"), deployed.stderr

    table = tmp_path / "new.csv"
    lines = COFFEE.read_text(encoding="utf-8").splitlines()
    names = lines[0].split(",")
    keep = [place for place, name in enumerate(names) if name != "reordered"]
    table.write_text(
        "\n".join(",".join(line.split(",")[place] for place in keep) for line in lines[:6])
    )
    predicted = called(server, "predict", slug, "--data", str(table), "--proba")
    assert predicted.returncode == 0, predicted.stderr
    answers = predicted.stdout.splitlines()
    assert len(answers) == 5
    assert all(line.split("\t")[0] in {"yes", "no"} for line in answers)
    example = server.get(f"/deployments/{slug}/schema")["example"]
    said = called(server, "predict", slug, "--json", stdin=json.dumps([example]))
    assert json.loads(said.stdout)[0]["prediction"] in {"yes", "no"}


def test_the_exit_code_tells(server: LiveServer) -> None:
    refused = called(server, "run", "create", "--model", "nope", "--data", "iris", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stderr)["reason"] == "validation"
    nothing = called(server, "run", "compare", "--data", "no such table")
    assert nothing.returncode == 1
    assert nothing.stderr == "There is no file, frame, data source or sample set “no such table”.\n"
    assert called(server, "run").returncode == 2
    # 6 folds of at most 3 rows of a class: the engine cannot, and the server says so
    rows = "a,b\n" + "1,x\n2,y\n" * 2
    table = server.home.path / "tiny.csv"
    table.write_text(rows)
    failed = called(server, "run", "compare", "--data", str(table), "--fold", "6")
    assert failed.returncode == 3, failed.stderr
    assert failed.stdout.startswith("failed ")
    away = called(server, "runs", PYCARET_OPS_URL="http://127.0.0.1:9/")
    assert away.returncode == 5
    assert "could not be reached" in away.stderr


def test_a_key_is_enough_elsewhere(server: LiveServer) -> None:
    workspace, _ = server.default_project()
    key = server.post(
        "/api-keys",
        {"name": secrets.token_hex(4), "workspace_id": workspace, "scopes": ["read"]},
    )
    env = {"PYCARET_OPS_URL": server.url, "PYCARET_OPS_TOKEN": key["key"]}
    assert called(server, "runs", "--json", **env).returncode == 0
    refused = called(server, "run", "compare", "--data", "iris", **env)
    assert refused.returncode == 1
    assert "lacks the scope" in refused.stderr


def test_a_detached_run_is_cancelled_by_another_command(server: LiveServer) -> None:
    done = called(server, "run", "compare", "--data", "wine", "--detach")
    run_id = done.stdout.strip()
    assert server.run(run_id)["status"] in {"queued", "running"}
    cancelled = called(server, "cancel", run_id)
    assert (cancelled.returncode, cancelled.stdout) == (0, f"cancelled {run_id}\n")
    assert called(server, "cancel", run_id).returncode == 0


def test_a_terminal_has_a_bar_and_ctrl_c_cancels(server: LiveServer) -> None:
    near, far = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "run", "compare", "--data", "breast_cancer"],
        env=server.home.env(),
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
    )
    os.close(far)
    seen = b""

    def reads(wanted: bytes) -> bool:
        nonlocal seen
        try:
            seen += os.read(near, 65536)
        except OSError:  # the other end is closed
            return True
        return wanted in seen

    until(lambda: reads("█".encode()), "a bar that has moved")
    process.send_signal(signal.SIGINT)
    until(lambda: reads(b"cancelled "), "the end")
    assert process.wait(30) == 4
    os.close(near)


def test_each_command_says_what_it_does() -> None:
    assert all(command.summary().endswith(".") for command in COMMANDS)


def test_a_taken_name_gets_a_number() -> None:
    assert unused("a", {"b"}) == "a"
    assert unused("a", {"a", "a 2"}) == "a 3"
