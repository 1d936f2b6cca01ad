"""`%pcrun` in a kernel of a real server."""

from __future__ import annotations

import secrets

from ..live import LiveServer
from .kernel import Kernel

SHORT = "--include lr,nb --fold 3"


def test_pcrun_leads_from_dataframe_to_prediction(kernel: Kernel) -> None:
    """Run, leaderboard, pipeline and deployment are objects of the notebook."""
    name = f"iris-{secrets.token_hex(4)}"
    began = kernel.run(f"run = %pcrun compare --data df --target species {SHORT}")
    assert began.errors == ""
    assert "application/vnd.jupyter.widget-view+json" in began.data[-1]
    assert "task guessed: classification, 3 labels" in began.html
    assert kernel.run("run.wait(120)\nprint(run.status)").text == "succeeded\n"
    assert kernel.value("list(run.leaderboard.columns[:3])") == ["model_id", "name", "Accuracy"]
    assert kernel.value("sorted(run.leaderboard.model_id)") == ["lr", "nb"]
    assert kernel.value("run.fold_metrics.shape[0]") == 6
    assert kernel.value("run.events()[-1]['kind']") == "run.succeeded"
    assert kernel.value("list(run.predict(df.head(2)))") == ["setosa", "setosa"]
    assert kernel.value("type(run.pipeline).__name__") == "Pipeline"
    plots = kernel.value("[p['id'] for p in run.client.runs.plots(run.id)]")
    assert kernel.value(f"type(run.plot({plots[0]!r})).__name__") == "Figure"
    kernel.run(f"deployment = run.promote({name!r}).deploy()")
    answer = kernel.value("deployment.predict(df.tail(2), proba=True).to_dict('split')")
    assert answer["index"] == [148, 149]
    assert answer["columns"] == ["prediction", "setosa", "versicolor", "virginica"]
    assert [row[0] for row in answer["data"]] == ["virginica", "virginica"]


def test_run_does_not_block_the_cell_and_trains_on_a_copy(kernel: Kernel) -> None:
    """The DataFrame may be changed at once; the run uses the data of its start."""
    kernel.run(f"run = %pcrun compare --data df --target species {SHORT}\ndf['species'] = 'one'")
    assert kernel.value("run.is_here") is True
    assert kernel.value("run.status") in {"queued", "running"}
    out = kernel.run("run.wait(120)\nprint(run.status, run.row['snapshot']['data_rows'])")
    assert (out.text, out.errors) == ("succeeded 150\n", "")


def test_await_waits_for_the_end(kernel: Kernel) -> None:
    kernel.run("run = %pcrun create --model dt --data df --target species --fold 3 --quiet")
    assert kernel.run("done = await run\nprint(done is run, run.status)").text == "True succeeded\n"


def test_worker_kernel_receives_dataframe_as_parquet(kernel: Kernel) -> None:
    out = kernel.run(f"run = %pcrun compare --data df --worker --wait --quiet {SHORT}")
    assert (out.errors, out.data) == ("", [])
    row = kernel.value("run.row")
    assert (row["status"], row["executor"]) == ("succeeded", "kernel")
    source = kernel.server.get(f"/data-sources/{row['data_source_id']}")
    assert (source["kind"], source["config"]["rows"]) == ("parquet_upload", 150)


def test_cell_body_sets_parameters(kernel: Kernel) -> None:
    body = "setup:\n  fold: 4\n  session_id: 7\nplan:\n  include: [nb]\n"
    kernel.run(f"%%pcrun compare --data df --target species --quiet --wait --as kept\n{body}")
    snapshot = kernel.value("kept.row['snapshot']")
    assert snapshot["setup_params"] == {"fold": 4, "session_id": 7}
    assert snapshot["plan_params"] == {"include": ["nb"]}


def test_subcommands_follow_and_use_runs(kernel: Kernel) -> None:
    kernel.run("run = %pcrun compare --data df --target species --include rf,et,gbc --quiet")
    assert kernel.run("%pcrun cancel run").errors == ""
    assert kernel.run("%pcrun wait run").errors == ""
    assert kernel.value("run.status") == "cancelled"
    assert "run.cancelled" in kernel.run("%pcrun logs run").text
    assert "text/html" in kernel.run("%pcrun list --limit 3").data[-1]
    run_id = kernel.value("run.id")
    assert "Cancelled" in kernel.run(f"%pcrun show {run_id}").html
    name = f"v-{secrets.token_hex(4)}"
    assert kernel.run("%pcrun list --limit 1 --as newest").errors == ""
    assert kernel.value("list(newest.run)") == [run_id]
    kernel.run("made = %pcrun create --model nb --data df --target species --fold 3 --quiet --wait")
    assert kernel.value("[made.status, made.error]") == ["succeeded", None]
    assert kernel.run(f"pipeline = %pcrun promote {name}").errors == ""
    assert kernel.run(f"%pcrun deploy {name} --auth public").errors == ""
    predicted = kernel.run(f"p = %pcrun predict {name} --data df")
    assert predicted.errors == ""
    assert kernel.value("len(p)") == 150


def test_error_is_one_sentence_without_traceback(kernel: Kernel) -> None:
    for line, message in {
        "%pcrun nope --data df --target species": "no plan “nope”",
        "%pcrun create --data df --target species": "needs a model_id",
        "%pcrun compare --data missing": "no file, frame, data source or sample set “missing”",
        "%pcrun compare --data df --target nothing": "There is no column “nothing”",
        "%pcrun compare --data df --fold many": "invalid int value: 'many'",
        "%pcrun compare --data df --colour red": "Unrecognized arguments: --colour red",
        "%pcrun compare --data 'df": "No closing quotation",
        "%pcrun cancel ffffffff": "no run “ffffffff”",
        "%pcrun compare --data df --as 2nd": "“2nd” cannot be the name of a variable",
        "%pcrun show --as class": "“class” cannot be the name of a variable",
        "%%pcrun compare --data df\nsetup: [": "not YAML",
        "%%pcrun compare --data df\nfold: 3": "takes `setup:` and `plan:`",
    }.items():
        out = kernel.run(line)
        assert out.errors.startswith("UsageError: "), (line, out)
        assert message in out.errors, out.errors
        assert out.errors.count("\n") == 1
        assert "Traceback" not in out.errors + out.traceback
    assert "usage: %pcrun" in kernel.run("%pcrun --help").text


def test_as_assigns_the_run_at_its_start(kernel: Kernel) -> None:
    """`--as` assigns the run; with an invalid name nothing is started."""
    began = kernel.run("%pcrun create --model nb --data df --target species --fold 3 --as mine")
    assert "application/vnd.jupyter.widget-view+json" in began.data[-1]
    assert kernel.run("mine.wait(120)\nprint(mine.status)").text == "succeeded\n"
    run_id = kernel.value("mine.id")
    assert "cannot be" in kernel.run("%pcrun create --model nb --data df --as lambda").errors
    assert kernel.run("%pcrun show --as again").errors == ""
    assert kernel.value("again.id") == run_id
    assert "mine" in kernel.complete("%pcrun wait ")


def test_first_tab_completes_engine_names(server: LiveServer) -> None:
    """A kernel that has just loaded the extension, which requests them at once."""
    fresh = Kernel(server)
    requests = "[t for t in threading.enumerate() if t.name == 'pycaret-ops-completion']"
    try:
        fresh.run("%load_ext jupyter_pycaret_ops\nimport threading")
        assert fresh.run(f"while {requests}: {requests}[0].join()").errors == ""
        assert {"lr", "lightgbm"} <= set(fresh.complete("%pcrun create --model "))
        assert "AUC" in fresh.complete("%pcrun compare --sort A")
        assert fresh.complete("%pcrun compare --task regression --sort RMS") == ["RMSE", "RMSLE"]
        assert {"compare", "cancel"} <= set(fresh.complete("%pcrun c"))
    finally:
        fresh.end()


def test_tab_completes_options_columns_and_names(kernel: Kernel) -> None:
    assert kernel.complete("run = %pcrun compare --data df --tar") == ["--target"]
    assert kernel.complete("%%pcrun compare --a") == ["--as"]
    assert "'sepal length (cm)'" in kernel.complete("%pcrun compare --data df --target sep")
    assert "species" in kernel.complete("%pcrun compare --data df --target ")
    assert {"df", "iris"} <= set(kernel.complete("%pcrun compare --data "))
    assert {"list", "cancel"} <= set(kernel.complete("%pcrun "))
    assert kernel.complete("%pcrun deploy x --auth p") == ["public"]
    assert "--target" not in kernel.complete("%pcrun compare --fold ")
    assert kernel.complete("%pcrun com") == ["compare"]
    assert kernel.complete("%pcrun create --model light") == ["lightgbm"]
    assert "rf" in kernel.complete("%pcrun compare --include lr,r")
    # the models of regression for a numeric target
    kernel.run("houses = df.iloc[:, :4]")
    completions = kernel.complete("%pcrun compare --data houses --include l")
    assert "lasso" in completions, completions
    assert kernel.complete("pri") == ["print"]


def test_missing_server_is_reported_in_one_sentence(kernel: Kernel) -> None:
    kernel.run(
        "import os\nos.environ['PYCARET_OPS_URL'] = 'http://127.0.0.1:9/'\n"
        "from jupyter_pycaret_ops.notebook import default_client\ndefault_client._client = None"
    )
    out = kernel.run("%pcrun list")
    kernel.run("del os.environ['PYCARET_OPS_URL']\ndefault_client._client = None")
    assert out.errors.startswith(
        "UsageError: The server at http://127.0.0.1:9 could not be reached"
    )


def test_profile_of_a_source_is_what_is_trained(kernel: Kernel) -> None:
    name = f"prices-{secrets.token_hex(4)}"
    table = "price,rooms,kind\n" + "".join(
        f'"${1000 + 7 * n:,}",{n % 5 + 1},{"flat" if n % 2 else "house"}\n' for n in range(60)
    )
    kernel.run(
        "import jupyter_pycaret_ops as ops\n"
        "from jupyter_pycaret_ops import Client\n"
        "here = Client()\n"
        f"here.data_sources.upload(here.workspaces.list()[0]['id'], {table.encode()!r}, {name!r})\n"
        f"profile = ops.profile({name!r})"
    )
    assert kernel.value("profile.columns['type'].to_dict()") == {
        "price": "number",
        "rooms": "number",
        "kind": "category",
    }
    assert kernel.value("profile.columns.loc['price', 'max']") == 1413.0
    assert "“$1,000” is read as 1000" in kernel.value("profile._repr_html_()")
    kernel.run(
        f"run = %pcrun create --model lr --data {name} --target price --fold 2 --wait --quiet"
    )
    reading = kernel.value("run.row['snapshot']['reading']")
    assert {column: read["type"] for column, read in reading.items()} == {
        "price": "number",
        "rooms": "number",
        "kind": "category",
    }
