"""AutoML operations inside Jupyter: train, watch, promote and serve PyCaret pipelines.

Importing this package costs nothing: the server extension, the notebook magic and the client are
imported when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Client
    from .notebook import connect, dashboard, deploy, deployments, profile, start, upload, watch

__version__ = "0.1.0"
__all__ = [
    "Client",
    "__version__",
    "connect",
    "dashboard",
    "deploy",
    "deployments",
    "profile",
    "start",
    "upload",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        module = import_module(f"{__name__}.{'client' if name == 'Client' else 'notebook'}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext jupyter_pycaret_ops`: add `%pcrun`."""
    from .notebook import load

    load(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where Jupyter Server finds the extension."""
    from .server.app import PyCaretOpsApp

    return [{"module": "jupyter_pycaret_ops", "app": PyCaretOpsApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the panel in a development install."""
    return [{"src": "labextension", "dest": "jupyter-pycaret-ops"}]
