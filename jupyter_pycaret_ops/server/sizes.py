"""Texts for sizes."""

from __future__ import annotations


def mebibytes(size: int) -> str:
    """Return a size in bytes as a text: `512 MiB`, `3.2 GiB`."""
    return f"{size / 2**30:.1f} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"
