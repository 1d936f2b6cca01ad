"""The server extension: traits, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Int, Unicode, default

from ..common.errors import Unavailable
from . import settings
from .threads import in_thread_within

if TYPE_CHECKING:
    from tornado.httpserver import HTTPServer

    from .api.context import Services
    from .wiring import ServerOptions

#: seconds after the start of Jupyter; a request starts the extension at once
START_AFTER_S = 1.0
STOP_WITHIN_S = 10.0
#: seconds for migrations of the database
MIGRATIONS_WITHIN_S = 3600.0


class PyCaretOpsApp(ExtensionApp):
    """AutoML operations inside Jupyter."""

    name = "jupyter_pycaret_ops"
    app_name = "Jupyter PyCaret Ops"
    description = "Train, watch, promote and serve PyCaret pipelines in a Jupyter server."
    extension_url = "/lab"
    load_other_extensions = True

    database_url = Unicode(
        help="SQLAlchemy URL of the database. Default: a SQLite file in Jupyter's data folder.",
    ).tag(config=True)
    auto_migrate = Bool(
        None,
        allow_none=True,
        help="Whether the server migrates the database when it starts. Default: on SQLite only.",
    ).tag(config=True)
    artifact_root = Unicode(
        help="Folder or fsspec URL of uploads, artifacts and pipelines. Default: in Jupyter's data folder.",
    ).tag(config=True)
    key_file = Unicode(
        help="File with the key that signs pipelines and encrypts the secrets of connectors; created with mode "
        "0600 when missing. Servers that share a database must share this file.",
    ).tag(config=True)
    owner_name = Unicode(
        help="The user that Jupyter's token and password stand for. Default: the operating system user, on a "
        "JupyterHub the user of the server.",
    ).tag(config=True)
    auto_bootstrap = Bool(
        True,
        help="Whether the first request of the owner creates a workspace and a project `default`.",
    ).tag(config=True)
    upload_cap_bytes = Int(64 * 1024 * 1024, min=1, help="Largest upload, in bytes.").tag(
        config=True
    )
    concurrent_runs = Int(
        min=1,
        help="Number of runs that this server executes at once; others wait. Default: one for two cores, at "
        "least two.",
    ).tag(config=True)
    queue_cap = Int(
        1000, min=1, help="Number of runs that may wait; further ones are refused with 429."
    ).tag(config=True)
    spare_kernels = Int(
        1,
        min=0,
        help="Number of preloaded worker kernels, started on the first use of the extension.",
    ).tag(config=True)
    spare_idle_s = Float(
        1800.0, min=1.0, help="Seconds without use after which spare kernels are ended."
    ).tag(config=True)
    worker_kernel_name = Unicode(
        "python3", help="Kernelspec in which runs are executed; its environment needs this package."
    ).tag(config=True)
    kernel_answer_s = Float(
        60.0,
        min=1.0,
        help="Seconds that a worker kernel may take to start, and then to answer the server.",
    ).tag(config=True)
    cancel_grace_s = Float(
        5.0,
        min=0.0,
        help="Seconds from a cancel to the end of the kernel of a run that has not stopped.",
    ).tag(config=True)
    lease_s = Float(
        60.0, min=3.0, help="Seconds without a report after which a run counts as lost."
    ).tag(config=True)
    overtime_s = Float(
        300.0,
        min=0.0,
        help="Seconds after the time limit of a run at which the server ends its kernel.",
    ).tag(config=True)
    worker_memory_bytes = Int(
        0,
        min=0,
        help="Bytes of memory that a worker kernel may use with all of its processes. Default: three quarters of "
        "the free memory when a run starts, divided by concurrent_runs.",
    ).tag(config=True)
    run_attempts = Int(2, min=1, help="Number of attempts of a run whose worker was lost.").tag(
        config=True
    )
    pool = Unicode(
        help="A server executes only runs of its pool. Default: host and operating system user."
    ).tag(config=True)
    connector_allow_private = Bool(
        False,
        help="Whether S3 and Postgres sources may have addresses that are not public: this machine, the local "
        "network, link-local addresses such as the metadata service of a cloud. Users who may register a "
        "source can then reach what this server can reach.",
    ).tag(config=True)
    connector_cap_rows = Int(
        5_000_000,
        min=1,
        help="Maximum number of rows that a run reads from an S3 or Postgres source.",
    ).tag(config=True)
    connector_cap_bytes = Int(
        512 * 1024 * 1024,
        min=1,
        help="Maximum number of bytes that a run reads from an S3 or Postgres source.",
    ).tag(config=True)
    connector_timeout_s = Float(
        600.0, min=1.0, help="Seconds that a run may take to read an S3 or Postgres source."
    ).tag(config=True)
    predict_timeout_s = Float(
        20.0,
        min=0.1,
        help="Seconds that a pipeline may take for a batch of rows, and as long again for each 5,000 rows. "
        "The kernel of one that takes longer is ended.",
    ).tag(config=True)
    public_body_bytes = Int(
        1024 * 1024, min=1024, help="Largest body of a request to a public deployment, in bytes."
    ).tag(config=True)
    public_requests_per_minute = Int(
        6000,
        min=1,
        help="Number of requests per minute from one address to a public deployment; further ones are refused "
        "with 429. A large body counts as several requests: one more for each 64 KiB.",
    ).tag(config=True)
    profile_uploads = Bool(
        True,
        help="Profile a table right after its upload, in a kernel of its own; otherwise on request only.",
    ).tag(config=True)
    callback_url = Unicode(
        help="URL at which kernels on other hosts reach the API of this server, for example "
        "https://hub.example.org/user/ada/pycaret/api/v1. Default: an internal socket on this host.",
    ).tag(config=True)

    @default("database_url")
    def _default_database_url(self) -> str:
        return settings.default_database_url()

    @default("artifact_root")
    def _default_artifact_root(self) -> str:
        return str(settings.data_root() / "artifacts")

    @default("key_file")
    def _default_key_file(self) -> str:
        return str(settings.data_root() / "secret.key")

    @default("owner_name")
    def _default_owner_name(self) -> str:
        return settings.hub_user() or settings.system_user()

    @default("concurrent_runs")
    def _default_concurrent_runs(self) -> int:
        return max(2, (os.cpu_count() or 2) // 2)

    @default("pool")
    def _default_pool(self) -> str:
        return f"{socket.gethostname()}/{settings.system_user()}"

    # ---------------------------------------------------------------- Jupyter's hooks

    def initialize_settings(self) -> None:
        """Store the extension in the settings of the web application."""
        self._services: Services | None = None
        self._starting: asyncio.Task[Services] | None = None
        self._stack: contextlib.AsyncExitStack | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopped = False
        self.settings[settings.EXTENSION] = self

    def initialize_handlers(self) -> None:
        """Add the routes, which are imported when they are first needed."""
        from .api.lazy_routes import LazyRoutes

        assert self.serverapp is not None
        application: Any = self.serverapp.web_app
        self._routes = LazyRoutes(application, application.settings["base_url"])
        application.add_handlers(".*$", [self._routes.rule()])

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Start shortly after Jupyter, so that runs of an earlier server go on without a request."""
        self._tasks.append(asyncio.create_task(self._start_soon(), name="pycaret-ops-start"))

    async def _start_soon(self) -> None:
        await asyncio.sleep(START_AFTER_S)
        await self._routes.ready()
        if not self._has_records():
            return  # it was never used: the first request starts it
        try:
            await self.ensure_started()
        except Unavailable as error:
            self.log.warning("jupyter-pycaret-ops: %s", error.message)

    def _has_records(self) -> bool:
        """Return whether the database may have records; a missing SQLite file has none."""
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            url = make_url(self.database_url)
        except ArgumentError:
            return True  # the start fails with a message
        if url.get_backend_name() != "sqlite":
            return True
        return bool(url.database) and Path(str(url.database)).exists()

    async def ensure_started(self) -> Services:
        """Return the services, which the first call starts; a start that failed is tried again.

        Raises
        ------
        Unavailable
            When the database cannot be used; the message says what to do.
        """
        if self._services is not None:
            return self._services
        if self._stopped:
            raise Unavailable("The server is stopping.")
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start(), name="pycaret-ops-starting")
        return await asyncio.shield(self._starting)

    async def stop_extension(self) -> None:
        """Close the parts in reverse order, within `STOP_WITHIN_S` seconds each; errors are logged."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        if self._starting is not None:
            with contextlib.suppress(BaseException):
                await asyncio.wait_for(self._starting, STOP_WITHIN_S)
        self._services = None
        stack, self._stack = self._stack, None
        if stack is not None:
            try:
                await asyncio.wait_for(stack.aclose(), STOP_WITHIN_S)
            except Exception:
                self.log.exception("jupyter-pycaret-ops did not stop cleanly")

    def current_activity(self) -> dict[str, int] | None:
        """Return the number of runs that are executed, so that the server does not count as idle."""
        live = 0
        if self._services is not None:
            # to Jupyter, a kernel that executes a plan in a thread is idle
            live = self._services.supervisor.live + self._services.notebook.live
        if not live:
            return None
        if self.serverapp is not None:
            from jupyter_server._tz import utcnow

            # worker kernels are not in Jupyter's list of kernels; cullers read this time
            self.serverapp.web_app.settings["api_last_activity"] = utcnow()
        return {"running_runs": live}

    # ---------------------------------------------------------------- wiring

    async def _start(self) -> Services:
        await in_thread_within(MIGRATIONS_WITHIN_S, self._prepare_store)
        from . import wiring

        assert self.serverapp is not None
        kernel_specs = self.serverapp.kernel_spec_manager
        assert kernel_specs is not None
        stack = contextlib.AsyncExitStack()
        try:
            built = await wiring.build(self._options(), stack, kernel_specs)
            # agents can report before runs are dispatched, and until the last run has stopped
            self._services = built.services
            await wiring.start(built, stack, await self._listen(stack, built.runtime))
        except BaseException:
            self._services = None
            await stack.aclose()
            raise
        self._stack = stack
        return built.services

    def _options(self) -> ServerOptions:
        """Return the traits as plain values."""
        from .wiring import ServerOptions

        names = (field.name for field in dataclasses.fields(ServerOptions))
        return ServerOptions(**{name: getattr(self, name) for name in names})

    def _prepare_store(self) -> None:
        """Migrate the database if that is allowed; imports SQLAlchemy, so it is called in a thread.

        Raises
        ------
        Unavailable
            When the database cannot be used.
        """
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import SQLAlchemyError

        from .store.bootstrap import SchemaBlocked, ensure_schema

        automatic = self.auto_migrate
        try:
            if automatic is None:
                automatic = make_url(self.database_url).get_backend_name() == "sqlite"
            report = ensure_schema(self.database_url, auto_migrate=automatic)
        except SchemaBlocked as error:
            raise Unavailable(str(error), retry_after_s=30) from error
        except (SQLAlchemyError, OSError) as error:
            self.log.warning("the database could not be opened: %s", error)
            raise Unavailable(
                "The database could not be opened. See the server's log, and check "
                "PyCaretOpsApp.database_url.",
                retry_after_s=10,
            ) from error
        if report.backup is not None:
            self.log.info("the database was copied to %s before its migration", report.backup)

    async def _listen(self, stack: contextlib.AsyncExitStack, runtime: Path) -> str:
        """Open the internal listener, which serves only the agent's routes, and return its URL."""
        if self.callback_url:
            return self.callback_url
        from tornado.httpserver import HTTPServer
        from tornado.web import Application

        from .api.routes import agent_handlers

        assert self.serverapp is not None
        shared = {
            name: value
            for name, value in self.serverapp.web_app.settings.items()
            if name not in ("default_handler_class", "ui_modules", "ui_methods")
        }
        server: HTTPServer = HTTPServer(
            Application(agent_handlers(), **shared), max_body_size=1 << 34
        )
        stack.push_async_callback(_close_listener, server)
        if hasattr(socket, "AF_UNIX"):
            from tornado.netutil import bind_unix_socket

            path = str(runtime / "agents")
            server.add_socket(bind_unix_socket(path, mode=0o600))
            return f"unix:{path}"
        from tornado.netutil import bind_sockets

        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


async def _close_listener(server: HTTPServer) -> None:
    server.stop()
    await server.close_all_connections()
