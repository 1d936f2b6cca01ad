"""Notebooks that are executed in a kernel of the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..client.conftest import client, relay
from ..live import LiveServer
from .kernel import Kernel

__all__ = ["client", "kernel", "relay"]


@pytest.fixture
def kernel(server: LiveServer) -> Iterator[Kernel]:
    """A fresh kernel with the magic loaded and a frame of iris."""
    made = Kernel(server)
    made.run("%load_ext jupyter_pycaret_ops")
    made.run(
        "from sklearn.datasets import load_iris\n"
        "iris = load_iris(as_frame=True)\n"
        "df = iris.data.assign(species=[iris.target_names[i] for i in iris.target])"
    )
    yield made
    made.end()
