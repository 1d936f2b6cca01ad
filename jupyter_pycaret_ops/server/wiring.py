"""Creates the parts of a server from plain values, one function per part.

Each part that must be closed is pushed on the exit stack where it is created: closing is the reverse of opening.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_runtime_dir

from ..common.clock import Clock, SystemClock
from ..common.errors import Unavailable
from ..common.protocol import ReadLimits
from . import settings
from .api.context import Services
from .api.identity import Identities
from .api.openapi import document
from .background import BackgroundTasks
from .data_sources.inspection import SourceInspector
from .data_sources.profiles import Profiles
from .executors.engine_description import EngineDescription
from .executors.kernel.executor import KernelExecutor
from .executors.kernel.memory import default_limit
from .executors.kernel.pool import PoolSettings, WorkerPool
from .executors.notebook import NotebookExecutor
from .executors.server_id import ServerId
from .files.file_store import FileStore
from .prometheus import Metrics
from .runs.agents import Agents
from .runs.fanout import Fanout
from .runs.submission import Submissions
from .runs.supervisor import RunSettings, Supervisor
from .serving.endpoint import Traffic
from .serving.endpoints import Endpoints
from .serving.kernel_link import KernelLink
from .serving.rate_limit import BufferedBytes, RateLimiter
from .serving.readiness import Readiness
from .serving.usage_statistics import UsageStatistics
from .store import runs, workers
from .store.models import Worker as WorkerRow
from .store.session import Store
from .threads import ThreadPool, in_thread
from .vault import Vault

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpecManager

    from .executors.kernel.worker import Worker

#: seconds for background tasks to end when the server stops, before they are cancelled
BACKGROUND_GRACE_S = 2.0
#: large bodies of requests that may wait to be decoded
MOST_LARGE_BODIES = 16
#: bytes of request bodies of public deployments in memory at once
PUBLIC_BUFFERED_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The traits as plain values; their help texts are in `app.py`."""

    database_url: str
    artifact_root: str
    key_file: str
    owner_name: str
    auto_bootstrap: bool
    pool: str
    worker_kernel_name: str
    spare_kernels: int
    spare_idle_s: float
    kernel_answer_s: float
    worker_memory_bytes: int
    concurrent_runs: int
    run_attempts: int
    cancel_grace_s: float
    lease_s: float
    overtime_s: float
    queue_cap: int
    upload_cap_bytes: int
    connector_cap_rows: int
    connector_cap_bytes: int
    connector_timeout_s: float
    connector_allow_private: bool
    predict_timeout_s: float
    public_body_bytes: int
    public_requests_per_minute: int
    profile_uploads: bool

    def memory_limit(self) -> int:
        """Return the bytes that one worker kernel may use now."""
        return self.worker_memory_bytes or default_limit(self.concurrent_runs)


@dataclass(frozen=True, slots=True)
class _Base:
    """What all parts need."""

    options: ServerOptions
    stack: contextlib.AsyncExitStack
    clock: Clock
    server: ServerId
    #: a temporary folder of this server
    runtime: Path
    store: Store
    files: FileStore
    vault: Vault
    background: BackgroundTasks


@dataclass(frozen=True, slots=True)
class _Runs:
    """The parts that execute runs."""

    fanout: Fanout
    agents: Agents
    supervisor: Supervisor
    kernel: KernelExecutor
    notebook: NotebookExecutor


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What `build` returns: the services for handlers, and parts that `start` needs."""

    services: Services
    kernel_executor: KernelExecutor
    link: KernelLink
    runtime: Path


async def build(
    options: ServerOptions, stack: contextlib.AsyncExitStack, kernel_specs: KernelSpecManager
) -> ServerParts:
    """Create all parts; runs are not started yet."""
    base = await _base(options, stack)
    pool = _kernel_pool(base, kernel_specs)
    run_parts = _runs(base, pool)
    engine = EngineDescription(pool, kernel_specs, settings.data_root() / "cache")
    link = KernelLink(
        pool, predict_within_s=options.predict_timeout_s, memory_limit=options.memory_limit
    )
    traffic = await _traffic(base, pool)
    inspector = SourceInspector(pool, memory_limit=options.memory_limit)
    services = Services(
        store=base.store,
        artifacts=base.files,
        vault=base.vault,
        clock=base.clock,
        background=base.background,
        identities=Identities(
            base.store,
            base.clock,
            owner=options.owner_name,
            auto_bootstrap=options.auto_bootstrap,
            hub_user=settings.hub_user(),
        ),
        pool=pool,
        engine=engine,
        inspector=inspector,
        profiles=Profiles(
            base.store,
            base.files,
            base.vault,
            inspector,
            _read_limits(options),
            base.background,
            base.clock,
            after_uploads=options.profile_uploads,
        ),
        read_limits=_read_limits(options),
        fanout=run_parts.fanout,
        agents=run_parts.agents,
        submissions=Submissions(base.store, base.files, engine, options.pool),
        supervisor=run_parts.supervisor,
        notebook=run_parts.notebook,
        endpoints=Endpoints(
            base.store,
            base.files,
            base.vault,
            link,
            traffic,
            background=base.background,
            monotonic=base.clock.monotonic,
            folder=base.runtime,
        ),
        readiness=Readiness(base.store, base.clock.monotonic),
        statistics=traffic.statistics,
        metrics=traffic.metrics,
        decoding=traffic.decoding,
        upload_cap_bytes=options.upload_cap_bytes,
        queue_cap=options.queue_cap,
        openapi_document=document,
    )
    return ServerParts(services, run_parts.kernel, link, base.runtime)


async def start(parts: ServerParts, stack: contextlib.AsyncExitStack, agent_url: str) -> None:
    """Settle the runs of an earlier server and start to dispatch; `agent_url` is where agents report."""
    services = parts.services
    parts.kernel_executor.agent_url = agent_url
    await services.supervisor.start()
    stack.push_async_callback(parts.link.close)
    stack.push_async_callback(services.supervisor.stop)
    stack.push_async_callback(services.identities.note_use)
    stack.push_async_callback(services.statistics.flush)
    writing = asyncio.create_task(services.statistics.write_behind(), name="deployment-counts")
    stack.callback(writing.cancel)


# ---------------------------------------------------------------- the parts


async def _base(options: ServerOptions, stack: contextlib.AsyncExitStack) -> _Base:
    runtime = await in_thread(_runtime_folder)
    stack.callback(shutil.rmtree, runtime, ignore_errors=True)
    store = Store(options.database_url)
    stack.push_async_callback(in_thread, store.close)
    files = FileStore(options.artifact_root)
    stack.callback(files.close)
    files.in_background(files.sweep)
    background = BackgroundTasks()
    stack.push_async_callback(background.close, BACKGROUND_GRACE_S)
    vault = Vault(Path(options.key_file))
    clock, server = SystemClock(), ServerId.current()
    return _Base(options, stack, clock, server, runtime, store, files, vault, background)


def _kernel_pool(base: _Base, kernel_specs: KernelSpecManager) -> WorkerPool:
    store, server, options = base.store, base.server, base.options

    async def record_start(worker: Worker, purpose: str) -> None:
        row = WorkerRow(
            server_id=str(server),
            host=server.host,
            kernel_id=worker.kernel_id,
            pid=worker.pid,
            process_group=worker.process_group,
            pid_started_at=worker.pid_started_at,
            purpose=purpose,
        )
        await store.write(workers.record, row)

    async def record_use(kernel_id: str, purpose: str) -> None:
        await store.write(workers.assign, kernel_id, purpose, None)

    async def record_end(kernel_id: str) -> None:
        with contextlib.suppress(Unavailable):
            await store.write(workers.forget, kernel_id)

    pool = WorkerPool(
        PoolSettings(
            options.worker_kernel_name,
            base.runtime,
            options.spare_kernels,
            options.spare_idle_s,
            options.kernel_answer_s,
        ),
        kernel_specs,
        on_started=record_start,
        on_taken=record_use,
        on_ended=record_end,
    )
    base.stack.push_async_callback(pool.close)
    return pool


def _runs(base: _Base, pool: WorkerPool) -> _Runs:
    options, store, clock = base.options, base.store, base.clock
    fanout = Fanout()
    kernel = KernelExecutor(pool, store, base.server)
    notebook = NotebookExecutor(
        store, clock, pool=options.pool, lease_s=options.lease_s, grace_s=options.cancel_grace_s
    )
    supervisor = Supervisor(
        store,
        kernel,
        fanout,
        clock,
        base.server,
        RunSettings(
            pool=options.pool,
            concurrent=options.concurrent_runs,
            attempts=options.run_attempts,
            grace_s=options.cancel_grace_s,
            lease_s=options.lease_s,
            overtime_s=options.overtime_s,
            memory_limit=options.memory_limit,
        ),
        others=[notebook],
    )
    notebook.finish = supervisor.close_as_cancelled
    agents = Agents(
        store,
        base.files,
        base.vault,
        fanout,
        clock,
        notebook=notebook,
        limits=_read_limits(options),
        lease_s=options.lease_s,
        on_ended=supervisor.ended,
    )
    supervisor.agents = agents
    return _Runs(fanout, agents, supervisor, kernel, notebook)


def _read_limits(options: ServerOptions) -> ReadLimits:
    return ReadLimits(
        cap_rows=options.connector_cap_rows,
        cap_bytes=options.connector_cap_bytes,
        timeout_s=options.connector_timeout_s,
        allow_private=options.connector_allow_private,
    )


async def _metrics(base: _Base, pool: WorkerPool) -> Metrics:
    metrics = Metrics(
        lambda: base.store.read(runs.count_by_status, base.options.pool),
        spare_kernels=lambda: pool.n_ready,
        monotonic=base.clock.monotonic,
    )
    await metrics.refresh()
    metrics.register()
    base.stack.callback(metrics.unregister)
    return metrics


async def _traffic(base: _Base, pool: WorkerPool) -> Traffic:
    options, monotonic = base.options, base.clock.monotonic
    decoding = ThreadPool(
        "decode",
        1,  # large bodies take one processor at most
        most_waiting=MOST_LARGE_BODIES,
        busy="Too many large requests wait to be read. Try again shortly.",
    )
    base.stack.callback(decoding.close)
    return Traffic(
        statistics=UsageStatistics(base.store, base.clock),
        metrics=await _metrics(base, pool),
        decoding=decoding,
        public_rate=RateLimiter(options.public_requests_per_minute, monotonic),
        public_body_bytes=options.public_body_bytes,
        public_buffered=BufferedBytes(max(PUBLIC_BUFFERED_BYTES, 4 * options.public_body_bytes)),
    )


def _runtime_folder() -> Path:
    """Create a folder for this server, mode 0700, with a path short enough for a unix socket."""
    parent = Path(jupyter_runtime_dir())
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    short_parent = str(parent) if len(str(parent)) < 70 else None
    folder = Path(short_parent or tempfile.gettempdir())
    for leftover in folder.glob("pco-*-*"):
        pid = leftover.name.split("-")[1]
        if pid.isdigit() and not _is_running(int(pid)) and leftover.stat().st_uid == os.getuid():
            shutil.rmtree(leftover, ignore_errors=True)  # of a server that was killed
    return Path(tempfile.mkdtemp(prefix=f"pco-{os.getpid()}-", dir=folder))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
