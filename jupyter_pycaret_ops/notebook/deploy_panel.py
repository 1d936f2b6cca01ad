"""A pipeline under a cell, with the form that deploys it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..client import rows as api
from .deployment_panel import ACCESS, DeploymentPanel
from .marks import button, chip, escape, number, slug_of
from .panel import Panel
from .serving import Pipeline


class DeployPanel(Panel):
    """A promoted pipeline; when it is deployed, the deployment stands in the form's place."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.client)
        self.pipeline = pipeline
        self._made: DeploymentPanel | None = None

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        return () if self._made is None else (self._made,)

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Deploy it."""
        if what == "deploy":
            auth: Any = fields.get("auth") or "workspace"
            self._made = DeploymentPanel(self.pipeline.deploy(str(fields.get("slug") or ""), auth))

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        row = self.pipeline.row
        scores = ", ".join(
            f"{name} {number(value)}"
            for name, value in list(row["metrics"].items())[:3]
            if isinstance(value, int | float)
        )
        form = deploy_form(row) if live and self._made is None else ""
        made = self._made.draw(live=live) if self._made is not None else ""
        inside = (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f'{chip("succeeded", "Promoted")}<span class="jp-pycaret-clip">{escape(row["name"])} '
            f'v{row["version"]} <span class="jp-pycaret-muted" style="font-weight: 400">'
            f"· {escape(row['model_id'])}{escape(f' · {scores}' if scores else '')}</span></span></h3>"
            f"</header>{self.troubles()}{form}"
        )
        return self.section(f"Pipeline {row['name']}", inside, live=live) + made


def deploy_form(row: api.Pipeline) -> str:
    """Slug, access, and the button."""
    choices = "".join(
        f'<option value="{mode}">{escape(word[0].upper() + word[1:])}</option>'
        for mode, word in ACCESS.items()
    )
    return (
        '<form class="jp-pycaret-line" data-do="deploy" aria-label="Deploy">'
        f'<label>Endpoint <input class="jp-pycaret-input" name="slug" '
        f'value="{escape(slug_of(row["name"]))}"></label>'
        f'<label>Access <select class="jp-pycaret-select" name="auth">{choices}</select></label>'
        f"{button('Deploy', 'deploy', kind='primary')}</form>"
    )
