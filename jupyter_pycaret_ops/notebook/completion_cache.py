"""Words that only the server knows, for Tab: asked for beforehand where they stay, and never waited for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

from ..client import Client
from ..common.errors import OpsError
from ..common.task_types import TASK_TYPES

#: JupyterLab gives a completer one second; an answer after that is there at the next Tab
PATIENCE_S = 0.8
#: of the engine, by task; they stay as long as the server does
ENGINE: Mapping[str, Callable[[Client, str], list[str]]] = {
    "plans": lambda caller, task: [row["id"] for row in caller.describe.plans(task)],
    "models": lambda caller, task: [row["id"] for row in caller.describe.models(task)],
    "metrics": lambda caller, task: [row["id"] for row in caller.describe.metrics(task)],
}
#: of people, asked anew each time
PEOPLE: Mapping[str, Callable[[Client], list[str]]] = {
    "runs": lambda caller: [row["id"] for row in caller.runs.list(50)],
    "sources": lambda caller: [
        row["name"] for row in caller.data_sources.list(caller.default_project().workspace_id)
    ],
    "projects": lambda caller: [
        row["name"] for row in caller.projects.list(caller.default_project().workspace_id)
    ],
    "experiments": lambda caller: [
        row["name"] for row in caller.experiments.list(caller.default_project().project_id)
    ],
    "pipelines": lambda caller: [
        *dict.fromkeys(
            row["name"] for row in caller.pipelines.list(caller.default_project().workspace_id)
        )
    ],
    "deployments": lambda caller: [
        row["endpoint_slug"]
        for row in caller.deployments.list(caller.default_project().workspace_id)
    ],
}


class CompletionCache:
    """What the server has to offer, remembered by what was asked."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client
        self._lock = threading.Lock()
        #: with the client that was asked: `connect` may have taken another since
        self._known: dict[str, tuple[Client, list[str]]] = {}
        self._asking: dict[str, Future[list[str]]] = {}

    def begin(self) -> None:
        """Ask for the engine's words in a thread, so that the first Tab has them."""

        def work() -> None:
            # the tasks that most people come for first; one question at a time
            for task in TASK_TYPES:
                for what in ENGINE:
                    if self._question(what, task).exception() is not None:
                        return

        threading.Thread(target=work, name="pycaret-ops-completion", daemon=True).start()

    def engine(self, what: str, task: str) -> list[str]:
        """Plans, models or metrics of a task."""
        known = self._known.get(f"{what}:{task}")
        if known is not None and known[0] is self._client():
            return known[1]
        return self._soon(what, task)

    def people(self, what: str) -> list[str]:
        """What people have made."""
        return self._soon(what, "")

    def _soon(self, what: str, task: str) -> list[str]:
        try:
            return self._question(what, task).result(PATIENCE_S)
        except NotYet:
            known = self._known.get(f"{what}:{task}")
            return [] if known is None else known[1]
        except OpsError:
            return []  # the command itself says why

    def _question(self, what: str, task: str) -> Future[list[str]]:
        """The answer to come; who asks while it is under way gets the same one."""
        key = f"{what}:{task}"
        with self._lock:
            if key in self._asking:
                return self._asking[key]
            answer: Future[list[str]] = Future()
            self._asking[key] = answer

        def work() -> None:
            try:
                caller = self._client()
                found = ENGINE[what](caller, task) if what in ENGINE else PEOPLE[what](caller)
            except Exception as error:
                answer.set_exception(error)
            else:
                self._known[key] = caller, found
                answer.set_result(found)
            finally:
                with self._lock:
                    del self._asking[key]

        threading.Thread(target=work, name="pycaret-ops-completion", daemon=True).start()
        return answer
