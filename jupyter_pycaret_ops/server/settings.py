"""Where things are kept when nobody says otherwise. A leaf: it knows only Jupyter's folders."""

from __future__ import annotations

import contextlib
import getpass
import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

#: where handlers find the extension in the application's settings
EXTENSION = "jupyter_pycaret_ops_extension"


def data_root() -> Path:
    """The folder that holds the database, the key file and the artifacts by default."""
    return Path(jupyter_data_dir()) / "pycaret_ops"


def make_private_folder(folder: Path) -> None:
    """Make a folder, with its parents, that only its owner may enter.

    One that is there keeps its mode, which may be meant so; the data folder, which is ours, is closed.
    """
    if folder.is_dir():
        if folder == data_root() and folder.stat().st_mode & 0o077:
            with contextlib.suppress(OSError):
                folder.chmod(0o700)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def default_database_url() -> str:
    """SQLite in the data folder."""
    from sqlalchemy.engine import URL

    # a folder's name may hold what means something in a URL
    file = str(data_root() / "pycaret_ops.db")
    return URL.create("sqlite", database=file).render_as_string(hide_password=False)


def system_user() -> str:
    """The operating system's name for who runs this server."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"


def hub_user() -> str | None:
    """Whose server this is, where a JupyterHub started it."""
    return os.environ.get("JUPYTERHUB_USER") or None
