"""Submissions are checked before a run is queued."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Invalid, NotFound
from jupyter_pycaret_ops.server.files.file_store import FileStore
from jupyter_pycaret_ops.server.runs.submission import Submission, Submissions
from jupyter_pycaret_ops.server.store import data_sources
from jupyter_pycaret_ops.server.store.runs import NewRun

from ...fakes.engine import DESCRIPTION
from ...fakes.records import POOL, World


class FakeEngine:
    """An engine with a fixed description."""

    async def get(self) -> dict[str, Any]:
        return DESCRIPTION

    async def task(self, task_id: str) -> dict[str, Any]:
        return next(task for task in DESCRIPTION["tasks"] if task["id"] == task_id)


class Harness:
    """Submissions with a store, a file store and a fake engine."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.artifacts = FileStore(str(folder / "artifacts"))
        self.submissions = Submissions(world.store, self.artifacts, FakeEngine(), POOL)  # type: ignore[arg-type]

    def check(self, experiment_id: str | None = None, **submission: Any) -> NewRun:
        fields: dict[str, Any] = {"plan": "compare", "sklearn_dataset": "iris"}
        return asyncio.run(
            self.submissions.check(
                self.world.ada,
                experiment_id or self.world.experiment.id,
                Submission(**{**fields, **submission}),
            )
        )


@pytest.fixture
def harness(world: World, tmp_path: Path) -> Harness:
    return Harness(world, tmp_path)


def test_valid_submission_becomes_a_run_with_a_complete_snapshot(
    harness: Harness,
) -> None:
    before = copy.deepcopy(DESCRIPTION)
    new = harness.check(
        plan_params={"include": ["lr", "dt"], "sort": "LogLoss", "n_select": 2},
        setup_params={"fold": 3, "session_id": 7},
    )
    assert (new.plan, new.metric, new.greater_is_better) == ("compare", "LogLoss", False)
    assert new.data == {"kind": "sklearn", "options": {"name": "iris"}}
    assert (
        new.snapshot.items()
        >= {
            "task": "classification",
            "target": "target",
            "seed": 7,
            "plan": "compare",
            "setup_params": {"fold": 3, "session_id": 7},
            "plan_params": {"include": ["lr", "dt"], "sort": "LogLoss", "n_select": 2},
            "versions": DESCRIPTION["versions"],
        }.items()
    )
    assert before == DESCRIPTION


def test_setup_params_override_those_of_the_experiment(harness: Harness) -> None:
    experiment = harness.world.make_experiment(setup_params={"fold": 5, "normalize": True})
    new = harness.check(experiment.id, setup_params={"fold": 3})
    assert new.snapshot["setup_params"] == {"fold": 3, "normalize": True}


def test_setup_params_of_the_experiment_are_checked(harness: Harness) -> None:
    experiment = harness.world.make_experiment(setup_params={"fold": 1})
    with pytest.raises(Invalid, match="fold"):
        harness.check(experiment.id)


def test_target_of_submission_overrides_data_set_and_experiment(harness: Harness) -> None:
    inline = {"sklearn_dataset": None, "data_inline": [{"x": 1, "y": 0, "z": 1}]}
    assert harness.check(**inline).snapshot["target"] == "y"  # the experiment's
    assert harness.check(**inline, target="z").snapshot["target"] == "z"
    assert harness.check().snapshot["target"] == "target"  # the data set brings it
    assert harness.check(target="species").snapshot["target"] == "species"


def test_inline_rows_are_stored_for_the_kernel(harness: Harness) -> None:
    rows = [{"x": 1, "y": 0}, {"x": None, "y": 1}]
    new = harness.check(sklearn_dataset=None, data_inline=rows)
    assert new.data["kind"] == "inline"
    assert new.snapshot["data_rows"] == 2
    stored = harness.artifacts.read(new.data["storage_key"])
    assert stored == b'[{"x":1,"y":0},{"x":null,"y":1}]'


def test_run_has_digest_and_format_of_its_upload(harness: Harness) -> None:
    config = {
        "filename": "d.csv",
        "sha256": "ab",
        "rows": 9,
        "encoding": "latin-1",
        "delimiter": ";",
        "columns": [{"name": "x", "dtype": "number"}, {"name": "y", "dtype": "integer"}],
    }
    source = harness.world.make_source(config=config, storage_key="sources/1")
    new = harness.check(sklearn_dataset=None, data_source_id=source.id)
    assert new.data == {
        "kind": "csv_upload",
        "options": {"encoding": "latin-1", "delimiter": ";", "columns": ["x", "y"]},
        "storage_key": "sources/1",
    }
    assert (new.snapshot["data_sha256"], new.snapshot["data_rows"]) == ("ab", 9)
    assert new.data_source_id == source.id
    with pytest.raises(Invalid, match=r"target “z” is not a column of the data; it has x, y"):
        harness.check(sklearn_dataset=None, data_source_id=source.id, target="z")


INLINE = {"sklearn_dataset": None, "data_inline": [{"x": 1, "y": 0}]}
BAD: dict[str, tuple[dict[str, Any], str, list[str | int]]] = {
    "no data": ({"sklearn_dataset": None}, "exactly one of", ["data_source_id"]),
    "data twice": ({"data_inline": [{"y": 1}]}, "exactly one of", ["data_inline"]),
    "no such data set": ({"sklearn_dataset": "titanic"}, "titanic", ["sklearn_dataset"]),
    "no row": ({"sklearn_dataset": None, "data_inline": []}, "no row", ["data_inline"]),
    "no such source": (
        {"sklearn_dataset": None, "data_source_id": "00000000-0000-0000-0000-000000000000"},
        "no such data source",
        ["data_source_id"],
    ),
    "no such plan": ({"plan": "dream"}, "no plan “dream”", ["plan"]),
    "create without model": ({"plan": "create"}, "needs a model_id", ["model_id"]),
    "compare with model": ({"model_id": "lr"}, "takes no model_id", ["model_id"]),
    "no such model": ({"plan": "create", "model_id": "svm9"}, "no model “svm9”", ["model_id"]),
    "model without its extra": (
        {"plan": "create", "model_id": "catboost"},
        r"jupyter-pycaret-ops\[boosting\]",
        ["model_id"],
    ),
    "include of no such model": (
        {"plan_params": {"include": ["lr", "svm9"]}},
        "no model “svm9”",
        ["plan_params", "include", 1],
    ),
    "exclude of no such model": (
        {"plan_params": {"exclude": ["svm9"]}},
        "no model “svm9”",
        ["plan_params", "exclude", 0],
    ),
    "no such plan parameter": (
        {"plan_params": {"colour": 1}},
        "no parameter “colour”",
        ["plan_params", "colour"],
    ),
    "plan parameter of a wrong type": (
        {"plan_params": {"n_select": "two"}},
        "n_select",
        ["plan_params", "n_select"],
    ),
    "plan parameter out of range": (
        {"plan_params": {"time_limit": 0}},
        "time_limit",
        ["plan_params", "time_limit"],
    ),
    "a list with a wrong item": (
        {"plan_params": {"include": [5]}},
        "include",
        ["plan_params", "include", 0],
    ),
    "no such metric": (
        {"plan_params": {"sort": "Luck"}},
        "no metric “Luck”",
        ["plan_params", "sort"],
    ),
    "no such set-up parameter": (
        {"setup_params": {"colour": 1}},
        "no parameter “colour”",
        ["setup_params", "colour"],
    ),
    "set-up parameter out of range": (
        {"setup_params": {"fold": 1}},
        "fold",
        ["setup_params", "fold"],
    ),
    "set-up parameter of a wrong type": (
        {"setup_params": {"normalize": "yes"}},
        "normalize",
        ["setup_params", "normalize"],
    ),
    "no such model parameter": (
        {"plan": "create", "model_id": "lr", "plan_params": {"gamma": 1}},
        "no parameter “gamma”",
        ["plan_params", "gamma"],
    ),
    "model parameter out of range": (
        {"plan": "create", "model_id": "lr", "plan_params": {"C": -1}},
        "C: ",
        ["plan_params", "C"],
    ),
    "target that is no column": ({**INLINE, "target": "z"}, "target “z”", ["target"]),
}


@pytest.mark.parametrize("what", list(BAD))
def test_each_error_has_a_message_and_a_location(harness: Harness, what: str) -> None:
    submission, message, loc = BAD[what]
    with pytest.raises(Invalid, match=message) as refused:
        harness.check(**submission)
    assert loc in [error["loc"] for error in refused.value.errors or ()]
    assert not list((Path(harness.artifacts.url)).rglob("*.json"))


def test_all_errors_are_raised_together(harness: Harness) -> None:
    with pytest.raises(Invalid) as refused:
        harness.check(
            plan_params={"n_select": 0, "include": ["svm9"]},
            setup_params={"fold": 1, "colour": 2},
        )
    assert len(refused.value.errors or ()) == 4


def test_supervised_run_needs_a_target(harness: Harness) -> None:
    experiment = harness.world.make_experiment(target=None)
    with pytest.raises(Invalid, match="needs a target"):
        harness.check(experiment.id, **INLINE)
    clustering = harness.world.make_experiment(target=None, task="clustering")
    assert harness.check(clustering.id, **INLINE).snapshot["target"] is None


def test_unavailable_task_names_its_extra(harness: Harness) -> None:
    experiment = harness.world.make_experiment(task="anomaly", target=None)
    with pytest.raises(Invalid, match=r"pip install 'jupyter-pycaret-ops\[anomaly\]'"):
        harness.check(experiment.id, **INLINE)


def test_source_of_another_workspace_is_not_found(harness: Harness) -> None:
    world = harness.world
    elsewhere = world.make_workspace(world.ada)
    project = world.make_project(elsewhere.id)
    experiment = world.make_experiment(project.id)
    source = world.make_source()
    with pytest.raises(Invalid, match="no such data source"):
        harness.check(experiment.id, sklearn_dataset=None, data_source_id=source.id)


def test_unknown_experiment_is_not_found(harness: Harness) -> None:
    with pytest.raises(NotFound):
        harness.check("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("value", [None, "three", [], {}, True, 1e400])
def test_any_value_of_a_parameter_is_accepted_or_invalid(harness: Harness, value: Any) -> None:
    for submission in (
        {"setup_params": {"fold": value}},
        {"plan_params": {"sort": value}},
        {"plan_params": {"include": value}},
        {"plan_params": {"exclude": value}},
    ):
        with contextlib.suppress(Invalid):
            harness.check(**submission)


def upload_of(harness: Harness, *columns: str, **more: Any) -> Any:
    config = {
        "sha256": "a",
        "rows": 9,
        "columns": [{"name": n, "dtype": "number"} for n in columns],
    }
    return harness.world.make_source(config=config | more, storage_key="sources/1")


def test_run_takes_the_newest_version_or_the_one_that_is_named(harness: Harness) -> None:
    source = upload_of(harness, "x", "y")
    newer = {"sha256": "b", "rows": 12, "columns": [{"name": "y", "dtype": "number"}]}
    harness.world.store.write_now(
        data_sources.add_version,
        harness.world.ada,
        source.id,
        kind="parquet_upload",
        config=newer,
        storage_key="sources/2",
    )

    def facts(**more: Any) -> tuple[Any, ...]:
        new = harness.check(sklearn_dataset=None, data_source_id=source.id, **more)
        names = ("data_version", "data_sha256", "data_rows")
        return (*(new.snapshot[name] for name in names), new.data["storage_key"], new.data["kind"])

    assert facts() == (2, "b", 12, "sources/2", "parquet_upload")
    assert facts(data_version=1) == (1, "a", 9, "sources/1", "csv_upload")
    with pytest.raises(Invalid, match="no version 3; its versions are 1 to 2"):
        facts(data_version=3)
    with pytest.raises(Invalid, match="“x” is not a column"):
        facts(target="x")
    with pytest.raises(Invalid, match="data_version goes with data_source_id"):
        harness.check(data_version=1)


def test_types_that_are_stored_with_the_data_are_those_of_the_run_unless_it_sets_others(
    harness: Harness,
) -> None:
    source = upload_of(harness, "a", "b", "c", "y")
    types = {"types": {"a": "category", "b": "text", "c": "category"}}
    harness.world.store.write_now(data_sources.update, harness.world.ada, source.id, types)

    def params(**given: Any) -> dict[str, Any]:
        new = harness.check(sklearn_dataset=None, data_source_id=source.id, setup_params=given)
        found: dict[str, Any] = new.snapshot["setup_params"]
        return found

    assert params() == {"column_types": types["types"]}
    assert params(column_types={"a": "number"}, ignore_features=["c"]) == {
        "column_types": {"b": "text", "a": "number"},
        "ignore_features": ["c"],
    }


@pytest.mark.parametrize(
    ("params", "where", "message"),
    [
        ({"ignore_features": ["x", "z"]}, "ignore_features", "names “z”, which the data"),
        ({"column_types": {"z": "number"}}, "column_types", "names “z”, which the data"),
        (
            {"column_types": {"x": "number"}, "ignore_features": ["x"]},
            "ignore_features",
            "“x” is named in column_types and in ignore_features; name it once.",
        ),
    ],
)
def test_columns_that_parameters_name_are_checked(
    harness: Harness, params: dict[str, Any], where: str, message: str
) -> None:
    source = upload_of(harness, "x", "y")
    with pytest.raises(Invalid, match=message) as caught:
        harness.check(sklearn_dataset=None, data_source_id=source.id, setup_params=params)
    assert [error["loc"][:2] for error in caught.value.errors] == [["setup_params", where]]
