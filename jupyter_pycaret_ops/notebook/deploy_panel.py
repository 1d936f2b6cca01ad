"""The panel of a promoted pipeline, with a form to deploy it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from ..client import Client
from ..client import records as api
from .deployment_panel import ACCESS, DeploymentPanel
from .markup import button, chip, escape, notice, number, to_slug
from .panel import Panel
from .serving import Pipeline


class DeployPanel(Panel):
    """A promoted pipeline; once deployed, the panel of the deployment replaces the form."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.client)
        self.pipeline = pipeline
        self._deployment_panel: DeploymentPanel | None = None
        #: requested slug and access, and whether they have to be confirmed
        self._slug = to_slug(pipeline.row["name"])
        self._auth: api.AuthMode = "workspace"
        self._is_public_pending = False

    def children(self) -> Iterable[Panel]:
        """See `Panel.children`."""
        return () if self._deployment_panel is None else (self._deployment_panel,)

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Deploy the pipeline; ask for confirmation before public access."""
        if action == "deploy":
            auth: Any = fields.get("auth") or "workspace"
            self._slug, self._auth = str(fields.get("slug") or ""), auth
            self._is_public_pending = auth == "public"
            if not self._is_public_pending:
                self._deploy()
        elif action == "back":
            self._is_public_pending = False
        elif action == "public" and self._is_public_pending:
            self._is_public_pending = False
            self._deploy()

    def _deploy(self) -> None:
        self._deployment_panel = DeploymentPanel(self.pipeline.deploy(self._slug, self._auth))

    def render(self, *, live: bool) -> str:
        """See `Panel.render`."""
        row = self.pipeline.row
        scores = ", ".join(
            f"{name} {number(value)}"
            for name, value in list(row["metrics"].items())[:3]
            if isinstance(value, int | float)
        )
        form = self._form() if live and self._deployment_panel is None else ""
        deployment = (
            self._deployment_panel.render(live=live) if self._deployment_panel is not None else ""
        )
        content = (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f'{chip("succeeded", "Promoted")}<span class="jp-pycaret-clip">{escape(row["name"])} '
            f'v{row["version"]} <span class="jp-pycaret-muted" style="font-weight: 400">'
            f"· {escape(row['model_id'])}{escape(f' · {scores}' if scores else '')}</span></span></h3>"
            f"</header>{self.error_notice()}{form}"
        )
        return self.section(f"Pipeline {row['name']}", content, live=live) + deployment

    def _form(self) -> str:
        """Return the form with slug and access, or the confirmation of public access."""
        if self._is_public_pending:
            return confirm_public(self._slug, self.client)
        choices = "".join(
            f'<option value="{mode}"{" selected" if mode == self._auth else ""}>'
            f"{escape(label[0].upper() + label[1:])}</option>"
            for mode, label in ACCESS.items()
        )
        return (
            '<form class="jp-pycaret-line" data-do="deploy" aria-label="Deploy">'
            '<label>Endpoint <input class="jp-pycaret-input" name="slug" '
            f'value="{escape(self._slug)}"></label>'
            f'<label>Access <select class="jp-pycaret-select" name="auth">{choices}</select></label>'
            f"{button('Deploy', 'deploy', kind='primary')}</form>"
        )


def confirm_public(slug: str, client: Client) -> str:
    """Return the confirmation that anyone may call a deployment, and who that is."""
    host = urlsplit(client.address.api).netloc
    question = notice(
        "warning",
        f"Make {slug} public?",
        f"Anyone who reaches {host} can then call it without a login or a key: not only members of the "
        "workspace, but everybody in the network of this server, and on the internet where the server is "
        "open to it. They get predictions and see the names of columns and labels, not the training data. "
        "You can change it back at any time.",
    )
    return (
        f'<div class="jp-pycaret-block" role="group" aria-label="Make {escape(slug)} public?">{question}'
        f'<div class="jp-pycaret-line">{button("Back", "back")}'
        f"{button('Make public', 'public', kind='stop')}</div></div>"
    )
