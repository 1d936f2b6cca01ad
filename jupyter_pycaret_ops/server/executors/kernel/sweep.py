"""Ending of orphaned kernels: worker kernels whose server is gone, found in the table of workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..server_id import ServerId
from . import process


@dataclass(frozen=True, slots=True)
class OrphanedKernel:
    """A kernel in the table of workers, of another server."""

    kernel_id: str
    server_id: str
    pid: int
    process_group: int
    pid_started_at: float


def sweep(orphans: Sequence[OrphanedKernel], host: str) -> list[str]:
    """Kill the kernels whose server is dead; return their kernel ids."""
    swept = []
    for orphan in orphans:
        if ServerId.parse(orphan.server_id).is_dead(host):
            process.kill_group(orphan.process_group, orphan.pid_started_at)
            swept.append(orphan.kernel_id)
    return swept
