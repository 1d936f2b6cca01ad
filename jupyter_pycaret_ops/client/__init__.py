"""The Python client: the whole HTTP API, typed, from a notebook, a script or another machine.

    from jupyter_pycaret_ops import Client

    client = Client()
    for run in client.runs.list(status="running"):
        print(run["id"], run["progress"]["label"])

It knows the HTTP API and nothing else of the server.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from types import TracebackType

from .default_project import Home, find_home
from .discovery import Address, NoServer, find
from .event_stream import EventStream
from .records import ENDED
from .resources.runs import DataSources, Describe, Experiments, Runs
from .resources.serving import Deployments, OpenInference, Pipelines
from .resources.workspaces import ApiKeys, Projects, Server, Workspaces
from .transport import ServerFault, Transport, Unreachable, Untrusted

__all__ = [
    "ENDED",
    "Address",
    "Client",
    "EventStream",
    "Home",
    "NoServer",
    "ServerFault",
    "Unreachable",
    "Untrusted",
]


class Client:
    """The API of one server. Methods raise the errors of `jupyter_pycaret_ops.errors`.

    Without arguments the server is found: `PYCARET_OPS_URL` and `PYCARET_OPS_TOKEN` in the environment,
    JupyterHub, the server that started this kernel, the one that runs on this machine.

    Parameters
    ----------
    url
        Address of a Jupyter server, as in the browser, or of its API.
    token
        A token of Jupyter or JupyterHub, or an API key (`pck_…`).
    verify
        For a server whose certificate the system does not trust: a file of certificates (by default the one
        that `PYCARET_OPS_CA` names), or False, which trusts any.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        verify: bool | str | Path | ssl.SSLContext = True,
    ) -> None:
        self._line = Transport(find(url, token), verify)
        self.server = Server(self._line)
        self.describe = Describe(self._line)
        self.workspaces = Workspaces(self._line)
        self.projects = Projects(self._line)
        self.api_keys = ApiKeys(self._line)
        self.data_sources = DataSources(self._line)
        self.experiments = Experiments(self._line)
        self.runs = Runs(self._line)
        self.pipelines = Pipelines(self._line)
        self.deployments = Deployments(self._line)
        self.open_inference = OpenInference(self._line)

    @property
    def address(self) -> Address:
        """The API that is called, and how it was found."""
        return self._line.address

    @property
    def trust(self) -> ssl.SSLContext:
        """The certificates that this client trusts."""
        return self._line.context

    def home(self, workspace: str | None = None, project: str | None = None) -> Home:
        """Workspace and project by name, else those that first use makes, else the oldest.

        Raises
        ------
        NotFound
            When there is none of that name.
        """
        return find_home(self.workspaces, self.projects, workspace, project)

    def close(self) -> None:
        """Close the connections."""
        self._line.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._line.where!r}, {self.address.how})"
