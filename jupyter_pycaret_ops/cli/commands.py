"""`run`, `runs`, `show`, `cancel`, `promote`, `deploy`, `predict`: a server called from a terminal.

Exit codes: 0 done, 1 refused or not found, 2 wrong words, 3 the run failed, 4 it was cancelled, 5 no server.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

from jupyter_core.application import JupyterApp

from .. import __version__
from ..client import Client, NoServer, Unreachable
from ..client import run_request as words
from ..client.records import ENDED, JSON, DataSource, Run
from ..common.engine_facts import SAMPLE_SETS
from ..common.errors import Invalid, OpsError
from ..common.tables.inference import suggest_for
from ..common.tables.local_file import columns_of_file
from .output import readable
from .rendering import Bar, leaderboard, table

REFUSED, WRONG_WORDS, FAILED, CANCELLED, NO_SERVER = 1, 2, 3, 4, 5
EXIT_OF = {"succeeded": 0, "failed": FAILED, "cancelled": CANCELLED}


class Call(JupyterApp):
    """A command that calls a server; subclasses say which words they take and what they do."""

    version = __version__
    #: what is filled in by `start`
    client: Client
    words: argparse.Namespace
    _class_help: ClassVar[str] = ""

    @classmethod
    def summary(cls) -> str:
        """What the command does, in a sentence."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own words."""

    def act(self) -> int:
        """Do it; the exit code."""
        raise NotImplementedError

    def initialize(self, argv: Any = None) -> None:
        """Read the words."""
        parser = argparse.ArgumentParser(
            prog=f"jupyter pycaret-ops {self.name}", description=self.summary()
        )
        self.add_words(parser)
        parser.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
        parser.add_argument(
            "--url", help="the server; default: $PYCARET_OPS_URL, else the one that runs"
        )
        parser.add_argument(
            "--token",
            help="its token, or an API key; better: $PYCARET_OPS_TOKEN, which no one sees",
        )
        trust = parser.add_mutually_exclusive_group()
        trust.add_argument(
            "--ca", metavar="FILE", help="certificates to trust as well; default: $PYCARET_OPS_CA"
        )
        trust.add_argument(
            "--no-verify", action="store_true", help="trust whatever certificate the server has"
        )
        said = sys.argv[1:] if argv is None else argv
        # the name of a file stays as it is: so it is opened
        self.words = parser.parse_args(
            [word if Path(word).exists() else readable(word) for word in said]
        )

    def start(self) -> None:
        """Call the server; exit with the code that tells."""
        try:
            verify = self.words.ca or not self.words.no_verify
            with Client(self.words.url, self.words.token, verify=verify) as self.client:
                try:
                    code = self.act()
                except OpsError as error:
                    if not isinstance(error, NoServer | Unreachable):
                        error.message = words.with_names(self.client, error.message)
                    raise
        except OpsError as error:
            self._give_up(error)
        except KeyboardInterrupt:
            code = 130
        sys.exit(code)

    def _give_up(self, error: OpsError) -> NoReturn:
        if self.words.json:
            body: JSON = {"message": error.message, "reason": error.reason}
            if error.errors:
                body["errors"] = error.errors
            sys.stderr.write(_json(body) + "\n")
        else:
            sys.stderr.write(f"{error.message}\n")
            for fault in (error.errors or [])[1:]:
                sys.stderr.write(f"{fault['msg']}\n")
        sys.exit(NO_SERVER if isinstance(error, NoServer | Unreachable) else REFUSED)

    def say(self, row: Any, text: Callable[[], str]) -> None:
        """Write the row as JSON, or the text for people."""
        out = _json(row, indent=2) if self.words.json else text()
        sys.stdout.write(out + "\n")
        sys.stdout.flush()


class RunCall(Call):
    """Start a plan and watch it to its end."""

    name = "run"

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """PLAN and its options."""
        words.add_words(parser)
        parser.add_argument(
            "--setup", metavar="NAME=VALUE", action="append", default=[], help="a set-up parameter"
        )
        parser.add_argument(
            "--plan-param",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="one of the plan",
        )
        parser.add_argument("--detach", action="store_true", help="do not wait for the end")

    def act(self) -> int:
        """Submit, watch, and say how it ended."""
        question = words.question_of(
            self.words, words.assigned(self.words.setup), words.assigned(self.words.plan_param)
        )
        asked = words.ask(self.client, question, self._table(question), suggest_for)
        if not self.words.json:
            for sentence in asked.guessed:
                sys.stderr.write(f"{sentence}\n")
        run_id = asked.run["id"]
        if self.words.detach:
            self.say(asked.run, lambda: run_id)
            return 0
        row = self._watched(run_id)
        self.say(row, lambda: ended(row))
        return EXIT_OF[row["status"]]

    def _table(self, question: words.Question) -> words.Table:
        data = self.words.data
        if data is None:
            raise Invalid(
                "Say what to train on: --data FILE, a data source's name, or a sample set."
            )
        if Path(data).is_file():
            name = readable(Path(data).stem)
            return words.file_table(
                self.client, question, name, columns_of_file(data), lambda: self._upload(data, name)
            )
        if data in SAMPLE_SETS:
            return words.sample_table(data)
        return words.source_table(self.client, words.find_source(self.client, data))

    def _upload(self, file: str, name: str) -> DataSource:
        """The file as a data source: the one that has its bytes already, else a new one."""
        bar = Bar(sys.stderr, quiet=self.words.json)
        source, is_new = words.upload_once(
            self.client,
            file,
            name,
            filename=readable(Path(file).name),
            on_progress=lambda done, total: bar.show(done, total, f"Uploading {name}"),
        )
        if not is_new:
            bar.line(f"Already uploaded: {source['name']}")
        bar.end()
        return source

    def _watched(self, run_id: str) -> Run:
        """The run when it has ended; Ctrl-C cancels it."""
        bar = Bar(sys.stderr, quiet=self.words.json)
        try:
            for event in self.client.runs.watch(run_id):
                payload = event["payload"]
                if event["kind"] == "run.progress":
                    bar.show(payload.get("done") or 0, payload.get("total") or 0, payload["label"])
                elif event["kind"] in ("model.scored", "model.failed", "data.changed"):
                    bar.line(event["message"])
        except KeyboardInterrupt:
            bar.line(f"Cancelling {words.run_name(self.client, self.client.runs.get(run_id))}")
            self.client.runs.cancel(run_id)
        row = self.client.runs.wait(run_id)
        bar.end()
        return row


class RunsCall(Call):
    """List runs, newest first."""

    name = "runs"

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """How many, and in which state."""
        parser.add_argument("--status", choices=["queued", "running", *sorted(ENDED)])
        parser.add_argument("--limit", type=int, default=20)

    def act(self) -> int:
        """A line for each run."""
        narrow: Any = {"status": self.words.status} if self.words.status else {}
        rows = self.client.runs.list(self.words.limit, **narrow)
        self.say(
            rows,
            lambda: table(
                ("RUN", "STATUS", "PLAN", "PROGRESS", "BEST", "STARTED"),
                [
                    (
                        row["id"],
                        row["status"],
                        row["plan"]
                        if row["model_id"] is None
                        else f"{row['plan']} {row['model_id']}",
                        f"{row['progress'].get('done') or 0}/{row['progress'].get('total') or 0}",
                        words.best_of(row),
                        (row["started_at"] or row["queued_at"])[:19].replace("T", " "),
                    )
                    for row in rows
                ],
            ),
        )
        return 0


class OneRun(Call):
    """A command about one run."""

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """Which run."""
        parser.add_argument(
            "run", nargs="?", help="its id, or the beginning or end of it; default: the newest"
        )

    def run_id(self) -> str:
        """The run that is meant."""
        return words.find_run(self.client, self.words.run)


class ShowCall(OneRun):
    """Show a run: how it stands, and its leaderboard."""

    name = "show"

    def act(self) -> int:
        """The run and its leaderboard."""
        row = self.client.runs.get(self.run_id())
        self.say(row, lambda: ended(row))
        return 0


class CancelCall(OneRun):
    """Cancel a run, and wait until it has ended."""

    name = "cancel"

    def act(self) -> int:
        """Cancel; 0 unless the run had ended otherwise."""
        run_id = self.run_id()
        self.client.runs.cancel(run_id)
        row = self.client.runs.wait(run_id)
        self.say(row, lambda: f"{row['status']} {run_id}")
        return 0 if row["status"] == "cancelled" else REFUSED


class PromoteCall(OneRun):
    """Keep a run's pipeline under a name."""

    name = "promote"

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """Which run, which name."""
        super().add_words(parser)
        parser.add_argument("--name", required=True, help="the pipeline's name")
        parser.add_argument("--model", help="another kept model than the best")

    def act(self) -> int:
        """Promote."""
        row = self.client.pipelines.promote(
            self.run_id(), self.words.name, model_id=self.words.model
        )
        self.say(row, lambda: f"{row['name']} v{row['version']}, {row['model_id']}: {row['id']}")
        return 0


class DeployCall(Call):
    """Put a pipeline behind an endpoint."""

    name = "deploy"

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """Which pipeline, which endpoint."""
        parser.add_argument("pipeline", help="its name (newest version), name:version, or id")
        parser.add_argument("--slug", help="the endpoint's name; default: the pipeline's")
        parser.add_argument(
            "--auth", choices=["workspace", "api-key", "public"], default="workspace"
        )

    def act(self) -> int:
        """Deploy."""
        rows = self.client.pipelines.list(self.client.home().workspace_id, limit=None)
        name, _, version = self.words.pipeline.partition(":")
        for row in rows:
            if row["id"] == self.words.pipeline or (
                row["name"] == name and version in ("", str(row["version"]))
            ):
                break
        else:
            raise Invalid(f"There is no pipeline “{self.words.pipeline}”.")
        made = self.client.pipelines.deploy(
            row["id"], self.words.slug or row["name"], self.words.auth
        )
        slug = made["endpoint_slug"]
        self.say(made, lambda: f"{self.client.address.api}/deployments/{slug}/predict")
        if self.words.auth == "public" and not self.words.json:
            host = urlsplit(self.client.address.api).netloc
            sys.stderr.write(f"Anyone who reaches {host} can call it, without a login or a key.\n")
        return 0


class PredictCall(Call):
    """Predict rows with a deployment."""

    name = "predict"

    def add_words(self, parser: argparse.ArgumentParser) -> None:
        """Which deployment, which rows."""
        parser.add_argument("deployment", help="its slug")
        parser.add_argument(
            "--data",
            default="-",
            help="JSON (a row, or a list of rows) or a CSV file; default: standard input",
        )
        parser.add_argument("--proba", action="store_true", help="with probabilities")

    def act(self) -> int:
        """Predict; a line for each row."""
        slug = self.words.deployment
        rows = self._rows(slug)
        answers: list[Any] = []
        for start in range(0, len(rows), 10_000):
            part = self.client.deployments.predict(
                slug, rows[start : start + 10_000], proba=self.words.proba
            )
            answers += [{**one, "index": start + one["index"]} for one in part["predictions"]]
            for warning in part["warnings"]:
                sys.stderr.write(f"{warning}\n")
        self.say(
            answers,
            lambda: "\n".join(
                "\t".join([str(one["prediction"]), *_shares(one.get("probabilities") or {})])
                for one in answers
            ),
        )
        return 0

    def _rows(self, slug: str) -> list[JSON]:
        path = self.words.data
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
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise Invalid("The rows are not JSON.") from None
        if isinstance(found, dict):
            found = found.get("rows", [found])
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Invalid("The rows are a JSON object, or a list of such.")
        return found


def _read(path: str) -> str:
    """A file, or standard input, in UTF-8 whatever the terminal has."""
    name = "Standard input" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8: byte {error.start + 1} is not.") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror or error}.") from None


def _json(value: Any, indent: int | None = None) -> str:
    """JSON that every terminal takes: what it cannot write is escaped."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("_", "-")
    return json.dumps(value, ensure_ascii=encoding not in ("utf-8", "utf8"), indent=indent)


def _typed(text: str | None, schema: JSON) -> Any:
    """A CSV's text as what the schema wants; what does not fit stays text, and the server says so."""
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


def _shares(probabilities: dict[str, float]) -> list[str]:
    return [f"{label}={share:.4f}" for label, share in probabilities.items()]


def ended(row: Run) -> str:
    """How a run stands, and its leaderboard."""
    head = f"{row['status']} {row['id']}"
    if row["error"]:
        head += f"\n{row['error']}"
    elif row["status"] == "succeeded":
        head += f"\n{words.best_of(row)}"
    board = leaderboard(row["leaderboard"], row["metrics_summary"].get("metric"))
    return f"{head}\n{board}" if board else head


COMMANDS: tuple[type[Call], ...] = (
    RunCall,
    RunsCall,
    ShowCall,
    CancelCall,
    PromoteCall,
    DeployCall,
    PredictCall,
)
