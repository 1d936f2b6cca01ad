"""Scoring in several processes: the same scores; processes are killed at once, and none is left."""

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
from jupyter_pycaret_ops.kernel.engine.trials import fork_server, parallelism, scoring_process


def scoring_processes():
    """Return the scoring processes of this one, without fork servers that other tests started."""
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
    """Score in two new interpreters after the first fold; none may be left at the end."""
    monkeypatch.setattr(
        parallelism.ParallelismPolicy,
        "is_worthwhile",
        lambda self: self._folds_scored >= 1 and self._folds_left > 0,
    )
    monkeypatch.setattr(parallelism.ParallelismPolicy, "n_processes", 2)
    yield
    assert scoring_processes() == []


@pytest.fixture
def forks(fresh):
    """Score in two forks of the fork server after the first fold."""
    fork_server.start()
    assert fork_server.is_running()
    yield
    fork_server.stop()


@pytest.fixture
def forks_alone():
    """Run a fork server that has nothing to do."""
    fork_server.start()
    yield
    fork_server.stop()


linux = pytest.mark.skipif(sys.platform != "linux", reason="the fork server needs Linux")


@pytest.fixture(params=["fresh", pytest.param("forks", marks=linux)])
def in_processes(request):
    """Score in processes of either kind."""
    request.getfixturevalue(request.param)


def without_time(board):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in board]


class Hanging:
    """A classifier whose fit writes a file and never ends."""

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
    """`swap("nb", estimator)`: replace a model of the registry."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    make = Experiment.make_estimator

    def arrange(swapped, estimator):
        def other(self, model_id, parameters):
            return estimator if model_id == swapped else make(self, model_id, parameters)

        monkeypatch.setattr(Experiment, "make_estimator", other)

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
def test_parallel_leaderboard_equals_serial_leaderboard(
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
    (event,) = recorder.payloads("run.parallel")
    assert event["processes"] == 2
    assert without_time(side_by_side) == without_time(serial)
    assert scoring_processes() == []
    ticks = [p for p in recorder.payloads("run.progress") if "fold" in p]
    for model_id in include:
        assert [t["fold"] for t in ticks if t["model_id"] == model_id] == [1, 2, 3]
    assert [t["done"] for t in ticks] == sorted(t["done"] for t in ticks)
    assert [p["model_id"] for p in recorder.payloads("model.create.started")] == include


@pytest.mark.usefixtures("drawn")
@pytest.mark.timeout(120)
def test_cancel_kills_process_in_long_call_into_c(
    plan, recorder, iris, in_processes, swap, tmp_path
):
    swap("nb", Hanging(str(tmp_path / "begun")))
    recorder.on_checkpoint = lambda: cancel() if (tmp_path / "begun").exists() else None

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        plan(iris, "species", plan="compare", include=["dummy", "nb"])
    assert scoring_processes() == []
    assert [name for name in recorder.artifacts if not name.startswith("oof-")] == []


@linux
@pytest.mark.timeout(120)
def test_asynchronous_cancel_leaves_no_process(plan, iris, forks, swap, tmp_path):
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
    assert scoring_processes() == []


@linux
@pytest.mark.timeout(120)
def test_model_over_its_time_limit_fails_and_others_are_scored(
    plan, recorder, iris, forks, swap, tmp_path
):
    swap("nb", Hanging(str(tmp_path / "begun")))
    result = plan(
        iris, "species", plan="compare", include=["dummy", "nb", "lr"], model_time_limit=5
    )
    (failed,) = recorder.payloads("model.failed")
    assert (failed["model_id"], failed["error_kind"]) == ("nb", "timeout")
    assert [r["model_id"] for r in result.leaderboard] == ["lr", "dummy"]


@pytest.mark.usefixtures("drawn")
@linux
@pytest.mark.timeout(120)
def test_run_over_its_time_limit_keeps_scored_models(
    plan, recorder, iris, forks, swap, tmp_path, monkeypatch
):
    begun = tmp_path / "begun"
    swap("nb", Hanging(str(begun)))

    def is_over(self):
        return begun.exists() and bool(recorder.payloads("model.scored"))

    monkeypatch.setattr(Limits, "is_run_limit_exceeded", is_over)
    result = plan(iris, "species", plan="compare", include=["dummy", "nb", "lr"], time_limit=500)
    assert "dummy" in [r["model_id"] for r in result.leaderboard]
    assert recorder.payloads("model.failed")[0]["error_kind"] == "timeout"
    assert recorder.payloads("warning")[0]["reason"] == "time_limit"


@pytest.mark.timeout(120)
def test_dying_process_fails_only_its_model(plan, recorder, iris, in_processes, swap):
    swap("nb", Dying())
    result = plan(iris, "species", plan="compare", include=["dummy", "nb", "lr"])
    (failed,) = recorder.payloads("model.failed")
    assert failed["model_id"] == "nb"
    assert "process that fitted it ended" in failed["error"]
    assert [r["model_id"] for r in result.leaderboard] == ["lr", "dummy"]


@pytest.mark.usefixtures("drawn")
def test_models_are_scored_in_this_process_when_no_other_starts(
    plan, recorder, iris, fresh, monkeypatch
):
    monkeypatch.setattr(scoring_process, "__package__", "there.is.no.such")
    result = plan(iris, "species", plan="compare", include=["dummy", "nb"])
    assert [r["model_id"] for r in result.leaderboard] == ["nb", "dummy"]
    assert recorder.payloads("warning")[0]["reason"] == "no_processes"


_PARENT = """
import os, sys, time
from jupyter_pycaret_ops.kernel.engine.trials.scoring_process import ScoringProcess
import cloudpickle
child = ScoringProcess(cloudpickle.dumps(None))
while not child.is_ready:
    child.receive()
print(child._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(60)
def test_scoring_process_ends_with_killed_parent():
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
def test_fork_server_makes_processes_worthwhile_earlier(monkeypatch, forks_alone):
    class Small:
        nbytes = 1000

    clock = Clock()
    monkeypatch.setattr(parallelism, "time", clock)
    policy = parallelism.ParallelismPolicy(Small(), 130, n_cores=2)
    with policy.measure_fold():
        clock.now += 0.6
    for _ in range(20):
        with policy.measure_fold():
            clock.now += 0.01
    assert policy.is_worthwhile()
    fork_server.stop()
    assert not policy.is_worthwhile()


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
def test_first_folds_decide_whether_processes_are_worthwhile(
    monkeypatch, fold_s, cores, folds, is_worthwhile
):
    class Small:
        nbytes = 1000

    clock = Clock()
    monkeypatch.setattr(parallelism, "time", clock)
    policy = parallelism.ParallelismPolicy(Small(), folds, n_cores=cores)
    assert not policy.is_worthwhile()
    with policy.measure_fold():
        clock.now += fold_s
    assert policy.is_worthwhile() == is_worthwhile


def test_processes_are_not_worthwhile_when_memory_is_short(monkeypatch):
    class Huge:
        nbytes = 2**50

    clock = Clock()
    monkeypatch.setattr(parallelism, "time", clock)
    policy = parallelism.ParallelismPolicy(Huge(), 100, n_cores=2)
    with policy.measure_fold():
        clock.now += 5
    assert not policy.is_worthwhile()


def test_usable_cores_is_at_least_one():
    assert 1 <= resources.usable_cores() <= (os.cpu_count() or 1)
