"""Time limits and cancels during folds and fits."""

from __future__ import annotations

import ctypes
import threading

import pytest

from jupyter_pycaret_ops.kernel.engine import Cancelled, PlanFailed
from jupyter_pycaret_ops.kernel.engine.experiments import Experiment
from jupyter_pycaret_ops.kernel.engine.limits import Limits, TimeLimitExceeded


@pytest.fixture
def endless(monkeypatch):
    """Make the fit of one model endless; the returned event is set when it starts."""
    begun = threading.Event()

    def arrange(stuck):
        make = Experiment.make_estimator

        def make_or_hang(self, model_id, parameters):
            estimator = make(self, model_id, parameters)
            if model_id == stuck:

                def fit(*_):
                    begun.set()
                    while True:
                        pass

                estimator.fit = fit
            return estimator

        monkeypatch.setattr(Experiment, "make_estimator", make_or_hang)
        return begun

    return arrange


@pytest.mark.timeout(60)
def test_model_over_its_time_limit_fails_and_others_are_scored(plan, recorder, iris, endless):
    endless("nb")
    result = plan(iris, "species", plan="compare", include=["nb", "dummy"], model_time_limit=0.5)
    (failed,) = recorder.payloads("model.failed")
    assert (failed["model_id"], failed["error_kind"]) == ("nb", "timeout")
    assert "longer than the 0.5 s" in failed["error"]
    assert [r["model_id"] for r in result.leaderboard] == ["dummy"]


@pytest.mark.usefixtures("drawn")
@pytest.mark.timeout(60)
def test_run_over_its_time_limit_keeps_scored_models(plan, recorder, iris, endless):
    endless("nb")
    # the dummy takes a few hundredths of a second
    result = plan(iris, "species", plan="compare", include=["dummy", "nb", "lr"], time_limit=3)
    assert [r["model_id"] for r in result.leaderboard] == ["dummy"]
    (warning,) = recorder.payloads("warning")
    assert warning["reason"] == "time_limit"
    assert [s["model_id"] for s in warning["skipped"]] == ["lr"]
    assert "pipeline-dummy.pkl" in recorder.artifacts


@pytest.mark.timeout(60)
def test_run_without_scored_model_in_time_fails(plan, iris, endless):
    endless("nb")
    with pytest.raises(PlanFailed) as raised:
        plan(iris, "species", plan="compare", include=["nb", "dummy"], time_limit=2)
    assert raised.value.kind == "timeout"


def test_check_raises_after_model_limit_passed():
    now = [0.0]
    limits = Limits(model_s=10, monotonic=lambda: now[0])
    with limits.enforced():
        limits.check()
    now[0] = 5
    # starts anew with each block; the watchdog sleeps by the real clock
    with limits.enforced():
        limits.check()
        now[0] = 15
        with pytest.raises(TimeLimitExceeded):
            limits.check()


def test_run_limit_applies_when_it_is_earlier():
    now = [0.0]
    limits = Limits(run_s=5, model_s=10, monotonic=lambda: now[0])
    with limits.enforced():
        assert limits.exceeded == "run"
    now[0] = 5
    assert limits.is_run_limit_exceeded()


@pytest.mark.timeout(60)
def test_no_exception_arrives_after_enforced_block():
    for _ in range(300):
        limits = Limits(model_s=0.0005)
        try:
            with limits.enforced():
                for _ in range(2000):
                    pass
        except TimeLimitExceeded:
            limits.stop()
        sum(range(20000))  # an exception that had not arrived would come here


@pytest.mark.timeout(60)
def test_watchdog_does_not_interrupt_shielded_block():
    limits = Limits(model_s=0.01)
    told = []

    def report_for_ever():
        with limits.enforced():
            while True:
                with limits.shielded():
                    told.append("begun")
                    sum(range(2000))
                    told[-1] = "ended"

    while not told:  # on a busy machine the limit may be over before the first block
        with pytest.raises(TimeLimitExceeded):
            report_for_ever()
    assert set(told) == {"ended"}


@pytest.mark.usefixtures("drawn")
def test_no_watchdog_thread_is_left(plan, iris):
    plan(iris, "species", plan="compare", include=["nb"], model_time_limit=100, time_limit=100)
    assert not [t for t in threading.enumerate() if t.name == "pycaret-ops-time-limit"]


@pytest.mark.parametrize("fold", [1, 2])
def test_cancel_is_raised_before_next_fold(plan, recorder, iris, fold):
    def cancel_later(kind, payload):
        if payload.get("fold") == fold:
            recorder.on_checkpoint = cancel

    def cancel():
        raise Cancelled

    recorder.on_event = cancel_later
    with pytest.raises(Cancelled):
        plan(iris, "species", plan="compare", include=["nb", "lr"])
    assert recorder.payloads("model.scored") == []
    assert [p["fold"] for p in recorder.payloads("run.progress") if "fold" in p][-1] == fold


@pytest.mark.usefixtures("drawn")
def test_cancel_between_models_keeps_reported_scores(plan, recorder, iris):
    def cancel():
        if recorder.payloads("model.scored"):
            raise Cancelled

    recorder.on_checkpoint = cancel
    with pytest.raises(Cancelled):
        plan(iris, "species", plan="compare", include=["nb", "lr"])
    assert [p["model_id"] for p in recorder.payloads("model.scored")] == ["nb"]
    assert [name for name in recorder.artifacts if not name.startswith("oof-")] == []


@pytest.mark.usefixtures("drawn")
def test_cancel_before_final_fit_stores_nothing(plan, recorder, iris):
    def cancel():
        if recorder.payloads("model.compare.finished"):
            raise Cancelled

    recorder.on_checkpoint = cancel
    with pytest.raises(Cancelled):
        plan(iris, "species", plan="compare", include=["nb"])
    assert [name for name in recorder.artifacts if not name.startswith("oof-")] == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("limits", [{}, {"model_time_limit": 100}])
def test_asynchronous_cancel_ends_a_fit(plan, recorder, iris, endless, limits):
    begun = endless("nb")
    ended = []

    def run():
        try:
            plan(iris, "species", plan="compare", include=["nb", "lr"], **limits)
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(Cancelled)
    )
    thread.join(30)
    assert ended == ["cancelled"]
    assert recorder.payloads("model.failed") == []
