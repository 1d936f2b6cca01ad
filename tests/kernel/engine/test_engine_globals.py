"""A run leaves the global state of the kernel unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from jupyter_pycaret_ops.common.engine_facts import SINGLE_THREADED

pytestmark = pytest.mark.usefixtures("drawn")


def state_of_random():
    name, keys, position, has_gauss, cached = np.random.get_state()
    return name, keys.tolist(), position, has_gauss, cached


_CHILD = """
import os, sys, warnings
import jupyter_pycaret_ops.kernel.engine as engine
assert not {"pandas", "numpy", "sklearn", "pycaret"} & set(sys.modules), "the import is heavy"
import numpy as np
before = (
    warnings.showwarning,
    list(warnings.filters),
    os.getcwd(),
    dict(os.environ),
    np.random.get_state()[1].tolist(),
)
engine.preload()
after = (
    warnings.showwarning,
    list(warnings.filters),
    os.getcwd(),
    dict(os.environ),
    np.random.get_state()[1].tolist(),
)
for one, other in zip(before, after):
    assert one == other, (one, other)
assert os.listdir(".") == [], os.listdir(".")
"""


def test_first_import_leaves_global_state_unchanged(tmp_path):
    path = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    environ = {name: value for name, value in os.environ.items() if name not in SINGLE_THREADED}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": path},
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_compare_leaves_global_state_unchanged(
    plan, capfd, monkeypatch, tmp_path, iris, diabetes, task
):
    monkeypatch.chdir(tmp_path)
    np.random.seed(5)
    frame, target = {
        "classification": (iris, "species"),
        "regression": (diabetes, "target"),
    }[task]
    before = state_of_random(), warnings.showwarning, list(warnings.filters)
    plan(frame, target, task=task, plan="compare", setup={"fold": 2})
    assert (state_of_random(), warnings.showwarning, list(warnings.filters)) == before
    assert Path.cwd() == tmp_path
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("task", "target"), [("regression", "target"), ("anomaly", None)])
def test_support_vector_machine_draws_nothing_from_the_global_generator(
    plan, diabetes, task, target
):
    np.random.seed(5)
    before = state_of_random()
    frame = diabetes if target else diabetes.drop(columns="target")
    plan(frame, target, task=task, model_id="svm")
    assert state_of_random() == before


def test_user_warnings_are_shown_while_a_plan_runs(plan, recorder, iris, monkeypatch):
    seen = []
    monkeypatch.setattr(warnings, "showwarning", lambda *args, **kwargs: seen.append(args[0]))

    def warn_from_both(kind, payload):
        if kind == "model.created":
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn("from the plan", UserWarning, stacklevel=1)
                user = threading.Thread(
                    target=lambda: warnings.warn("from the user", UserWarning, stacklevel=1)
                )
                user.start()
                user.join()

    recorder.on_event = warn_from_both
    plan(iris, "species", model_id="nb")
    assert [str(w) for w in seen] == ["from the user"]


def test_user_seed_works_while_a_plan_runs(plan, recorder, iris):
    drawn = []

    def draw(kind, payload):
        if kind == "experiment.started":
            user = threading.Thread(target=lambda: np.random.seed(11))
            user.start()
            user.join()
        if kind == "model.scored":
            drawn.append(np.random.random())

    recorder.on_event = draw
    plan(iris, "species", plan="compare", include=["nb", "rf"])
    expected = np.random.RandomState(11).random_sample(2).tolist()
    assert drawn == expected


def test_concurrent_runs_have_the_scores_of_serial_runs(iris, frame):
    from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
    from jupyter_pycaret_ops.kernel import engine
    from jupyter_pycaret_ops.kernel.engine.interfaces import NullReporter

    def run(data, target, task, include):
        spec = RunSpec(
            run_id="r",
            attempt=1,
            task=task,
            plan="compare",
            data=DataSpec("frame"),
            target=target,
            setup_params={"fold": 3} if target else {},
            plan_params={"include": include},
        )
        board = engine.run_plan(spec, data, NullReporter()).leaderboard
        return [{k: v for k, v in record.items() if k != "seconds"} for record in board]

    features = iris.drop(columns=["species"])
    jobs = [
        (iris, "species", "classification", ["rf", "et", "lr"]),
        (frame, "label", "classification", ["rf", "et", "lr"]),
        (features, None, "clustering", ["kmeans", "birch", "ap"]),
        (features, None, "anomaly", ["iforest", "mcd"]),
    ]
    alone = [run(*job) for job in jobs]
    together = [None] * len(jobs)

    def put(position):
        together[position] = run(*jobs[position])

    before = warnings.showwarning
    threads = [threading.Thread(target=put, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert warnings.showwarning is before
