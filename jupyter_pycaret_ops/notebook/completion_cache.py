"""Names that only the server knows, for Tab: preloaded where they do not change, with a short timeout."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from ..client import Client
from ..common.errors import OpsError
from ..common.task_types import TASK_TYPES

#: seconds; JupyterLab waits one second for a completer, a later response is used at the next Tab
TIMEOUT_S = 0.8
#: names of the engine by task; cached as long as the client
ENGINE_NAMES: Mapping[str, Callable[[Client, str], list[str]]] = {
    "plans": lambda client_, task: [row["id"] for row in client_.describe.plans(task)],
    "models": lambda client_, task: [row["id"] for row in client_.describe.models(task)],
    "metrics": lambda client_, task: [row["id"] for row in client_.describe.metrics(task)],
}
#: names that users have created, requested each time
SERVER_NAMES: Mapping[str, Callable[[Client], list[str]]] = {
    "runs": lambda client_: [row["id"] for row in client_.runs.list(50)],
    "sources": lambda client_: [
        row["name"] for row in client_.data_sources.list(client_.default_project().workspace_id)
    ],
    "projects": lambda client_: [
        row["name"] for row in client_.projects.list(client_.default_project().workspace_id)
    ],
    "experiments": lambda client_: [
        row["name"] for row in client_.experiments.list(client_.default_project().project_id)
    ],
    "pipelines": lambda client_: [
        *dict.fromkeys(
            row["name"] for row in client_.pipelines.list(client_.default_project().workspace_id)
        )
    ],
    "deployments": lambda client_: [
        row["endpoint_slug"]
        for row in client_.deployments.list(client_.default_project().workspace_id)
    ],
}


class CompletionCache:
    """Names from the server, cached by kind and task."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client
        self._lock = threading.Lock()
        #: with the client that requested them: `connect` may have replaced it since
        self._known: dict[str, tuple[Client, list[str]]] = {}
        self._pending: dict[str, Future[list[str]]] = {}

    def preload(self) -> None:
        """Request the engine's names in a thread, so that they are cached at the first Tab."""

        def request_all() -> None:
            # one request at a time, the most frequent tasks first
            for task in TASK_TYPES:
                for kind in ENGINE_NAMES:
                    if self._request(kind, task).exception() is not None:
                        return

        threading.Thread(target=request_all, name="pycaret-ops-completion", daemon=True).start()

    def engine_names(self, kind: str, task: str) -> list[str]:
        """Return plans, models or metrics of a task."""
        known = self._known.get(f"{kind}:{task}")
        if known is not None and known[0] is self._client():
            return known[1]
        return self._within_timeout(kind, task)

    def server_names(self, kind: str) -> list[str]:
        """Return names that users have created."""
        return self._within_timeout(kind, "")

    def _within_timeout(self, kind: str, task: str) -> list[str]:
        try:
            return self._request(kind, task).result(TIMEOUT_S)
        except FutureTimeout:
            known = self._known.get(f"{kind}:{task}")
            return [] if known is None else known[1]
        except OpsError:
            return []  # the command itself reports the error

    def _request(self, kind: str, task: str) -> Future[list[str]]:
        """Return the pending response; concurrent requests for the same names share it."""
        key = f"{kind}:{task}"
        with self._lock:
            if key in self._pending:
                return self._pending[key]
            future: Future[list[str]] = Future()
            self._pending[key] = future

        def request() -> None:
            try:
                client_ = self._client()
                names = (
                    ENGINE_NAMES[kind](client_, task)
                    if kind in ENGINE_NAMES
                    else SERVER_NAMES[kind](client_)
                )
            except Exception as error:
                future.set_exception(error)
            else:
                self._known[key] = client_, names
                future.set_result(names)
            finally:
                with self._lock:
                    del self._pending[key]

        threading.Thread(target=request, name="pycaret-ops-completion", daemon=True).start()
        return future
