"""Notebooks that are executed in a kernel of the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..client.conftest import client, relay
from ..live import LiveServer
from .kernel import Kernel

__all__ = ["client", "kernel", "relay"]


@pytest.fixture(scope="module")
def started(server: LiveServer) -> Iterator[Kernel]:
    """Start a kernel with the magic loaded, once for a module: that takes longer than most tests."""
    made = Kernel(server)
    made.run("%load_ext jupyter_pycaret_ops")
    yield made
    made.end()


@pytest.fixture
def kernel(started: Kernel) -> Kernel:
    """Return the kernel of the module, with a new DataFrame of iris."""
    started.run(
        "from sklearn.datasets import load_iris\n"
        "iris = load_iris(as_frame=True)\n"
        "df = iris.data.assign(species=[iris.target_names[i] for i in iris.target])"
    )
    return started
