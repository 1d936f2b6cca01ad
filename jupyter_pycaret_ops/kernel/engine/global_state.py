"""Keep the engine from changing the global state of the kernel, which may be a user's notebook.

Measured: importing PyCaret redirects `warnings.showwarning` into a file and writes `logs.log`;
fitting an experiment calls `np.random.seed` on the global generator, once per model container;
support vector machines draw a seed from it that cannot be set.

We run in a background thread beside the user's own code, so saving and restoring global state
around a long call would undo what the user does meanwhile. So everything here either surrounds the
import, which is short, or depends on the calling thread.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jupyter_pycaret_ops.common.task_types import TASK_TYPES

_LOG_PATH = "PYCARET_CUSTOM_LOGGING_PATH"
#: imported at the first fit or plot, where they are installed; CatBoost brings all of IPython
_LAZY_IMPORTS = (
    "catboost",
    "lightgbm",
    "xgboost",
    "sklearn.compose",
    "sklearn.covariance",
    "sklearn.feature_extraction.text",
    "sklearn.feature_selection",
    "sklearn.impute",
    "sklearn.neighbors",
    "plotly.tools",
    "plotly.graph_objects",
    "plotly.graph_objs._deprecations",  # Plotly 7 loads it with the first figure
)

_lock = threading.Lock()
_is_loaded = False
#: engine tasks whose model containers no longer seed numpy's global generator
_seeding_disabled: set[str] = set()
#: identifiers of the threads that execute a plan
_plan_threads: set[int] = set()
_showwarning_before: Any = None


def load_engine(task_id: str | None = None) -> None:
    """Import PyCaret; warnings, working directory and environment stay unchanged.

    With `task_id`, import what only models of that task need too: sktime alone takes a second.
    """
    global _is_loaded
    task = TASK_TYPES.get(task_id) if task_id is not None else None
    with _lock:
        if _is_loaded and (task is None or task.engine_task in _seeding_disabled):
            return
        filters = list(warnings.filters)
        if "pycaret.internal.logging" not in sys.modules:
            _import_quietly()
        import pycaret.tasks  # noqa: F401

        for name in () if _is_loaded else _LAZY_IMPORTS:
            # PyCaret handles a missing or broken library: it leaves the model out
            with suppress(Exception):
                importlib.import_module(name)
        _give_libsvm_a_generator()
        if task is not None:
            _disable_seeding(task.engine_task)
            _seeding_disabled.add(task.engine_task)
        # imports add filters of their own
        warnings.filters[:] = filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]
        _is_loaded = True


def _import_quietly() -> None:
    before = os.environ.get(_LOG_PATH)
    os.environ[_LOG_PATH] = os.devnull
    try:
        # only this module redirects warnings; it takes 0.1 s to import, the rest takes seconds
        from pycaret.internal.logging import captureWarnings

        captureWarnings(False)
    finally:
        if before is None:
            del os.environ[_LOG_PATH]
        else:
            os.environ[_LOG_PATH] = before


class _RandomWithoutSeed(types.ModuleType):
    """`numpy.random` for PyCaret's containers: `seed` does nothing in threads that execute a plan.

    Every container passes on `random_state`, so the scores are the same without it.
    """

    def __init__(self, real: types.ModuleType) -> None:
        super().__init__(real.__name__)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def seed(self, seed: Any = None) -> None:
        if threading.get_ident() not in _plan_threads:
            self._real.seed(seed)


class _NumpyWithoutSeed(types.ModuleType):
    def __init__(self, real: types.ModuleType) -> None:
        super().__init__(real.__name__)
        self._real = real
        self.random = _RandomWithoutSeed(real.random)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _disable_seeding(name: str) -> None:
    try:
        module = importlib.import_module(f"pycaret.containers.models.{name}")
    except Exception:  # an extra is not installed, so nothing can seed
        return
    real = getattr(module, "np", None)
    if isinstance(real, types.ModuleType) and not isinstance(real, _NumpyWithoutSeed):
        module.np = _NumpyWithoutSeed(real)  # type: ignore[attr-defined]


def _give_libsvm_a_generator() -> None:
    """Let scikit-learn's `SVR`, `NuSVR` and `OneClassSVM`, which have no `random_state`, draw from their own.

    libsvm uses what is drawn for probabilities only, so fits stay the same.
    """
    import numpy as np
    from sklearn.svm import _base

    real = _base.check_random_state
    if getattr(real, "__module__", None) == __name__:
        return

    def check_random_state(seed: Any) -> Any:
        in_plan = threading.get_ident() in _plan_threads
        return np.random.RandomState(0) if seed is None and in_plan else real(seed)

    _base.check_random_state = check_random_state


@contextmanager
def isolated() -> Iterator[None]:
    """Discard warnings and calls of `numpy.random.seed` by the engine in this block and thread."""
    thread_id = threading.get_ident()
    if thread_id in _plan_threads:
        yield
        return
    with _lock:
        _plan_threads.add(thread_id)
        _silence()
    try:
        yield
    finally:
        with _lock:
            _plan_threads.discard(thread_id)
            _unsilence()


def _showwarning(*args: Any, **kwargs: Any) -> None:
    # a compare warns hundreds of times (convergence, feature names, undefined metrics), and ipykernel
    # would print that below the cell that started the thread
    if threading.get_ident() not in _plan_threads and _showwarning_before is not None:
        _showwarning_before(*args, **kwargs)


def _silence() -> None:
    global _showwarning_before
    if warnings.showwarning is not _showwarning:
        _showwarning_before = warnings.showwarning
        warnings.showwarning = _showwarning


def _unsilence() -> None:
    # when the user replaced it meanwhile, the replacement stays
    if not _plan_threads and warnings.showwarning is _showwarning:
        warnings.showwarning = _showwarning_before
