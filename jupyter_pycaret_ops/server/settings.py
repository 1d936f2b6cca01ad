"""Default locations of files, and users. Imports nothing else of this package."""

from __future__ import annotations

import contextlib
import getpass
import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

#: key of the extension in the settings of the web application
EXTENSION = "jupyter_pycaret_ops_extension"


def data_root() -> Path:
    """Return the default folder of database, key file and artifacts."""
    return Path(jupyter_data_dir()) / "pycaret_ops"


def make_private_folder(folder: Path) -> None:
    """Create a folder with mode 0700, and its parents.

    An existing folder keeps its mode, which may be intended, except for the default data folder.
    """
    if folder.is_dir():
        if folder == data_root() and folder.stat().st_mode & 0o077:
            with contextlib.suppress(OSError):
                folder.chmod(0o700)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def default_database_url() -> str:
    """Return the URL of a SQLite file in the data folder."""
    from sqlalchemy.engine import URL

    # the path may have characters with a meaning in URLs
    file = str(data_root() / "pycaret_ops.db")
    return URL.create("sqlite", database=file).render_as_string(hide_password=False)


def system_user() -> str:
    """Return the operating system user of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"


def hub_user() -> str | None:
    """Return the JupyterHub user of this server, None without a JupyterHub."""
    return os.environ.get("JUPYTERHUB_USER") or None
