"""What executes an attempt of a run: the interface that the supervisor knows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a run, as an executor gets it."""

    run_id: str
    number: int
    #: opens the agent's routes for this attempt; empty where whoever executes it has it already
    token: str = ""


class ExecutorUnavailable(Exception):
    """There is nothing to execute a run now; the message says why and what to do."""


class AttemptRefused(Exception):
    """What was to execute the attempt cannot; the message says why."""


class ExecutionLost(Exception):
    """What executes the attempt ended while it was begun."""


class Execution(Protocol):
    """An attempt that was begun. Its agent reports events and the end over HTTP."""

    @property
    def exited(self) -> asyncio.Future[None]:
        """Done when nothing executes the attempt any more, however that came about."""
        ...

    def cancel(self) -> None:
        """Ask the plan to stop; returns at once, and its agent reports the end."""
        ...

    async def kill(self) -> None:
        """End the execution by force; returns when nothing of it can report any more."""
        ...

    async def close(self) -> None:
        """Kill what is left and give back what it used; called once, when the attempt is over."""
        ...

    async def cpu_s(self) -> float:
        """Return the seconds of processor time used so far, with those of child processes."""
        ...

    async def memory_exceeded(self, limit_bytes: int) -> int:
        """Return the bytes in use, as soon as they are more than `limit_bytes`."""
        ...


class Executor(Protocol):
    """A way to execute runs."""

    async def start(self, attempt: Attempt) -> Execution:
        """Begin an attempt. A cancelled start leaves nothing behind.

        Raises
        ------
        ExecutorUnavailable
        AttemptRefused
        ExecutionLost
        """
        ...

    def execution(self, run_id: str) -> Execution | None:
        """Return the execution of a run that this executor holds by itself, without the supervisor."""
        ...

    async def resume(self) -> None:
        """Give executions time to be heard again: this server has started, or has stood still."""
        ...

    async def settle_overdue(self) -> None:
        """Close what was to have ended by now."""
        ...

    def forget(self, run_id: str) -> None:
        """The run has ended, or goes on in another attempt."""
        ...

    async def stop(self) -> None:
        """Begin nothing more; live executions are left to whoever stops them."""
        ...
