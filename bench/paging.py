"""Time of a page of long tables (100,000 runs, 1,000,000 events), over the same page of short ones."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from jupyter_pycaret_ops.server.store import artifacts, events, runs, workspaces
from jupyter_pycaret_ops.server.store.access import Caller
from jupyter_pycaret_ops.server.store.bootstrap import ensure_schema
from jupyter_pycaret_ops.server.store.models import Event, FoldMetric, Run
from jupyter_pycaret_ops.server.store.paging import PageRequest
from jupyter_pycaret_ops.server.store.session import Store
from tests.fakes import HandClock
from tests.fakes.records import World
from tests.postgres import Cluster, binaries

from . import report

#: runs, events of one of them, and its metrics
SHORT = (1_000, 1_000, 1_000)
LONG = (100_000, 1_000_000, 100_000)
ROUNDS = 60
#: as long as the leaderboard of a compare
LEADERBOARD = [{"model_id": f"m{n}", "Accuracy": 0.5, "folds": [0.5] * 10} for n in range(16)]
#: how many of the runs have failed
FAILED = 20
#: prefix of ids newer than those of single rows
COPIES = "ffffffff-ffff-7000-8000-"

Query = Callable[[], Any]


@dataclass
class Tables:
    """A store with the given numbers of rows, and the queries to measure."""

    world: World
    size: tuple[int, int, int]
    run_id: str = ""
    pages: dict[str, Query] = field(default_factory=dict)

    def fill(self) -> None:
        """Copy one run, one event and one metric in the database."""
        store = self.world.store
        count, event_count, metric_count = self.size
        postgresql = store.engine.dialect.name == "postgresql"
        number = "lpad(to_hex(i), 12, '0')" if postgresql else "printf('%012x', i)"
        uuid = f"'{COPIES}' || {number}"
        run = self.world.in_state(runs.Status.SUCCEEDED)
        self.run_id = run.id
        with store.engine.begin() as connection:
            connection.execute(
                Run.__table__.update().where(Run.id == run.id), {"leaderboard": LEADERBOARD}
            )
            connection.execute(
                FoldMetric.__table__.insert(),
                {"run_id": run.id, "model_id": "m", "fold_idx": 0, "metric_name": "AUC"},
            )

            def copy(table: Any, where: str, many: int, **change: str) -> None:
                names = [column.name for column in table.__table__.columns]
                values = [change.get(name, name) for name in names]
                connection.execute(
                    text(
                        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) "
                        f"INSERT INTO {table.__tablename__} ({', '.join(names)}) "
                        f"SELECT {', '.join(values)} FROM {table.__tablename__}, n WHERE {where}"
                    ),
                    {"run": run.id},
                )

            status = f"CASE i % {count // FAILED} WHEN 0 THEN 'failed' ELSE status END"
            copy(Run, "id = :run", count, id=uuid, status=status)
            copy(
                Event, "run_id = :run AND seq = 1", event_count, seq="i + 1000", n="i", attempt="9"
            )
            copy(FoldMetric, "run_id = :run", metric_count, id=uuid, fold_idx="i")
        if postgresql:
            with store.engine.connect() as connection:
                # as autovacuum does
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))

    def newcomer(self) -> Caller:
        """Return a user whose workspace has three runs, older than all others."""
        world = self.world
        workspace = world.make_workspace(world.ada)
        person = world.person("bob")
        add = {"name": "bob", "role": "viewer"}
        world.store.write_now(workspaces.add_member, world.ada, workspace.id, **add)
        experiment = world.make_experiment(world.make_project(workspace.id).id)
        for _ in range(3):
            world.submit(experiment_id=experiment.id)
        return person

    def find_pages(self) -> None:
        world, read = self.world, self.world.store.read_now
        count, event_count, _ = self.size
        middle = f"{COPIES}{count // 2:012x}"

        def run_page(cursor: str | None = None, by: Caller = world.ada, **filters: Any) -> Query:
            page = PageRequest(100, cursor)
            return lambda: read(runs.list_page, by, runs.RunFilter(**filters), page)

        place = {"workspace_id": world.workspace.id}
        self.pages = {
            "runs of a workspace": run_page(**place),
            "runs, from the middle": run_page(middle, **place),
            "runs of all workspaces": run_page(),
            "runs of a user with few": run_page(by=self.newcomer()),
            "runs of a project": run_page(project_id=world.project.id),
            "runs of an experiment": run_page(experiment_id=world.experiment.id),
            "runs that failed, few": run_page(status="failed", **place),
            "runs that failed, of an experiment": run_page(
                status="failed", experiment_id=world.experiment.id
            ),
            "runs of an unused plan": run_page(plan="tune", **place),
            "runs on an unused data source": run_page(
                data_source_id=world.make_source().id, **place
            ),
            "runs that failed, of all workspaces": run_page(status="failed"),
            "events, first": lambda: read(events.after, self.run_id, 0, 100),
            "events, last": lambda: read(events.after, self.run_id, 900 + event_count, 100),
            "metrics of a run": lambda: read(
                artifacts.fold_metrics, world.ada, self.run_id, PageRequest(100)
            ),
            "metrics, from the middle": lambda: read(
                artifacts.fold_metrics, world.ada, self.run_id, PageRequest(100, middle)
            ),
        }


@contextmanager
def databases() -> Iterator[dict[str, Callable[[str], str]]]:
    """Yield the available kinds of databases, each with a function that creates one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found: dict[str, Callable[[str], str]] = {
            "SQLite": lambda name: f"sqlite:///{folder / name}.db"
        }
        installed = binaries()
        if installed is not None:
            cluster = Cluster(installed)
            stack.callback(cluster.stop)
            found["PostgreSQL"] = lambda _: cluster.url(cluster.create())
        yield found


def filled(url: str, size: tuple[int, int, int]) -> Tables:
    ensure_schema(url, auto_migrate=True)
    tables = Tables(World(Store(url), HandClock()), size)
    tables.fill()
    tables.find_pages()
    return tables


def timed(query: Query) -> float:
    started_at = time.perf_counter()
    query()
    return time.perf_counter() - started_at


def compare(kind: str, short: Tables, long: Tables) -> None:
    for name, query in long.pages.items():
        long_s, short_s = [], []
        for _ in range(ROUNDS):
            long_s.append(timed(query))
            short_s.append(timed(short.pages[name]))
        report.ratio(
            f"{kind}, {name}: long / short", report.median(long_s) / report.median(short_s), "≤ 1.5"
        )
        report.figure("long", report.median(long_s) * 1000, "ms")
        report.figure("short", report.median(short_s) * 1000, "ms")


def run() -> None:
    with databases() as found:
        for kind, make in found.items():
            short, long = filled(make("short"), SHORT), filled(make("long"), LONG)
            try:
                compare(kind, short, long)
            finally:
                short.world.store.close()
                long.world.store.close()
