"""The pool of worker kernels: preloaded spares, one kernel for each run, all ended when the server stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....common.engine_facts import SINGLE_THREADED
from ...background import BackgroundTasks
from ...threads import in_thread
from .worker import (
    ANSWER_WITHIN_S,
    Worker,
    WorkerDied,
    WorkerRefused,
    WorkerTimeout,
    without_folders,
)

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpecManager

log = logging.getLogger("jupyter_pycaret_ops")

PREPARE = "from jupyter_pycaret_ops.kernel import agent as _pycaret_ops_agent"
PRELOAD = "_pycaret_ops_agent.preload()"
#: preloading imports the engine and fits a model: its time limit is so many times `answer_s`
PRELOAD_TIMES = 3


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """The traits about worker kernels."""

    kernel_name: str
    runtime_dir: Path
    spares: int = 1
    idle_s: float = 1800.0
    #: seconds that a kernel may take to start, and then to execute code
    answer_s: float = ANSWER_WITHIN_S


class KernelUnavailable(Exception):
    """No worker kernel could be started; the message says why and what to do."""


class WorkerPool:
    """Worker kernels for runs, for serving, for inspections and for the description of the engine.

    Spare kernels are started on the first use of the extension (`request_spares`), replaced when they are
    taken, and ended after `idle_s` seconds without use. `on_started`, `on_taken` and `on_ended` update the
    table of workers.
    """

    def __init__(
        self,
        settings: PoolSettings,
        kernel_spec_manager: KernelSpecManager,
        *,
        on_started: Callable[[Worker, str], Awaitable[None]],
        on_taken: Callable[[str, str], Awaitable[None]],
        on_ended: Callable[[str], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self._kernel_specs = kernel_spec_manager
        self._on_started = on_started
        self._on_taken = on_taken
        self._on_ended = on_ended
        self._manager: Any = None
        self._spares: list[asyncio.Task[Worker]] = []
        self._all: set[Worker] = set()
        self._background = BackgroundTasks()
        self._keep_spares = False
        self._last_use = 0.0
        self._closed = False

    # ---------------------------------------------------------------- spares

    @property
    def n_ready(self) -> int:
        """The number of spares that are ready to be taken."""
        return sum(1 for task in self._spares if task.done() and not task.exception())

    @property
    def live(self) -> frozenset[Worker]:
        """All kernels that have not been ended."""
        return frozenset(self._all)

    def request_spares(self) -> None:
        """Start spare kernels, and keep them until nothing was used for `idle_s` seconds."""
        self._last_use = asyncio.get_running_loop().time()
        if not self._keep_spares and not self._closed:
            self._keep_spares = True
            self._refill()
            self._background.start(self._end_idle_spares(), "idle-spares")

    def _refill(self) -> None:
        while self._keep_spares and not self._closed and len(self._spares) < self.settings.spares:
            task = asyncio.create_task(self._start("spare"), name="spare-kernel")
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._spares.append(task)

    async def _end_idle_spares(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            left_s = self._last_use + self.settings.idle_s - loop.time()
            if left_s <= 0:
                break
            await asyncio.sleep(left_s)
        self._keep_spares = False
        spares, self._spares = self._spares, []
        for task in spares:
            with contextlib.suppress(Exception):
                await self.end(await task)

    # ---------------------------------------------------------------- take and end

    async def take(self, purpose: str) -> Worker:
        """Return a kernel with the agent imported: a spare if there is one, else a new one.

        An inspection of a data source always gets a new one; see `SourceInspector`.

        Raises
        ------
        KernelUnavailable
            When none can be started.
        """
        self._last_use = asyncio.get_running_loop().time()
        while self._spares and purpose != "inspection":
            if purpose == "serving" and not self._spares[0].done():
                break  # serving needs little of what a spare preloads, so it does not wait for all of it
            task = self._spares.pop(0)
            try:
                worker = await asyncio.shield(task)
            except KernelUnavailable:
                continue
            if worker.alive:
                if (
                    purpose == "serving"
                ):  # `KernelExecutor` records the kernel of a run, with the run
                    await self._on_taken(worker.kernel_id, purpose)
                return worker
            await self.end(worker)
        return await self._start(purpose)

    def give_back(self, worker: Worker) -> None:
        """Keep an unused kernel as a spare, or end it when there are enough."""
        if worker.alive and not self._closed and len(self._spares) < self.settings.spares:
            ready: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
            ready.set_result(worker)
            self._spares.append(asyncio.ensure_future(_result_of(ready)))
            self._keep_spares = True
        else:
            self._background.start(self.end(worker), "end-kernel")

    def refill(self) -> None:
        """Start a spare in place of the one that was taken; called when the run has ended."""
        self._refill()

    async def end(self, worker: Worker) -> None:
        """End a kernel with all of its processes."""
        await worker.end()
        self._all.discard(worker)
        await in_thread(shutil.rmtree, worker.scratch, ignore_errors=True)
        await self._on_ended(worker.kernel_id)

    async def _start(self, purpose: str) -> Worker:
        if self._closed:
            raise KernelUnavailable("The server is stopping.")
        manager = self._kernel_manager()
        env = {**os.environ, **SINGLE_THREADED, "PYCARET_CUSTOM_LOGGING_PATH": os.devnull}
        scratch = tempfile.mkdtemp(prefix="work-", dir=self.settings.runtime_dir)
        env["MPLCONFIGDIR"] = scratch
        name, within_s = self.settings.kernel_name, self.settings.answer_s
        try:
            async with asyncio.timeout(within_s):
                worker = await Worker.start(manager, name, env, scratch)
        except Exception as error:
            log.warning("the worker kernel %s could not be started: %s", name, error)
            await in_thread(shutil.rmtree, scratch, ignore_errors=True)
            raise KernelUnavailable(
                f"The worker kernel “{name}” could not be started ({_start_error(error)}). "
                "See `jupyter kernelspec list`, and set PyCaretOpsApp.worker_kernel_name."
            ) from error
        self._all.add(worker)
        try:
            if self._closed:  # while the kernel was starting
                raise KernelUnavailable("The server is stopping.")
            await self._on_started(worker, purpose)
            await worker.execute(PREPARE, within_s=within_s)
            if (
                purpose == "spare"
            ):  # other purposes wait for the kernel, and import only what they need
                await worker.execute(PRELOAD, within_s=PRELOAD_TIMES * within_s)
        except WorkerTimeout:
            output = await in_thread(worker.last_output)
            await self.end(worker)
            raise KernelUnavailable(
                f"The worker kernel “{name}” was started ({self._command()}) and did not answer within "
                f"{within_s:g} s. "
                + (f"Its last output: {output}. " if output else "It wrote nothing. ")
                + "Start a notebook with this kernel to see whether it works, or set "
                "PyCaretOpsApp.worker_kernel_name or kernel_answer_s."
            ) from None
        except WorkerDied:
            output = await in_thread(worker.last_output)
            await self.end(worker)
            raise KernelUnavailable(
                f"The worker kernel “{name}” ended while it started."
                + (f" Its last output: {output}" if output else "")
            ) from None
        except WorkerRefused as error:
            await self.end(worker)
            raise KernelUnavailable(
                f"The worker kernel “{name}” cannot run plans ({error.args[0]}). Install "
                "jupyter-pycaret-ops in its environment, or set PyCaretOpsApp.worker_kernel_name."
            ) from None
        except BaseException:
            await asyncio.shield(self.end(worker))
            raise
        return worker

    def _command(self) -> str:
        """Return the command of the kernelspec, without folders."""
        command = self._kernel_specs.get_kernel_spec(self.settings.kernel_name).argv
        return without_folders(" ".join(command))

    def _kernel_manager(self) -> Any:
        if self._manager is None:
            from jupyter_client.multikernelmanager import AsyncMultiKernelManager

            connections = self.settings.runtime_dir / "connections"
            connections.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._manager = AsyncMultiKernelManager(
                connection_dir=str(connections),
                kernel_spec_manager=self._kernel_specs,
                # the default class restarts kernels, and nothing would use or end a restarted one
                kernel_manager_class="jupyter_client.manager.AsyncKernelManager",
            )
            if sys.platform != "win32":
                self._manager.transport = "tcp"
        return self._manager

    async def close(self) -> None:
        """End all kernels; return when none of their processes is left."""
        self._closed = True
        self._keep_spares = False
        for starting in self._spares:
            starting.cancel()
        await self._background.close()
        await asyncio.gather(*self._spares, return_exceptions=True)
        self._spares.clear()
        await asyncio.gather(
            *(self.end(worker) for worker in list(self._all)), return_exceptions=True
        )
        if self._manager is not None:
            # with a linger time, a process that exits now may wait for ever for its sockets to send
            self._manager.context.destroy(linger=0)


async def _result_of(ready: asyncio.Future[Worker]) -> Worker:
    return await ready


def _start_error(error: Exception) -> str:
    """Return why a kernel could not be started, without the path of its executable."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return f"its executable: {error.strerror}"
    return without_folders(f"{type(error).__name__}: {error}")
