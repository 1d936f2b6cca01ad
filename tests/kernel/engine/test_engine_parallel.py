"""Child processes: the same numbers, killed at once, gone afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from jupyter_pycaret_ops.kernel.engine import Cancelled, resources
from jupyter_pycaret_ops.kernel.engine.experiments import Experiment
from jupyter_pycaret_ops.kernel.engine.limits import Limits
from jupyter_pycaret_ops.kernel.engine.trials import (
    fork_server,
)
from jupyter_pycaret_ops.kernel.engine.trials import (
    parallelism as parallelism,
)
from jupyter_pycaret_ops.kernel.engine.trials import (
    scoring_process as process,
)


def children():
    """Fresh interpreters, and forks of the template; not the servers that other tests left to this process."""
    this = psutil.Process()
    found = []
    for below in this.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            command = below.cmdline()
            if "trials.process_main" in " ".join(command) or (
                command == this.cmdline() and below.ppid() != this.pid
            ):
                found.append(below)
    return found


@pytest.fixture
def fresh(monkeypatch):
    """Let child processes pay after the first fold; none may be left at the end."""
    monkeypatch.setattr(
        parallelism.ParallelismPolicy,
        "is_worthwhile",
        lambda self: self._scored >= 1 and self._left > 0,
    )
    monkeypatch.setattr(parallelism.ParallelismPolicy, "children", 2)
    yield
    assert children() == []


@pytest.fixture
def forks(fresh):
    """The same with children that a template forks."""
    fork_server.start()
    assert fork_server.is_there()
    yield
    fork_server.stop()


@pytest.fixture
def forks_alone():
    """A template that nothing is asked of."""
    fork_server.start()
    yield
    fork_server.stop()


linux = pytest.mark.skipif(sys.platform != "linux", reason="templates are for Linux only")


@pytest.fixture(params=["fresh", pytest.param("forks", marks=linux)])
def in_children(request):
    """Either way of having them."""
    request.getfixturevalue(request.param)


def without_time(board):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in board]


class Hanging:
    """A classifier whose fit says that it has begun, and does not end."""

    def __init__(self, begun):
        self.begun = begun

    def fit(self, rows, target):
        with open(self.begun, "w") as file:  # noqa: PTH123 - pickled by value, imports nothing
            file.write("begun")
        sum(iter(int, 1))  # one long call into C


class Dying:
    """A classifier whose fit ends its process."""

    def fit(self, rows, target):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def swap(monkeypatch):
    """`swap("nb", estimator)`: let a model of the registry be another one."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    make = Experiment.estimator

    def arrange(swapped, estimator):
        def other(self, model_id, parameters):
            return estimator if model_id == swapped else make(self, model_id, parameters)

        monkeypatch.setattr(Experiment, "estimator", other)

    yield arrange
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.mark.parametrize(
    ("task", "include", "kind"),
    [
        ("classification", ["lr", "rf", "nb", "ridge", "lightgbm", "dummy"], "fresh"),
        pytest.param("classification", ["lr", "catboost", "xgboost"], "forks", marks=linux),
        pytest.param("regression", ["lr", "rf", "svm", "lightgbm", "dummy"], "forks", marks=linux),
    ],
)
def test_the_leaderboard_is_the_serial_one(
    plan, recorder, iris, diabetes, monkeypatch, tmp_path, request, task, include, kind
):
    for name in ("random", "sklearn", "pandas"):  # files beside the notebook are no libraries
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not me')")
    monkeypatch.chdir(tmp_path)
    frame, target = {"classification": (iris, "species"), "regression": (diabetes, "target")}[task]
    serial = plan(frame, target, task=task, plan="compare", include=include).leaderboard
    assert recorder.payloads("run.parallel") == []
    request.getfixturevalue(kind)
    recorder.events.clear()
    side_by_side = plan(frame, target, task=task, plan="compare", include=include).leaderboard
    (told,) = recorder.payloads("run.parallel")
    assert told["processes"] == 2
    assert without_time(side_by_side) == without_time(serial)
    assert children() == []
    ticks = [p for p in recorder.payloads("run.progress") if "fold" in p]
    for model_id in include:
        assert [t["fold"] for t in ticks if t["model_id"] == model_id] == [1, 2, 3]
    assert [t["done"] for t in ticks] == sorted(t["done"] for t in ticks)
    assert [p["model_id"] for p in recorder.payloads("model.create.started")] == include


@pytest.mark.timeout(120)
def test_a_cancel_kills_a_long_call_into_c(plan, recorder, iris, in_children, swap, tmp_path):
    swap("nb", Hanging(str(tmp_path / "begun")))
    recorder.on_checkpoint = lambda: cancel() if (tmp_path / "begun").exists() else None

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        plan(iris, "species", plan="compare", include=["dummy", "nb"])
    assert children() == []
    assert recorder.artifacts == {}


@linux
@pytest.mark.timeout(120)
def test_an_asynchronous_cancel_leaves_no_child(plan, iris, forks, swap, tmp_path):
    begun = tmp_path / "begun"
    swap("nb", Hanging(str(begun)))
    ended = []

    def run():
        try:
            plan(iris, "species", plan="compare", include=["dummy", "nb"])
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    while not begun.exists():
        thread.join(0.05)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(Cancelled)
    )
    thread.join(30)
    assert ended == ["cancelled"]
    assert children() == []


@linux
@pytest.mark.timeout(120)
def test_a_model_over_its_limit_is_killed_and_the_others_go_on(
    plan, recorder, iris, forks, swap, tmp_path
):
    swap("nb", Hanging(str(tmp_path / "begun")))
    result = plan(
        iris, "species", plan="compare", include=["dummy", "nb", "lr"], model_time_limit=5
    )
    (failed,) = recorder.payloads("model.failed")
    assert (failed["model_id"], failed["error_kind"]) == ("nb", "timeout")
    assert [r["model_id"] for r in result.leaderboard] == ["lr", "dummy"]


@linux
@pytest.mark.timeout(120)
def test_a_run_over_its_limit_keeps_what_was_scored(
    plan, recorder, iris, forks, swap, tmp_path, monkeypatch
):
    begun = tmp_path / "begun"
    swap("nb", Hanging(str(begun)))

    def is_over(self):
        return begun.exists() and bool(recorder.payloads("model.scored"))

    monkeypatch.setattr(Limits, "is_run_over", is_over)
    result = plan(iris, "species", plan="compare", include=["dummy", "nb", "lr"], time_limit=500)
    assert "dummy" in [r["model_id"] for r in result.leaderboard]
    assert recorder.payloads("model.failed")[0]["error_kind"] == "timeout"
    assert recorder.payloads("warning")[0]["reason"] == "time_limit"


@pytest.mark.timeout(120)
def test_a_child_that_dies_fails_its_model_and_no_other(plan, recorder, iris, in_children, swap):
    swap("nb", Dying())
    result = plan(iris, "species", plan="compare", include=["dummy", "nb", "lr"])
    (failed,) = recorder.payloads("model.failed")
    assert failed["model_id"] == "nb"
    assert "process that fitted it ended" in failed["error"]
    assert [r["model_id"] for r in result.leaderboard] == ["lr", "dummy"]


def test_where_no_child_starts_the_rest_is_scored_here(plan, recorder, iris, fresh, monkeypatch):
    monkeypatch.setattr(process, "__package__", "there.is.no.such")
    result = plan(iris, "species", plan="compare", include=["dummy", "nb"])
    assert [r["model_id"] for r in result.leaderboard] == ["nb", "dummy"]
    assert recorder.payloads("warning")[0]["reason"] == "no_processes"


_PARENT = """
import os, sys, time
from jupyter_pycaret_ops.kernel.engine.trials.scoring_process import Child
import cloudpickle
child = Child(cloudpickle.dumps(None))
while not child.ready:
    child.answer()
print(child._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(60)
def test_children_end_with_a_killed_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    with parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
    child.wait(10)
    assert not child.is_running()


@linux
def test_where_children_are_forked_they_pay_much_earlier(monkeypatch, forks_alone):
    class Small:
        nbytes = 1000

    clock = Clock()
    monkeypatch.setattr(parallelism, "time", clock)
    measured = parallelism.ParallelismPolicy(Small(), 130, cores=2)
    with measured.measured():
        clock.now += 0.6
    for _ in range(20):
        with measured.measured():
            clock.now += 0.01
    assert measured.is_worthwhile()
    fork_server.stop()
    assert not measured.is_worthwhile()


class Clock:
    def __init__(self):
        self.now = 0.0

    def thread_time(self):
        return self.now


@pytest.mark.parametrize(
    ("fold_s", "cores", "folds", "is_worthwhile"),
    [
        (2.0, 2, 30, True),
        (0.02, 2, 130, False),  # iris
        (2.0, 1, 30, False),
        (2.0, 2, 4, False),
        (1.0, 8, 12, True),
    ],
)
def test_what_pays_is_decided_by_the_first_folds(monkeypatch, fold_s, cores, folds, is_worthwhile):
    class Small:
        nbytes = 1000

    clock = Clock()
    monkeypatch.setattr(parallelism, "time", clock)
    measured = parallelism.ParallelismPolicy(Small(), folds, cores=cores)
    assert not measured.is_worthwhile()
    with measured.measured():
        clock.now += fold_s
    assert measured.is_worthwhile() == is_worthwhile


def test_data_that_would_not_fit_twice_stay_here(monkeypatch):
    class Huge:
        nbytes = 2**50

    clock = Clock()
    monkeypatch.setattr(parallelism, "time", clock)
    measured = parallelism.ParallelismPolicy(Huge(), 100, cores=2)
    with measured.measured():
        clock.now += 5
    assert not measured.is_worthwhile()


def test_usable_cores_are_never_none():
    assert 1 <= resources.usable_cores() <= (os.cpu_count() or 1)
