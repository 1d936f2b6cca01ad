"""Versions of the packages in this kernel."""

from __future__ import annotations

import platform
from importlib import metadata

_PACKAGES = {
    "pycaret": "pycaret",
    "sklearn": "scikit-learn",
    "pandas": "pandas",
    "numpy": "numpy",
    "jupyter_pycaret_ops": "jupyter-pycaret-ops",
}


def versions() -> dict[str, str | None]:
    """Return package → version; None for one without metadata (run from a source tree)."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name, distribution in _PACKAGES.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
