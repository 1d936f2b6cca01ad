"""Fixtures of the engine tests: a recording reporter and small DataFrames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.common.task_types import TASK_TYPES
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine.global_state import load_engine


@pytest.fixture(scope="session", autouse=True)
def loaded():
    """Import PyCaret once, before any test measures time."""
    for task in TASK_TYPES:
        load_engine(task)


@pytest.fixture(scope="module", autouse=True)
def as_in_a_kernel(loaded: None, one_thread: None) -> None:
    """Limit the threads of all that was loaded."""


@pytest.fixture(autouse=True)
def only_plots_that_are_asked_for(request: pytest.FixtureRequest) -> None:
    """Draw the plots of runs where a test uses `drawn` only."""
    if "drawn" not in request.fixturenames:
        request.getfixturevalue("no_plots")


@pytest.fixture
def drawn() -> None:
    """Draw the plots of runs, as a kernel does: for tests of plots, and of what a whole run must not do."""


DATASETS = Path(__file__).parents[4] / "shared" / "datasets"


class Recorder:
    """A reporter that records everything and refuses values that are not plain JSON."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.artifacts: dict[str, bytes] = {}
        self.on_event: Callable[[str, dict[str, Any]], None] = lambda kind, payload: None
        self.on_checkpoint: Callable[[], None] = lambda: None

    def event(
        self,
        kind: str,
        message: str,
        payload: dict[str, Any] | None = None,
        duration_ms: float | None = None,
    ) -> None:
        json.dumps([kind, message, payload, duration_ms], allow_nan=False)
        assert type(kind) is str
        assert message
        event = {"kind": kind, "message": message, "payload": payload or {}}
        self.events.append(event)
        self.on_event(kind, event["payload"])

    def checkpoint(self) -> None:
        self.on_checkpoint()

    def artifact(
        self,
        filename: str,
        kind: str,
        content: bytes,
        content_type: str,
        model_id: str | None = None,
    ) -> None:
        assert isinstance(content, bytes)
        self.artifacts[filename] = content

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        return [event["payload"] for event in self.events if event["kind"] == kind]

    def change(self, change: str) -> dict[str, Any]:
        found = [p for p in self.payloads("data.changed") if p["change"] == change]
        assert found, (
            f"no {change} in {[p['change'] for p in self.payloads('data.report_data_change')]}"
        )
        return found[0]

    @property
    def schema(self) -> dict[str, Any]:
        return json.loads(self.artifacts["input_schema.json"])

    def pipeline(self, model_id: str) -> Any:
        import cloudpickle

        return cloudpickle.loads(self.artifacts[f"pipeline-{model_id}.pkl"])


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def plan(recorder: Recorder) -> Callable[..., engine.PlanResult]:
    """Run a plan on a frame: `plan(frame, "label", task=…, plan=…, fold=3, **plan_params)`."""

    def run(
        frame: Any,
        target: str | None,
        *,
        task: str = "classification",
        plan: str = "create",
        model_id: str | None = None,
        setup: dict[str, Any] | None = None,
        metric: str | None = None,
        holdout_rows: int | None = None,
        **plan_params: Any,
    ) -> engine.PlanResult:
        if plan == "create" and model_id is None:
            model_id = "dt"
        spec = RunSpec(
            run_id="r",
            attempt=1,
            task=task,
            plan=plan,
            data=DataSpec("frame"),
            target=target,
            model_id=model_id,
            setup_params={**({} if target is None else {"fold": 3}), **(setup or {})},
            plan_params=plan_params,
            metric=metric,
            holdout=None if holdout_rows is None else DataSpec("frame", {"rows": holdout_rows}),
        )
        return engine.run_plan(spec, frame, recorder)

    return run


@pytest.fixture
def iris() -> Any:
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    frame = bunch.data.copy()
    frame.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    frame["species"] = [str(bunch.target_names[i]) for i in bunch.target]
    return frame


@pytest.fixture
def diabetes() -> Any:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True)
    return bunch.frame[:150]


@pytest.fixture
def frame() -> Any:
    """Return 60 rows with two numbers, a text column and two alternating labels."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    label = np.arange(60) % 2
    return pd.DataFrame(
        {
            "a": label + random.normal(0, 0.4, 60),
            "b": random.normal(0, 1, 60),
            "town": np.where(random.random(60) < 0.5, "Bern", "Lyon"),
            "label": np.where(label == 1, "yes", "no"),
        }
    )


@pytest.fixture
def dataset() -> Callable[[str], Any]:
    """Read one of the shared data sets, or skip the test."""
    import pandas as pd

    def read(name: str) -> Any:
        if not (DATASETS / name).exists():
            pytest.skip(f"the shared data set {name} is not here")
        return pd.read_csv(DATASETS / name)

    return read
