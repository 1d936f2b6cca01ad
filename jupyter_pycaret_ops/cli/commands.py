"""`run`, `runs`, `show`, `cancel`, `keep`, `promote`, `deploy`, `predict`: commands from data to predictions."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..client import run_request
from ..client.kept_models import keep_model, promote_model
from ..client.records import ENDED, JSON, DataSource, FieldSchema, Run, baseline_of, leaderboard_of
from ..common.engine_facts import SAMPLE_SETS
from ..common.errors import Invalid
from ..common.tables.local_file import columns_of_file
from ..common.tables.suggestion import suggest_for
from .client_command import EXIT_CODES, REFUSED, ClientCommand
from .data_commands import DataCommand
from .output import decoded
from .rendering import Bar, leaderboard, table


class RunCommand(ClientCommand):
    """Start a plan and wait for its end."""

    name = "run"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        run_request.add_run_arguments(parser)
        parser.add_argument(
            "--setup", metavar="NAME=VALUE", action="append", default=[], help="set-up parameter"
        )
        parser.add_argument(
            "--plan-param",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="parameter of the plan",
        )
        parser.add_argument(
            "--detach", action="store_true", help="return without waiting for the end"
        )

    def execute(self) -> int:
        """Submit the run, watch it, and write its result."""
        request = run_request.request_from(
            self.args,
            run_request.parse_params(self.args.setup),
            run_request.parse_params(self.args.plan_param),
        )
        submitted = run_request.submit(self.client, request, self._table(request), suggest_for)
        if not self.args.json:
            for guess in submitted.guesses:
                sys.stderr.write(f"{guess}\n")
        run_id = submitted.run["id"]
        if self.args.detach:
            self.write(submitted.run, lambda: run_id)
            return 0
        run = self._watch(run_id)
        self.write(run, lambda: run_text(run))
        return EXIT_CODES[run["status"]]

    def _table(self, request: run_request.RunRequest) -> run_request.Table:
        data = self.args.data
        if data is None:
            raise Invalid("Choose the data: --data with a file, a data source or a sample set.")
        if Path(data).is_file():
            name = decoded(Path(data).stem)
            return run_request.file_table(
                self.client,
                request,
                name,
                columns_of_file(data, request.dialect),
                lambda: self._upload(data, name, request.dialect),
            )
        if data in SAMPLE_SETS:
            return run_request.sample_table(data)
        return run_request.source_table(self.client, run_request.find_source(self.client, data))

    def _upload(self, file: str, name: str, dialect: JSON) -> DataSource:
        """Return the data source with the bytes of the file; upload it if there is none."""
        bar = Bar(sys.stderr, quiet=self.args.json)
        source, is_new = run_request.upload_once(
            self.client,
            file,
            name,
            filename=decoded(Path(file).name),
            dialect=dialect,
            on_progress=lambda done, total: bar.show(done, total, f"Uploading {name}"),
        )
        if not is_new:
            bar.write_line(f"Already uploaded: {source['name']}")
        bar.end()
        return source

    def _watch(self, run_id: str) -> Run:
        """Return the run when it has ended; Ctrl-C cancels it."""
        bar = Bar(sys.stderr, quiet=self.args.json)
        try:
            for event in self.client.runs.watch(run_id):
                payload = event["payload"]
                if event["kind"] == "run.progress":
                    bar.show(payload.get("done") or 0, payload.get("total") or 0, payload["label"])
                elif event["kind"] in ("model.scored", "model.failed", "data.changed"):
                    bar.write_line(event["message"])
        except KeyboardInterrupt:
            bar.write_line(
                f"Cancelling {run_request.run_name(self.client, self.client.runs.get(run_id))}"
            )
            self.client.runs.cancel(run_id)
        run = self.client.runs.wait(run_id)
        bar.end()
        return run


class RunsCommand(ClientCommand):
    """List runs, newest first."""

    name = "runs"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        parser.add_argument("--status", choices=["queued", "running", *sorted(ENDED)])
        parser.add_argument("--limit", type=int, default=20)

    def execute(self) -> int:
        """Write a line for each run."""
        filters: Any = {"status": self.args.status} if self.args.status else {}
        runs = self.client.runs.list(self.args.limit, **filters)
        self.write(
            runs,
            lambda: table(
                ("RUN", "STATUS", "PLAN", "PROGRESS", "BEST", "STARTED"),
                [
                    (
                        run["id"],
                        run["status"],
                        run["plan"]
                        if run["model_id"] is None
                        else f"{run['plan']} {run['model_id']}",
                        f"{run['progress'].get('done') or 0}/{run['progress'].get('total') or 0}",
                        run_request.best_model_text(run),
                        (run["started_at"] or run["queued_at"])[:19].replace("T", " "),
                    )
                    for run in runs
                ],
            ),
        )
        return 0


class RunIdCommand(ClientCommand):
    """A command for one run."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        parser.add_argument(
            "run", nargs="?", help="id of the run, or its beginning or end; default: the newest run"
        )

    def run_id(self) -> str:
        """Return the id of the run."""
        return run_request.find_run(self.client, self.args.run)


class ShowCommand(RunIdCommand):
    """Show the status and the leaderboard of a run."""

    name = "show"

    def execute(self) -> int:
        """Write the run."""
        run = self.client.runs.get(self.run_id())
        self.write(run, lambda: run_text(run))
        return 0


class CancelCommand(RunIdCommand):
    """Cancel a run, and wait until it has ended."""

    name = "cancel"

    def execute(self) -> int:
        """Cancel the run; return 0 unless it has ended otherwise."""
        run_id = self.run_id()
        self.client.runs.cancel(run_id)
        run = self.client.runs.wait(run_id)
        self.write(run, lambda: f"{run['status']} {run_id}")
        return 0 if run["status"] == "cancelled" else REFUSED


class KeepCommand(RunIdCommand):
    """Fit a model of a leaderboard on all rows and keep it."""

    name = "keep"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        parser.add_argument("model", help="id of the model, as on the leaderboard")
        super().add_arguments(parser)

    def execute(self) -> int:
        """Keep the model, and wait until that is done."""
        run_id = self.run_id()
        run = keep_model(self.client, run_id, self.args.model)
        self.write(
            run,
            lambda: (
                f"{self.args.model} is kept: jupyter pycaret-ops promote {run_id} "
                f"--model {self.args.model} --name NAME"
            ),
        )
        return 0


class PromoteCommand(RunIdCommand):
    """Promote the pipeline of a run under a name."""

    name = "promote"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, help="name of the pipeline")
        parser.add_argument(
            "--model",
            help="id of another model of the leaderboard than the best; it is kept before",
        )

    def execute(self) -> int:
        """Promote the pipeline."""
        pipeline = promote_model(
            self.client, self.run_id(), self.args.name, model_id=self.args.model
        )
        self.write(
            pipeline,
            lambda: (
                f"{pipeline['name']} v{pipeline['version']}, {pipeline['model_id']}: {pipeline['id']}"
            ),
        )
        return 0


_THRESHOLD = (
    "for two labels: the probability from which the last one is answered; default: the pipeline's"
)


class DeployCommand(ClientCommand):
    """Deploy a pipeline under an endpoint slug."""

    name = "deploy"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        parser.add_argument("pipeline", help="name (newest version), name:version or id")
        parser.add_argument(
            "--slug", help="slug of the endpoint; default: the name of the pipeline"
        )
        parser.add_argument(
            "--auth", choices=["workspace", "api-key", "public"], default="workspace"
        )
        parser.add_argument("--threshold", type=float, help=_THRESHOLD)

    def execute(self) -> int:
        """Deploy the pipeline."""
        workspace = self.client.default_project().workspace_id
        name, _, version = self.args.pipeline.partition(":")
        for pipeline in self.client.pipelines.list(workspace, limit=None):
            if pipeline["id"] == self.args.pipeline or (
                pipeline["name"] == name and version in ("", str(pipeline["version"]))
            ):
                break
        else:
            raise Invalid(f"There is no pipeline “{self.args.pipeline}”.")
        deployment = self.client.pipelines.deploy(
            pipeline["id"],
            self.args.slug or pipeline["name"],
            self.args.auth,
            self.args.threshold,
        )
        slug = deployment["endpoint_slug"]
        self.write(deployment, lambda: f"{self.client.address.api}/deployments/{slug}/predict")
        if self.args.auth == "public" and not self.args.json:
            host = urlsplit(self.client.address.api).netloc
            sys.stderr.write(f"Anyone who can reach {host} can call it, without a login or key.\n")
        return 0


class PredictCommand(ClientCommand):
    """Predict rows with a deployment."""

    name = "predict"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """See `ClientCommand.add_arguments`."""
        parser.add_argument("deployment", help="slug of the deployment")
        parser.add_argument(
            "--data",
            default="-",
            help="file with JSON (a row, or a list of rows) or CSV; default: standard input",
        )
        parser.add_argument("--proba", action="store_true", help="add probabilities")
        parser.add_argument("--threshold", type=float, help=_THRESHOLD)

    def execute(self) -> int:
        """Predict the rows, and write a line for each."""
        slug = self.args.deployment
        rows = self._rows(slug)
        predictions: list[Any] = []
        for start in range(0, len(rows), 10_000):
            result = self.client.deployments.predict(
                slug,
                rows[start : start + 10_000],
                proba=self.args.proba,
                threshold=self.args.threshold,
            )
            predictions += [{**one, "index": start + one["index"]} for one in result["predictions"]]
            for warning in result["warnings"]:
                sys.stderr.write(f"{warning}\n")
        self.write(
            predictions,
            lambda: "\n".join(
                "\t".join(
                    [str(one["prediction"]), *_probability_texts(one.get("probabilities") or {})]
                )
                for one in predictions
            ),
        )
        return 0

    def _rows(self, slug: str) -> list[JSON]:
        path = self.args.data
        text = _read(path)
        if path.endswith(".csv"):
            schema = self.client.deployments.schema(slug)["row"]["properties"]
            try:
                return [
                    {name: _typed(value, schema.get(name, {})) for name, value in row.items()}
                    for row in csv.DictReader(text.splitlines(), strict=True)
                ]
            except csv.Error as error:
                raise Invalid(f"{path} is not CSV: {error}.") from None
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError):
            raise Invalid("The rows are not JSON.") from None
        if isinstance(rows, dict):
            rows = rows.get("rows", [rows])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Invalid("The rows must be a JSON object, or a list of objects.")
        return rows


def _read(path: str) -> str:
    """Read a file, or standard input, as UTF-8 in any locale."""
    name = "Standard input" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8: byte {error.start + 1} is invalid.") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror or error}.") from None


def _typed(text: str | None, schema: FieldSchema) -> Any:
    """Convert a text of a CSV file to the type in the schema; the server refuses a text that does not match."""
    if text is None or text == "":
        return None
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    for kind, read in (("integer", int), ("number", float)):
        if kind in kinds:
            with suppress(ValueError):
                return read(text)
    if "boolean" in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _probability_texts(probabilities: dict[str, float]) -> list[str]:
    return [f"{label}={probability:.4f}" for label, probability in probabilities.items()]


def run_text(run: Run) -> str:
    """Return the status of a run and its leaderboard, as a text."""
    head = f"{run['status']} {run['id']}"
    if run["error"]:
        head += f"\n{run['error']}"
    elif run["status"] == "succeeded":
        head += "\n" + "\n".join([run_request.best_model_text(run), *run_request.result_texts(run)])
    metric = run["metrics_summary"].get("metric")
    board = leaderboard(leaderboard_of(run), metric, baseline_of(run))
    return f"{head}\n{board}" if board else head


COMMANDS: tuple[type[ClientCommand], ...] = (
    RunCommand,
    RunsCommand,
    DataCommand,
    ShowCommand,
    CancelCommand,
    KeepCommand,
    PromoteCommand,
    DeployCommand,
    PredictCommand,
)
