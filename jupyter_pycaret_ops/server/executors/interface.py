"""The interface of executors, through which the supervisor executes attempts of runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

#: why an attempt whose kernel is gone was lost
LOST = "The kernel of this run ended unexpectedly: it was killed, or the machine ran out of memory."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a run, as it is passed to an executor."""

    run_id: str
    number: int
    #: the run token of this attempt; empty where the agent has it already
    token: str = ""


class ExecutorUnavailable(Exception):
    """No run can be executed now; the message says why and what to do."""


class AttemptRefused(Exception):
    """The kernel cannot execute the attempt; the message says why."""


class ExecutionLost(Exception):
    """The kernel ended while the attempt was being started."""


class Execution(Protocol):
    """An attempt that was started. Its agent reports events and the end over HTTP."""

    @property
    def exited(self) -> asyncio.Future[None]:
        """Done when nothing executes the attempt any more, for whatever reason."""
        ...

    def cancel(self) -> None:
        """Ask the plan to stop; return at once. The agent reports the end."""
        ...

    async def kill(self) -> None:
        """End the execution by force; return when it cannot report any more."""
        ...

    async def close(self) -> None:
        """Kill what is left and release what was used; called once, when the attempt has ended."""
        ...

    async def cpu_s(self) -> float:
        """Return the processor time used so far, in seconds, child processes included."""
        ...

    async def memory_exceeded(self, limit_bytes: int) -> int:
        """Return the bytes in use as soon as they exceed `limit_bytes`."""
        ...


class Executor(Protocol):
    """A way to execute runs."""

    async def start(self, attempt: Attempt) -> Execution:
        """Start an attempt. A cancelled start leaves nothing behind.

        Raises
        ------
        ExecutorUnavailable
        AttemptRefused
        ExecutionLost
        """
        ...

    def execution(self, run_id: str) -> Execution | None:
        """Return the execution of a run that the supervisor did not start, None where there is none."""
        ...

    async def resume(self) -> None:
        """Extend the time in which executions must report: this server has started, or was paused."""
        ...

    async def settle_overdue(self) -> None:
        """End executions that should have ended by now."""
        ...

    def forget(self, run_id: str) -> None:
        """Drop the state of a run that has ended or was requeued."""
        ...

    async def stop(self) -> None:
        """Start nothing more; the caller stops live executions."""
        ...
