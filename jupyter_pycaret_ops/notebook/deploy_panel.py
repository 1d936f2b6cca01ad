"""A pipeline under a cell, with the form that deploys it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from ..client import Client
from ..client import records as api
from .deployment_panel import ACCESS, DeploymentPanel
from .markup import button, chip, escape, notice, number, slug_of
from .panel import Panel
from .serving import Pipeline


class DeployPanel(Panel):
    """A promoted pipeline; when it is deployed, the deployment stands in the form's place."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.client)
        self.pipeline = pipeline
        self._made: DeploymentPanel | None = None
        #: slug and access that were asked for, and whether that has to be confirmed
        self._slug = slug_of(pipeline.row["name"])
        self._auth: api.AuthMode = "workspace"
        self._is_doubted = False

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        return () if self._made is None else (self._made,)

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Deploy it; ask first where anyone may call it then."""
        if what == "deploy":
            auth: Any = fields.get("auth") or "workspace"
            self._slug, self._auth = str(fields.get("slug") or ""), auth
            self._is_doubted = auth == "public"
            if not self._is_doubted:
                self._deploy()
        elif what == "back":
            self._is_doubted = False
        elif what == "public" and self._is_doubted:
            self._is_doubted = False
            self._deploy()

    def _deploy(self) -> None:
        self._made = DeploymentPanel(self.pipeline.deploy(self._slug, self._auth))

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        row = self.pipeline.row
        scores = ", ".join(
            f"{name} {number(value)}"
            for name, value in list(row["metrics"].items())[:3]
            if isinstance(value, int | float)
        )
        form = self._form() if live and self._made is None else ""
        made = self._made.draw(live=live) if self._made is not None else ""
        inside = (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f'{chip("succeeded", "Promoted")}<span class="jp-pycaret-clip">{escape(row["name"])} '
            f'v{row["version"]} <span class="jp-pycaret-muted" style="font-weight: 400">'
            f"· {escape(row['model_id'])}{escape(f' · {scores}' if scores else '')}</span></span></h3>"
            f"</header>{self.troubles()}{form}"
        )
        return self.section(f"Pipeline {row['name']}", inside, live=live) + made

    def _form(self) -> str:
        """Slug, access, and the button; or the question whether anyone may call it."""
        if self._is_doubted:
            return public_question(self._slug, self.client)
        choices = "".join(
            f'<option value="{mode}"{" selected" if mode == self._auth else ""}>'
            f"{escape(word[0].upper() + word[1:])}</option>"
            for mode, word in ACCESS.items()
        )
        return (
            '<form class="jp-pycaret-line" data-do="deploy" aria-label="Deploy">'
            '<label>Endpoint <input class="jp-pycaret-input" name="slug" '
            f'value="{escape(self._slug)}"></label>'
            f'<label>Access <select class="jp-pycaret-select" name="auth">{choices}</select></label>'
            f"{button('Deploy', 'deploy', kind='primary')}</form>"
        )


def public_question(slug: str, client: Client) -> str:
    """The question whether anyone may call a deployment, and who that is."""
    host = urlsplit(client.address.api).netloc
    asked = notice(
        "warning",
        f"Make {slug} public?",
        f"Anyone who reaches {host} can then call it without a login or a key: not only members of the "
        "workspace, but everybody in the network of this server, and on the internet where the server is "
        "open to it. They get predictions and see the names of columns and labels, not the training data. "
        "You can change it back at any time.",
    )
    return (
        f'<div class="jp-pycaret-block" role="group" aria-label="Make {escape(slug)} public?">{asked}'
        f'<div class="jp-pycaret-line">{button("Back", "back")}'
        f"{button('Make public', 'public', kind='stop')}</div></div>"
    )
