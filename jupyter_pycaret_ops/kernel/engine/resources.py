"""What the machine has to give."""

from __future__ import annotations

import os
from pathlib import Path

#: bytes, where the system does not say
_DEFAULT_MEMORY = 4 * 2**30


def free_memory() -> int:
    """Bytes of memory that are free, as far as the system says."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return _DEFAULT_MEMORY


def usable_cores() -> int:
    """Processors that this process may use: its affinity, and the limit of its control group."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return cores
