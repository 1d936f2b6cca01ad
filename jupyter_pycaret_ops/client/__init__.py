"""The Python client: the whole HTTP API, typed, from a notebook, a script or another machine.

    from jupyter_pycaret_ops import Client

    client = Client()
    for run in client.runs.list(status="running"):
        print(run["id"], run["progress"]["label"])

It uses only the HTTP API of the server.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from types import TracebackType

from .default_project import DefaultProject, find_default_project
from .discovery import Address, NoServer, find_server
from .event_stream import EventStream
from .records import ENDED
from .resources.data_sources import DataSources
from .resources.runs import Describe, Experiments, Runs
from .resources.serving import Deployments, OpenInference, Pipelines
from .resources.workspaces import ApiKeys, Projects, Server, Workspaces
from .transport import ServerFault, Transport, Unreachable, Untrusted

__all__ = [
    "ENDED",
    "Address",
    "Client",
    "DefaultProject",
    "EventStream",
    "NoServer",
    "ServerFault",
    "Unreachable",
    "Untrusted",
]


class Client:
    """The API of one server. Methods raise the errors of `jupyter_pycaret_ops.errors`.

    Without arguments the server is discovered: from `PYCARET_OPS_URL` and `PYCARET_OPS_TOKEN`, from JupyterHub,
    the server that started this kernel, or the one that runs on this machine.

    Parameters
    ----------
    url
        Address of a Jupyter server, as in the browser, or of its API.
    token
        Token of Jupyter or JupyterHub, or an API key (`pck_…`).
    verify
        For a server whose certificate the system does not ssl_context: a file of certificates (by default the one
        that `PYCARET_OPS_CA` names), or False, which trusts any.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        verify: bool | str | Path | ssl.SSLContext = True,
    ) -> None:
        self._transport = Transport(find_server(url, token), verify)
        self.server = Server(self._transport)
        self.describe = Describe(self._transport)
        self.workspaces = Workspaces(self._transport)
        self.projects = Projects(self._transport)
        self.api_keys = ApiKeys(self._transport)
        self.data_sources = DataSources(self._transport)
        self.experiments = Experiments(self._transport)
        self.runs = Runs(self._transport)
        self.pipelines = Pipelines(self._transport)
        self.deployments = Deployments(self._transport)
        self.open_inference = OpenInference(self._transport)

    @property
    def address(self) -> Address:
        """The URL of the API, the credential, and where they were found."""
        return self._transport.address

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The SSL context with the certificates that this client trusts."""
        return self._transport.ssl_context

    def default_project(
        self, workspace: str | None = None, project: str | None = None
    ) -> DefaultProject:
        """Return the workspace and project of these names, else those named `default`, else the oldest.

        Raises
        ------
        NotFound
            When there are none of these names.
        """
        return find_default_project(self.workspaces, self.projects, workspace, project)

    #: the name in earlier versions
    home = default_project

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

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
        return f"Client({self._transport.server_url!r}, {self.address.how})"
