"""Memory and processors that are available."""

from __future__ import annotations

import os
from pathlib import Path

#: bytes to assume where the system does not report free memory
_DEFAULT_MEMORY = 4 * 2**30


def free_memory() -> int:
    """Return the free memory in bytes, or a default where the system does not report it."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return _DEFAULT_MEMORY


def usable_cores() -> int:
    """Return the number of processors that affinity and control group allow to this process."""
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
