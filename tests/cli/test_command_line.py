"""The commands of `jupyter pycaret-ops` that call a server."""

from __future__ import annotations

import json
import os
import pty
import secrets
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.cli.commands import COMMANDS
from jupyter_pycaret_ops.client.run_request import replace_ids, unused_name

from ..client.conftest import client
from ..live import ROOT, Home, LiveServer

__all__ = ["client"]

COFFEE = ROOT / "examples" / "coffee_orders.csv"
PROGRAM = [sys.executable, "-m", "jupyter_pycaret_ops.cli"]


def called(
    server: LiveServer, *args: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *args],
        env=server.home.env() | env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def fresh_copy(table: Path, folder: Path) -> Path:
    """Return a copy of a table with one more row, which differs each time, so that no server has it."""
    lines = table.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    number = next(place for place, cell in enumerate(cells) if cell.replace(".", "").isdigit())
    cells[number] = str(secrets.randbelow(10**6))
    copy = folder / table.name
    copy.write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")
    return copy


def sources(server: LiveServer) -> list[dict[str, Any]]:
    workspace, _ = server.default_project()
    found: list[dict[str, Any]] = server.get(f"/workspaces/{workspace}/data-sources?limit=1000")
    return found


def test_upload_run_promote_deploy_predict_from_a_terminal(
    server: LiveServer, tmp_path: Path
) -> None:
    """The output of each command has what the next one needs."""
    mark = secrets.token_hex(4)
    coffee = fresh_copy(COFFEE, tmp_path)
    done = called(
        server,
        *("run", "compare", "--data", str(coffee), "--include", "lr,nb", "--fold", "3"),
        *("--experiment", f"coffee {mark}"),
    )
    assert done.returncode == 0, done.stderr
    assert "target guessed: reordered" in done.stderr
    assert "task guessed: classification" in done.stderr
    assert "Uploading coffee_orders" in done.stderr
    first, best, headline, *found, heads, lr, nb, baseline = done.stdout.splitlines()
    status, run_id = first.split()
    assert status == "succeeded"
    assert "Accuracy" in best
    assert heads.split()[:3] == ["#", "MODEL", "Accuracy"]
    assert " than always answering " in headline
    assert any("hold-out" in line and "baseline" in line for line in found)
    assert {lr.split()[0], nb.split()[0]} == {"1", "2"}
    assert baseline.startswith("–")
    assert "(baseline)" in baseline

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
    done = called(server, "predict", slug, "--json", stdin=json.dumps([example]))
    assert json.loads(done.stdout)[0]["prediction"] in {"yes", "no"}


def test_profile_shows_how_a_table_is_read(server: LiveServer, tmp_path: Path) -> None:
    name = f"preise {secrets.token_hex(4)}"
    table = tmp_path / f"{name}.csv"
    rows = [f"{40 + n},5;{60 + n}.000;{'ja' if n % 2 else 'nein'}" for n in range(60)]
    table.write_text("\n".join(["fläche;preis;balkon", *rows, "k.A.;200.000;ja"]), encoding="utf-8")
    with Client(server.url, server.token) as ops:
        ops.data_sources.upload(ops.workspaces.list()[0]["id"], table)
    done = called(server, "data", "profile", name)
    assert done.returncode == 0, done.stderr
    head, _, area, price, balcony, *sentences = done.stdout.splitlines()
    assert head == "61 rows, 3 columns"
    assert area.split()[:4] == ["fläche", "number", "0", "1"]
    assert price.endswith("60000 … 200000")
    assert balcony.split()[:2] == ["balkon", "category"]
    assert any("“k.A.” (row 61)" in sentence for sentence in sentences)
    again = json.loads(called(server, "data", "profile", name, "--again", "--json").stdout)
    assert (again["status"], again["rows"]) == ("ready", 61)
    refused = called(server, "data", "profile", "nowhere")
    assert (refused.returncode, "nowhere" in refused.stderr) == (1, True)


def test_data_is_uploaded_versioned_typed_and_downloaded(
    server: LiveServer, tmp_path: Path
) -> None:
    name = f"towns {secrets.token_hex(4)}"
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("town;price\nGent;1\nGent;2\nLier;3\n")
    second.write_text("town;price;rooms\nGent;1;2\nAalst;2;3\nLier;3;4\nLier;4;5\n")
    made = called(server, "data", "upload", str(first), "--name", name, "--delimiter", ";")
    assert (made.returncode, made.stdout) == (0, f"{name}, version 1: 3 rows, 2 columns\n")
    added = called(server, "data", "upload", str(second), "--to", name)
    assert added.stdout == f"{name} has version 2: 1 more rows; added rooms\n"
    versions = json.loads(called(server, "data", "versions", name, "--json").stdout)
    assert [row["filename"] for row in versions] == ["b.csv", "a.csv"]
    assert "added rooms" in called(server, "data", "versions", name).stdout
    listed = called(server, "data", "list").stdout
    assert any(line.startswith(name) and " 4 " in line for line in listed.splitlines())
    out = tmp_path / "out.csv"
    args = ("--version", "1", "-o", str(out))
    assert called(server, "data", "download", name, *args).returncode == 0
    assert out.read_bytes() == first.read_bytes()
    typed = called(server, "data", "types", name, "price=category", "rooms=text")
    assert typed.stdout.splitlines()[1:] == ["price   category", "rooms   text"]
    assert called(server, "data", "types", name, "rooms=").stdout.splitlines()[1:] == [
        "price   category"
    ]
    assert "No types" in called(server, "data", "types", name, "--reset").stdout
    read = called(server, "data", "read", name, "--delimiter", ",")
    assert read.stdout == f"{name}, version 3: 4 rows, 1 columns\n"
    for args in (
        ("data", "types", name, "nope=text"),
        ("data", "types", name),
        ("data", "read", name),
        ("data", "download", name, "--version", "9", "-o", str(out)),
        ("data", "upload", "no such file"),
        ("data", "upload", str(first), "--to", name, "--name", "other"),
    ):
        assert called(server, *args).returncode == 1, args
    assert out.read_bytes() == first.read_bytes(), "what was there before stays"


def test_run_takes_options_for_how_its_table_is_read(server: LiveServer, tmp_path: Path) -> None:
    table = tmp_path / f"{secrets.token_hex(4)}.csv"
    rows = [f"{n % 7};{n},5;{'ja' if n % 3 else 'Ja'}" for n in range(60)]
    table.write_text("\n".join(["code;preis;balkon", *rows]))
    options = (
        *("--delimiter", ";", "--categorical", "code", "--type", "preis=number"),
        *("--merge-levels", "--missing", "k.A.,?", "--detach", "--json"),
    )
    args = ("--data", str(table), "--target", "balkon", "--task", "classification")
    done = called(server, "run", "setup", *args, *options)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["snapshot"]["setup_params"] == {
        "column_types": {"preis": "number"},
        "categorical_features": ["code"],
        "missing_values": ["k.A.", "?"],
        "merge_levels": True,
    }
    assert run["snapshot"]["data_version"] == 1
    source = server.get(f"/data-sources/{run['snapshot']['data_source_id']}")
    assert source["config"]["dialect_fields"] == {"delimiter": ";"}
    server.post(f"/runs/{run['id']}/cancel", expect=200)
    refused = called(server, "run", "setup", *args, "--type", "preis")
    assert (refused.returncode, "COLUMN=VALUE" in refused.stderr) == (1, True)


def test_exit_codes_of_refused_failed_and_unreachable(server: LiveServer) -> None:
    refused = called(server, "run", "create", "--model", "nope", "--data", "iris", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stderr)["reason"] == "validation"
    nothing = called(server, "run", "compare", "--data", "no such table")
    assert nothing.returncode == 1
    assert nothing.stderr == "There is no file, frame, data source or sample set “no such table”.\n"
    assert called(server, "run").returncode == 2
    # 6 folds need more than the 3 rows of a class
    rows = "a,b\n" + "1,x\n2,y\n" * 2
    table = server.home.path / "tiny.csv"
    table.write_text(rows)
    failed = called(server, "run", "compare", "--data", str(table), "--fold", "6")
    assert failed.returncode == 3, failed.stderr
    assert failed.stdout.startswith("failed ")
    away = called(server, "runs", PYCARET_OPS_URL="http://127.0.0.1:9/")
    assert away.returncode == 5
    assert "could not be reached" in away.stderr


def test_invalid_request_is_refused_before_the_upload(server: LiveServer, tmp_path: Path) -> None:
    coffee = str(fresh_copy(COFFEE, tmp_path))
    before = [row["id"] for row in sources(server)]
    wrong_values = (
        *("--include", "lr,nope", "--sort", "Beauty", "--fold", "1"),
        *("--setup", "nothing=1", "--plan-param", "n_select=many"),
    )
    for plan, args, messages in (
        (
            "compare",
            wrong_values,
            [
                "There is no model “nope” for classification",
                "There is no metric “Beauty”",
                "fold: 1 is less than the minimum",
                "There is no parameter “nothing”",
                "n_select: 'many' is not of type 'integer'",
            ],
        ),
        ("comparre", (), ["has no plan “comparre”"]),
        ("compare", ("--model", "lr"), ["The plan compare takes no model."]),
        ("create", ("--task", "regression", "--model", "nb"), ["no model “nb” for regression"]),
        ("compare", ("--target", "nothing"), ["There is no column “nothing”."]),
        (
            "compare",
            ("--task", "classification", "--target", "nothing"),
            ["The target “nothing” is not a column of the data; it has "],
        ),
        ("compare", ("--project", "nowhere"), ["There is no project “nowhere”"]),
    ):
        done = called(server, "run", plan, "--data", coffee, *args)
        assert done.returncode == 1
        assert [one for one in messages if one not in done.stderr] == []
        assert "Uploading" not in done.stderr
    assert [row["id"] for row in sources(server)] == before


def test_file_that_is_not_a_table_is_not_uploaded(server: LiveServer, tmp_path: Path) -> None:
    before = [row["id"] for row in sources(server)]
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    no_table = called(server, "run", "compare", "--data", str(picture))
    assert no_table.returncode == 1
    assert no_table.stderr.startswith(f"{picture}: ")
    assert [row["id"] for row in sources(server)] == before


def test_same_bytes_are_uploaded_once(server: LiveServer, tmp_path: Path) -> None:
    coffee = fresh_copy(COFFEE, tmp_path)
    args = ("run", "create", "--model", "nb", "--fold", "2", "--detach", "--data")
    first = called(server, *args, str(coffee))
    assert "Uploading coffee_orders" in first.stderr, first.stderr
    before = sources(server)
    other = coffee.rename(tmp_path / "another name.csv")
    second = called(server, *args, str(other))
    assert second.returncode == 0, second.stderr
    assert "Already uploaded: coffee_orders" in second.stderr
    assert "Uploading" not in second.stderr
    assert sources(server) == before
    runs = [server.ended(done.stdout.strip()) for done in (first, second)]
    assert runs[0]["data_source_id"] == runs[1]["data_source_id"]
    # other bytes with the same name are another data source
    third = called(server, *args, str(fresh_copy(other, tmp_path)))
    assert "Uploading another name" in third.stderr


def test_error_messages_have_names_in_place_of_ids(server: LiveServer, client: Client) -> None:
    run = server.submit(
        server.experiment(name=(name := f"named {secrets.token_hex(4)}")),
        plan="create",
        model_id="nb",
        sklearn_dataset="iris",
    )
    server.ended(run["id"])
    unknown = "00000000-0000-7000-8000-000000000000"
    message = replace_ids(client, f"Run {run['id']} is in the way of {unknown}.")
    assert message == f"Run “{name} create” is in the way of {unknown}."
    many = called(server, "show", "0")
    if many.returncode:  # more than one run begins so
        assert "matches" in many.stderr
        assert " create (…" in many.stderr or " compare (…" in many.stderr


ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_output_is_ascii_in_an_ascii_terminal(server: LiveServer, tmp_path: Path) -> None:
    name = f"kaffee-größe {secrets.token_hex(4)}"
    rows = "".join(f"{n % 5},{'süß' if n % 5 > 2 else 'herb'}\n" for n in range(60))
    table = tmp_path / f"{name}.csv"
    table.write_text(f"größe,art\n{rows}", encoding="utf-8")
    args = ("run", "create", "--model", "nb", "--fold", "2", "--data", str(table))
    done = called(server, *args, "--target", "art", **ASCII)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert done.stderr.isascii()
    assert "kaffee-gr\\xf6\\xdfe" in done.stderr
    answer = json.loads(called(server, "show", done.stdout.split()[1], "--json", **ASCII).stdout)
    assert answer["snapshot"]["target"] == "art"
    assert "größe" in json.dumps(answer, ensure_ascii=False) or answer["leaderboard"]
    wrong = called(server, "run", "compare", "--data", "größe", **ASCII)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("There is no file, frame, data source or sample set ")
    for command in (["--help"], ["run", "--help"], ["runz"], ["runs"]):
        assert "Traceback" not in called(server, *command, **ASCII).stderr


def test_standard_input_is_read_as_utf_8_in_any_locale(server: LiveServer) -> None:
    for stdin, message in (
        (b"\xff\xfe", "is not UTF-8"),
        (b"5", "a JSON object"),
        (b"{", "not JSON"),
    ):
        done = subprocess.run(
            [*PROGRAM, "predict", "no-such-deployment"],
            env=server.home.env() | ASCII,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert message in done.stderr.decode()
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["runs", "--json"],
        ["--help"],
        ["run", "create", "--model", "nb", "--fold", "2", "--data", "iris"],
    ],
    ids=" ".join,
)
def test_closed_pipe_is_no_error(server: LiveServer, args: list[str]) -> None:
    """Standard output, then both streams, are closed before anything is written."""
    near, far = os.pipe()
    os.close(near)
    process = subprocess.run(
        [*PROGRAM, *args],
        env=server.home.env(),
        stdout=far,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0
    assert "Traceback" not in process.stderr
    assert "BrokenPipe" not in process.stderr
    both = subprocess.run(
        [*PROGRAM, *args],
        env=server.home.env(),
        stdout=far,
        stderr=far,
        timeout=120,
        check=False,
    )
    os.close(far)
    assert both.returncode == 0


def test_exit_code_of_a_failed_run_with_closed_pipes(server: LiveServer, tmp_path: Path) -> None:
    table = tmp_path / "tiny.csv"
    table.write_text("a,b\n" + "1,x\n2,y\n" * 2)
    near, far = os.pipe()
    os.close(near)
    process = subprocess.run(
        [*PROGRAM, "run", "compare", "--data", str(table), "--fold", "6"],
        env=server.home.env(),
        stdout=far,
        stderr=far,
        timeout=120,
        check=False,
    )
    os.close(far)
    assert process.returncode == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "The command is missing."),
        (["runz"], "There is no command “runz”. Did you mean “run”?"),
        (["--nope"], "“--nope” is not a command."),
        (["doctor", "--nope"], "There is no option “--nope”."),
        (["doctor", "extra"], "There is no option “extra”."),
        (["migrate", "--urll=sqlite:///x.db"], "There is no option “--urll=sqlite:///x.db”."),
        (["runs", "--nope"], "unrecognized arguments: --nope"),
    ],
    ids=lambda args: " ".join(args) if isinstance(args, list) else "",
)
def test_unknown_arguments_exit_with_2(home: Home, args: list[str], message: str) -> None:
    done = subprocess.run(
        [*PROGRAM, *args], env=home.env(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_api_key_opens_commands_within_its_scopes(server: LiveServer) -> None:
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


def test_detached_run_is_cancelled_by_cancel(server: LiveServer) -> None:
    done = called(server, "run", "compare", "--data", "wine", "--detach")
    run_id = done.stdout.strip()
    assert server.run(run_id)["status"] in {"queued", "running"}
    cancelled = called(server, "cancel", run_id)
    assert (cancelled.returncode, cancelled.stdout) == (0, f"cancelled {run_id}\n")
    assert called(server, "cancel", run_id).returncode == 0


def test_terminal_shows_a_progress_bar_and_ctrl_c_cancels(server: LiveServer) -> None:
    near, far = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "run", "compare", "--data", "iris", "--fold", "40"],
        env=server.home.env(),
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
        # a job in the background of a shell without job control inherits that SIGINT is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(far)
    output = b""

    def wait_for(text: str) -> None:
        nonlocal output
        deadline = time.monotonic() + 90
        while text.encode() not in output and time.monotonic() < deadline:
            if select.select([near], [], [], 1)[0]:
                try:
                    output += os.read(near, 65536)
                except OSError:  # the other end is closed
                    break
        assert text.encode() in output, f"no {text!r} in {output.decode()!r}"

    wait_for("█")
    process.send_signal(signal.SIGINT)
    wait_for("Cancelling ")
    wait_for("cancelled ")
    assert process.wait(30) == 4
    os.close(near)


def test_each_command_has_a_summary() -> None:
    assert all(command.summary().endswith(".") for command in COMMANDS)


def test_unused_name_appends_a_number_to_a_taken_name() -> None:
    assert unused_name("a", {"b"}) == "a"
    assert unused_name("a", {"a", "a 2"}) == "a 3"
