"""AutoML operations inside Jupyter: train, watch, promote and serve PyCaret pipelines.

Importing this package costs nothing: the server extension, the notebook magic and the client are
imported when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Client

__version__ = "0.1.0"
__all__ = ["Client", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from .client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where Jupyter Server finds the extension."""
    from .app import PyCaretOpsApp

    return [{"module": "jupyter_pycaret_ops", "app": PyCaretOpsApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the panel in a development install."""
    return [{"src": "labextension", "dest": "jupyter-pycaret-ops"}]
