"""A worker kernel: its process and its channels."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import uuid
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, cast

from ...threads import in_thread
from . import process

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.multikernelmanager import AsyncMultiKernelManager

LONGEST_TRACE = 2_000
LONGEST_OUTPUT = 500
#: bytes that a kernel may write to stdout and stderr before the file is emptied
MOST_OUTPUT = 4 << 20
TRIM_EVERY_S = 1.0
#: default seconds that a kernel may take to execute code
ANSWER_WITHIN_S = 60.0
#: variables that users set for Python in their shell; worker kernels do not get them
PERSONAL_VARIABLES = frozenset(
    {"PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONBREAKPOINT"}
)
#: the `source` of an answer, see `kernel/agent/answers.py`
ANSWER_SOURCE = "jupyter_pycaret_ops"
#: in the kernel's folder: what it wrote to stdout and stderr
OUTPUT = "output.log"
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\][\w.@~+-]+(?:[/\\][\w.@~+-]+)*[/\\]")


def without_folders(text: str) -> str:
    """Return the text in one line, with paths shortened to their file names."""
    return _PATH.sub("", " ".join(text.split()))


def _trim(file: Path) -> None:
    with contextlib.suppress(OSError):
        if file.stat().st_size > MOST_OUTPUT:
            os.truncate(file, 0)


class WorkerDied(Exception):
    """The kernel ended before it had executed the code."""


class WorkerTimeout(WorkerDied):
    """The kernel did not execute the code in time; it must be ended."""


class WorkerRefused(Exception):
    """The code raised in the kernel; the message is that of the exception."""


class Worker:
    """A kernel that executes only code of this package.

    Code is executed one request at a time, over the shell channel; threads that it starts go on.
    """

    def __init__(
        self,
        manager: AsyncMultiKernelManager,
        kernel_id: str,
        client: AsyncKernelClient,
        scratch: Path,
    ) -> None:
        self.kernel_id = kernel_id
        #: the kernel's folder
        self.scratch = scratch
        self._manager = manager
        self._client = client
        provisioner: Any = manager.get_kernel(kernel_id).provisioner
        self._provisioner = provisioner
        self.pid: int = provisioner.pid
        self.process_group: int = provisioner.pgid or provisioner.pid
        self.pid_started_at: float = process.started_at(self.pid) or 0.0
        self._execute_lock = asyncio.Lock()
        self._ended = False
        #: done when the process has ended, for whatever reason
        self.exited: asyncio.Task[None] = asyncio.create_task(
            process.wait_for_exit(self.pid, provisioner.poll), name=f"kernel-exit-{self.pid}"
        )
        self._trimming = asyncio.create_task(self._trim_output(), name=f"kernel-output-{self.pid}")

    @classmethod
    async def start(
        cls, manager: AsyncMultiKernelManager, kernel_name: str, env: dict[str, str], cwd: str
    ) -> Worker:
        """Start a kernel; code may be sent at once, and is executed when the kernel is up.

        Raises
        ------
        OSError, jupyter_client.kernelspec.NoSuchKernel
            When there is no such kernelspec, or its command cannot be run.
        """
        env = {name: value for name, value in env.items() if name not in PERSONAL_VARIABLES}
        # an IPython profile of its own, without start-up files, extensions or formatters of the user
        env["IPYTHONDIR"] = str(Path(cwd) / "ipython")
        # appended to, so that it can be emptied while the kernel writes
        with (Path(cwd) / OUTPUT).open("ab") as output:
            kernel_id = await manager.start_kernel(
                kernel_name=kernel_name,
                kernel_id=str(uuid.uuid4()),
                env=env,
                cwd=cwd,
                stdout=output,
                stderr=output,
                extra_arguments=["--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"],
            )
        client = cast("AsyncKernelClient", manager.get_kernel(kernel_id).client())
        client.start_channels(  # noqa: S604 - a channel's name, no shell
            shell=True, iopub=False, stdin=False, hb=False, control=False
        )
        return cls(manager, kernel_id, client, Path(cwd))

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return not self.exited.done()

    async def execute(
        self, code: str, answer: str | None = None, *, within_s: float = ANSWER_WITHIN_S
    ) -> Any:
        """Execute `code`; with `answer`, evaluate that expression after it and return its value.

        `answer` needs the agent to be imported, and a value that JSON can represent.

        Raises
        ------
        WorkerDied
            When the kernel ends before it has executed the code.
        WorkerTimeout
            When that takes more than `within_s` seconds. The kernel may still be busy: end it.
        WorkerRefused
            When the code raised; the message is the exception's.
        """
        if answer is not None:
            code = f"{code}\n_pycaret_ops_agent.answer({answer})"
        async with self._execute_lock:
            message_id = self._client.execute(
                code, silent=True, store_history=False, allow_stdin=False
            )
            try:
                async with asyncio.timeout(within_s):
                    content = await self._reply(message_id)
            except TimeoutError:
                raise WorkerTimeout(
                    f"kernel {self.pid} did not answer within {within_s:g} s"
                ) from None
        if content["status"] != "ok":
            trace = "\n".join(content.get("traceback", []))[-LONGEST_TRACE:]
            raise WorkerRefused(f"{content.get('ename')}: {content.get('evalue')}", trace)
        if answer is None:
            return None
        for item in content.get("payload", ()):
            if item.get("source") == ANSWER_SOURCE:
                return item["value"]
        raise WorkerRefused("the kernel gave no answer", "")

    def execute_nowait(self, code: str) -> None:
        """Send `code` to be executed, without waiting for it; used for cancels."""
        if self.alive:
            self._client.execute(code, silent=True, store_history=False, allow_stdin=False)

    def last_output(self) -> str:
        """Return the end of what the kernel wrote to stdout and stderr, paths shortened to file names; blocks."""
        try:
            with (self.scratch / OUTPUT).open("rb") as output:
                size = output.seek(0, os.SEEK_END)
                output.seek(max(0, size - 4 * LONGEST_OUTPUT))  # a character has up to four bytes
                text = output.read(4 * LONGEST_OUTPUT).decode("utf-8", "replace")
        except OSError:
            return ""
        return without_folders(text[-LONGEST_OUTPUT:])

    async def _trim_output(self) -> None:
        """Empty the output file whenever it has become too large; ends with the kernel."""
        file = self.scratch / OUTPUT
        while self.alive:
            await asyncio.sleep(TRIM_EVERY_S)
            await in_thread(_trim, file)

    async def _reply(self, message_id: str) -> dict[str, Any]:
        while True:
            getting = asyncio.ensure_future(self._client.get_shell_msg(timeout=None))
            try:
                await asyncio.wait({getting, self.exited}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not getting.done():
                    getting.cancel()
                    await asyncio.wait({getting})
            if getting.cancelled() or isinstance(getting.exception(), Empty):
                raise WorkerDied(f"kernel {self.pid} ended")
            message = getting.result()
            if message["parent_header"].get("msg_id") == message_id:
                content: dict[str, Any] = message["content"]
                return content

    async def end(self) -> None:
        """Kill the process group of the kernel; return when none of its processes is left."""
        if self._ended:
            return
        self._ended = True
        self._trimming.cancel()
        self.signal_group(signal.SIGKILL)
        await asyncio.wait({self.exited}, timeout=5)
        # child processes may have survived, or have been started meanwhile
        await in_thread(process.kill_group, self.process_group, self.pid_started_at)
        self._client.stop_channels()
        with contextlib.suppress(Exception):
            await self._manager.shutdown_kernel(self.kernel_id, now=True)
        self.exited.cancel()

    def signal_group(self, number: int) -> None:
        """Send a signal to the whole process group, if the kernel is still alive."""
        if self.alive:
            with contextlib.suppress(OSError):
                os.killpg(self.process_group, number)
