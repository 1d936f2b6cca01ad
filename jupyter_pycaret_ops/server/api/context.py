"""What handlers work with: the services of a started server, and one call as an endpoint sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from ...common.clock import Clock
    from ...common.protocol import ReadLimits
    from ..background import BackgroundTasks
    from ..data_sources.inspection import SourceInspector
    from ..data_sources.profiles import Profiles
    from ..executors.engine_description import EngineDescription
    from ..executors.kernel.pool import WorkerPool
    from ..executors.notebook import NotebookExecutor
    from ..files.file_store import FileStore
    from ..prometheus import Metrics
    from ..runs.agents import Agents
    from ..runs.fanout import Fanout
    from ..runs.submission import Submissions
    from ..runs.supervisor import Supervisor
    from ..serving.endpoints import Endpoints
    from ..serving.readiness import Readiness
    from ..serving.usage_statistics import UsageStatistics
    from ..store.access import Caller
    from ..store.session import Store
    from ..threads import ThreadPool
    from ..vault import Vault
    from .identity import Identities


@dataclass(slots=True)
class Services:
    """The services of a server; `wiring.py` creates them."""

    store: Store
    artifacts: FileStore
    vault: Vault
    clock: Clock
    background: BackgroundTasks
    identities: Identities
    pool: WorkerPool
    engine: EngineDescription
    inspector: SourceInspector
    profiles: Profiles
    read_limits: ReadLimits
    fanout: Fanout
    agents: Agents
    submissions: Submissions
    supervisor: Supervisor
    notebook: NotebookExecutor
    endpoints: Endpoints
    readiness: Readiness
    statistics: UsageStatistics
    metrics: Metrics
    #: where large bodies are decoded and validated
    decoding: ThreadPool
    upload_cap_bytes: int
    queue_cap: int
    openapi_document: Callable[[], dict[str, Any]]


class Extension(Protocol):
    """What handlers know of the extension: it returns its started services."""

    async def ensure_started(self) -> Services:
        """Return the services; the first call starts them.

        Raises
        ------
        Unavailable
            When they cannot be started now; the message says what mends it.
        """
        ...


class Nothing(msgspec.Struct):
    """A query without parameters."""


@dataclass(slots=True)
class Call:
    """One request, checked and decoded."""

    services: Services
    caller: Caller
    params: dict[str, str]
    query: Any
    body: Any
    request_id: str
    #: the status of the answer, where it is not that of the route
    status: int | None = None


class Listing(NamedTuple):
    """A page of rows, and where the next one begins."""

    rows: list[Any]
    next_cursor: str | None


Endpoint = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table of routes."""

    method: str
    path: str
    endpoint: Endpoint | None
    summary: str
    #: what Jupyter's authorizer is asked
    action: str = "read"
    #: the scope an API key needs; None where keys open nothing
    scope: str | None = "read"
    body: Any = None
    body_optional: bool = False
    query: Any = Nothing
    answer: Any = None
    status: int = 200
    #: other statuses with the same answer
    also: tuple[int, ...] = ()
    #: `user`: Jupyter users and API keys · `public`: anyone · `run`: a run token · `serving`: by deployment
    access: str = "user"
    #: routes with a stream or a socket have a handler of their own
    handler: Any = None
    #: status codes that this route may answer beside the usual ones
    errors: tuple[int, ...] = field(default=())
    tag: str = ""
