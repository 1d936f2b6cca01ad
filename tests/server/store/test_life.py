"""The life of runs, pipelines and deployments, played at random against a model that is small enough to be right."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.errors import Conflict, Invalid, NotFound, Stale
from jupyter_pycaret_ops.common.protocol import PIPELINE_KIND, SCHEMA_KIND
from jupyter_pycaret_ops.server.files.file_store import FileStore
from jupyter_pycaret_ops.server.lifecycle import ENDED, EVENT_OF, Move, Status
from jupyter_pycaret_ops.server.serving.promotion import promote
from jupyter_pycaret_ops.server.store import (
    data_sources,
    deployments,
    ingest,
    pipelines,
    projects,
    runs,
    workspaces,
)
from jupyter_pycaret_ops.server.store.access import Caller
from jupyter_pycaret_ops.server.store.paging import PageRequest
from jupyter_pycaret_ops.server.store.runs import RunFilter
from jupyter_pycaret_ops.server.store.session import Store

from ...fakes import HandClock
from ...fakes.backends import Backend, SqliteBackend
from ...fakes.records import INPUT_SCHEMA, World, said

ATTEMPTS = 2
ENDS = {EVENT_OF[move] for move in (Move.SUCCEED, Move.FAIL, Move.CANCEL)}
PICK = st.integers(0, 1_000)


@dataclass
class Home:
    """A workspace of the model, and the one person who is in it."""

    caller: Caller
    workspace_id: str
    experiment_id: str


@dataclass
class ModelRun:
    """What a run must be."""

    home: Home
    status: Status = Status.QUEUED
    attempt: int = 1
    cancel: bool = False
    said: int = 0
    kept: bool = False
    events: list[str] = field(default_factory=lambda: ["run.queued"])

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def end(self, move: Move, status: Status) -> None:
        self.status = status
        self.events.append(EVENT_OF[move])


class Life(RuleBasedStateMachine):
    """Two people in two workspaces; servers, agents and people act in any order."""

    backend: Backend

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="pco-life-"))
        self.url = self.backend.fresh(self.folder)
        self.store = Store(self.url)
        self.artifacts = FileStore(str(self.folder / "artifacts"))
        self.world = World(self.store, HandClock())
        self.runs: dict[str, ModelRun] = {}
        self.pipelines: dict[str, tuple[Home, str, int]] = {}
        self.slugs: dict[str, tuple[Home, str]] = {}
        self.homes: list[Home] = []

    @initialize()
    def people(self) -> None:
        world = self.world
        self.homes = [Home(world.ada, world.workspace.id, world.experiment.id)]
        bob = world.person("bob")
        theirs = world.make_workspace(bob)
        project = world.make_project(theirs.id, by=bob)
        fields = {"name": "e", "task": "classification", "setup_params": {}}
        experiment = self.store.write_now(projects.create_experiment, bob, project.id, fields)
        self.homes.append(Home(bob, theirs.id, experiment.id))

    def teardown(self) -> None:
        self.store.close()
        self.backend.drop(self.url)
        shutil.rmtree(self.folder)

    def now(self) -> Any:
        self.world.clock.advance(1)
        return self.world.clock.now()

    def one(self, pick: int, wanted: Callable[[ModelRun], bool] = lambda _: True) -> str | None:
        found = [run_id for run_id, run in self.runs.items() if wanted(run)]
        return found[pick % len(found)] if found else None

    # ---------------------------------------------------------------- people

    @rule(pick=PICK)
    def submit(self, pick: int) -> None:
        home = self.homes[pick % 2]
        run = self.world.submit(by=home.caller, experiment_id=home.experiment_id)
        self.runs[run.id] = ModelRun(home)

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        run_id = str(self.one(pick))
        run = self.runs[run_id]
        found = self.store.write_now(runs.request_cancel, run.home.caller, run_id, self.now())
        if run.status is Status.QUEUED:
            run.end(Move.CANCEL, Status.CANCELLED)
        elif run.status is Status.RUNNING and not run.cancel:
            run.cancel = True
            run.events.append("run.cancel_requested")
        assert found.status == run.status

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def delete_a_run(self, pick: int) -> None:
        run_id = str(self.one(pick))
        run = self.runs[run_id]
        if run.ended:
            self.store.write_now(runs.delete, run.home.caller, run_id)
            del self.runs[run_id]
        else:
            with pytest.raises(Conflict):
                self.store.write_now(runs.delete, run.home.caller, run_id)

    @precondition(lambda self: self.runs)
    @rule(pick=PICK, name=st.sampled_from(["iris", "wine"]))
    def promote(self, pick: int, name: str) -> None:
        run_id = str(self.one(pick))
        run = self.runs[run_id]

        def ask() -> Any:
            return asyncio.run(
                promote(
                    self.store,
                    self.artifacts,
                    run.home.caller,
                    run_id,
                    name=name,
                    description=None,
                    tags=[],
                    model_id=None,
                )
            )

        if run.status is not Status.SUCCEEDED or not run.kept:
            with pytest.raises(Invalid):
                ask()
            return
        made = ask()
        earlier = [v for home, n, v in self.pipelines.values() if home is run.home and n == name]
        assert made.version == max(earlier, default=0) + 1
        self.pipelines[made.id] = (run.home, name, made.version)

    @precondition(lambda self: self.pipelines)
    @rule(pick=PICK, slug=st.sampled_from(["one", "two", "three"]))
    def deploy(self, pick: int, slug: str) -> None:
        pipeline_id = list(self.pipelines)[pick % len(self.pipelines)]
        home = self.pipelines[pipeline_id][0]

        def ask() -> Any:
            return self.store.write_now(
                deployments.create, home.caller, pipeline_id, slug, "workspace"
            )

        if slug in self.slugs:
            with pytest.raises(Conflict):
                ask()
        else:
            ask()
            self.slugs[slug] = (home, pipeline_id)

    @precondition(lambda self: self.slugs)
    @rule(pick=PICK)
    def take_down(self, pick: int) -> None:
        slug = sorted(self.slugs)[pick % len(self.slugs)]
        home, _ = self.slugs.pop(slug)
        self.store.write_now(deployments.delete, home.caller, slug)

    @precondition(lambda self: self.pipelines)
    @rule(pick=PICK)
    def delete_a_pipeline(self, pick: int) -> None:
        pipeline_id = list(self.pipelines)[pick % len(self.pipelines)]
        home = self.pipelines[pipeline_id][0]
        if pipeline_id in {served for _, served in self.slugs.values()}:
            with pytest.raises(Conflict):
                self.store.write_now(pipelines.delete, home.caller, pipeline_id)
        else:
            self.store.write_now(pipelines.delete, home.caller, pipeline_id)
            del self.pipelines[pipeline_id]

    # ---------------------------------------------------------------- servers and agents

    @rule()
    def claim(self) -> None:
        waiting = [run_id for run_id, run in self.runs.items() if run.status is Status.QUEUED]
        found = self.world.claim()
        assert (found and found.id) == (min(waiting) if waiting else None)
        if found is not None:
            run = self.runs[found.id]
            run.status, run.said = Status.RUNNING, 0
            run.events.append(EVENT_OF[Move.CLAIM])
            assert found.attempt == run.attempt

    @precondition(lambda self: self.runs)
    @rule(pick=PICK, again=st.integers(0, 2), fresh=st.integers(0, 3), late=st.booleans())
    def say(self, pick: int, again: int, fresh: int, late: bool) -> None:
        """A batch that repeats some of what was said, from this attempt or from one that is over."""
        run_id = str(self.one(pick))
        run = self.runs[run_id]
        first = max(1, run.said - again + 1)
        batch = [said(n) for n in range(first, run.said + fresh + 1)]
        if not batch:
            return
        attempt = run.attempt - 1 if late else run.attempt
        if run.status is not Status.RUNNING or late:
            with pytest.raises(Stale):
                self.store.write_now(ingest.take_events, run_id, attempt, batch)
            return
        self.store.write_now(ingest.take_events, run_id, attempt, batch)
        run.said += fresh
        run.events += ["message"] * fresh

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def keep(self, pick: int) -> None:
        """The pipeline and its schema arrive."""
        run_id = self.one(pick, lambda run: run.status is Status.RUNNING)
        if run_id is None:
            return
        run = self.world.run(run_id)
        for kind, content in (
            (PIPELINE_KIND, b"x"),
            (SCHEMA_KIND, json.dumps(INPUT_SCHEMA).encode()),
        ):
            key = f"runs/{run_id}/{kind}"
            self.artifacts.put(key, content)
            self.world.make_artifact(run, kind, kind=kind, storage_key=key)
        self.runs[run_id].kept = True

    @precondition(lambda self: self.runs)
    @rule(
        pick=PICK,
        end=st.sampled_from(
            [
                (Move.SUCCEED, Status.SUCCEEDED),
                (Move.FAIL, Status.FAILED),
                (Move.CANCEL, Status.CANCELLED),
            ]
        ),
        late=st.booleans(),
    )
    def finish(self, pick: int, end: tuple[Move, Status], late: bool) -> None:
        run_id = str(self.one(pick))
        run = self.runs[run_id]
        attempt = run.attempt - 1 if late else run.attempt

        def ask() -> Any:
            return self.store.write_now(
                runs.finish, run_id, attempt, end[0], self.now(), message="Done"
            )

        if run.status is not Status.RUNNING or late:
            with pytest.raises(Stale):
                ask()
        else:
            ask()
            run.end(*end)

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        """The worker of a running run is gone."""
        run_id = self.one(pick, lambda run: run.status is Status.RUNNING)
        if run_id is None:
            return
        run = self.runs[run_id]
        self.store.write_now(runs.lose_worker, run_id, run.attempt, ATTEMPTS, self.now(), "Lost.")
        if run.cancel:
            run.end(Move.CANCEL, Status.CANCELLED)
        elif run.attempt < ATTEMPTS:
            run.status, run.attempt = Status.QUEUED, run.attempt + 1
            run.events.append(EVENT_OF[Move.REQUEUE])
        else:
            run.end(Move.FAIL, Status.FAILED)

    @rule(pick=PICK)
    def all_goes_well(self, pick: int) -> None:
        """The way to a pipeline, which chance alone finds too seldom."""
        self.submit(pick)
        run_id = list(self.runs)[-1]
        while self.runs[run_id].status is Status.QUEUED:
            self.claim()
        place = [key for key, run in self.runs.items() if run.status is Status.RUNNING]
        self.keep(place.index(run_id))
        self.finish(list(self.runs).index(run_id), (Move.SUCCEED, Status.SUCCEEDED), late=False)

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def the_records_are_what_the_model_says(self) -> None:
        for run_id, model in self.runs.items():
            run = self.world.run(run_id)
            assert (run.status, run.attempt) == (model.status, model.attempt)
            events = self.world.events(run_id)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert [event.kind for event in events] == model.events
            ends = [kind for kind in model.events if kind in ENDS]
            assert len(ends) == model.ended
            assert not model.ended or model.events[-1] in ENDS
            assert (run.leased_by is not None) == (model.status is Status.RUNNING)

    @invariant()
    def everybody_sees_what_is_theirs_and_nothing_else(self) -> None:
        self.store.read_now(self._see)  # a transaction for each look costs more than the looks

    def _see(self, session: Session) -> None:
        page = PageRequest(1000)
        for home in self.homes:
            mine = {run_id for run_id, run in self.runs.items() if run.home is home}
            listed = runs.list_page(session, home.caller, RunFilter(), page).rows
            assert {run.id for run in listed} == mine
            for run_id in self.runs.keys() - mine:
                with pytest.raises(NotFound):
                    runs.read(session, home.caller, run_id)
            kept = pipelines.list_page(session, home.caller, home.workspace_id, page)
            assert {(row.id, row.name, row.version) for row in kept.rows} == {
                (key, name, version)
                for key, (owner, name, version) in self.pipelines.items()
                if owner is home
            }
            served = deployments.list_page(session, home.caller, home.workspace_id, page)
            assert {row.endpoint_slug: row.pipeline_id for row in served.rows} == {
                slug: pipeline for slug, (owner, pipeline) in self.slugs.items() if owner is home
            }
            other = next(item for item in self.homes if item is not home)
            for look in (
                pipelines.list_page,
                deployments.list_page,
                data_sources.list_page,
                projects.list_page,
            ):
                with pytest.raises(NotFound):
                    look(session, home.caller, other.workspace_id, page)
            assert len(workspaces.list_page(session, home.caller, page).rows) == 1


def test_whatever_happens_in_whatever_order_the_records_are_what_the_model_says(
    backend: Backend,
) -> None:
    class OnThis(Life):
        pass

    OnThis.backend = backend
    run_state_machine_as_test(
        OnThis,
        settings=settings(
            max_examples=20 if isinstance(backend, SqliteBackend) else 5,
            stateful_step_count=30,
            deadline=None,
            # not shortened: each try costs a database, and the steps that failed are printed anyway
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
