"""What a crash left behind: kernels of servers that are gone, found by the table of workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..server_id import ServerId
from . import process


@dataclass(frozen=True, slots=True)
class Leftover:
    """A kernel that the table of workers names."""

    kernel_id: str
    server_id: str
    pid: int
    process_group: int
    pid_started_at: float


def sweep(leftovers: Sequence[Leftover], host: str) -> list[str]:
    """End the kernels whose server is dead; returns their kernel ids, to be forgotten."""
    swept = []
    for left in leftovers:
        if ServerId.parse(left.server_id).is_dead(host):
            process.kill_group(left.process_group, left.pid_started_at)
            swept.append(left.kernel_id)
    return swept
