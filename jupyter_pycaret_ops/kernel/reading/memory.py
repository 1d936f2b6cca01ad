"""Give memory that is no longer used back to the system, so that a profile does not hold it to its end."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

try:
    import pyarrow as pa
except ImportError:
    pa = None

#: `M_MMAP_THRESHOLD` of glibc's `mallopt`
_MMAP_THRESHOLD = -3
#: bytes from which an array is mapped by itself
_LARGE = 1 << 20


def release_memory() -> None:
    """Give the memory of arrays and objects that are no longer used back to the system."""
    if pa is not None:
        pa.default_memory_pool().release_unused()
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def release_large_arrays_at_once() -> None:
    """From now on, give the memory of large arrays back as soon as they are no longer used, in the whole process.

    glibc keeps more and more of it otherwise, below what is still in use.
    """
    set_option = _of_glibc("mallopt")
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _LARGE)


@cache
def _of_glibc(name: str) -> Any:
    """Return a function of glibc, None with another C library."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
