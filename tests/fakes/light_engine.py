"""The engine in the process of a test, without what costs more than the run and is not tested there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_pycaret_ops.common.engine_facts import SINGLE_THREADED


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Compute in one thread, as a kernel does: on small tables more threads wait for each other."""
    from threadpoolctl import threadpool_limits

    with pytest.MonkeyPatch.context() as patched, threadpool_limits(limits=1):
        for name, value in SINGLE_THREADED.items():  # for libraries and processes that come later
            patched.setenv(name, value)
        yield


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no plots: they cost more than all the rest of a small run."""
    from jupyter_pycaret_ops.kernel.engine import plots

    monkeypatch.setattr(plots, "store", lambda *_: None)
