"""A deployment under a cell: its counts, the call to copy, and a form to try it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

from ..client import records as api
from ..common.errors import Invalid, OpsError
from .keys_panel import KeysPanel
from .markup import button, chip, escape, icon
from .panel import Panel
from .serving import Deployment

ACCESS = {"workspace": "workspace members", "api-key": "API key", "public": "anyone"}
#: its counts are looked at so often while somebody has just used it
LOOK_EVERY_S = 5.0


class DeploymentPanel(Panel):
    """Follows the counts of a deployment, and predicts the row in its form."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.client)
        self.deployment = deployment
        self.row: api.Deployment = deployment._row
        self._keys: KeysPanel | None = None
        self._schema = self.deployment.schema
        self._is_open = False
        self._answer: api.Prediction | None = None
        self._typed: dict[str, str] = {}

    def begin(self) -> None:
        """Look at its counts now and then."""
        threading.Thread(target=self._look, name="pycaret-ops-panel", daemon=True).start()

    def _look(self) -> None:
        while not self._closed.wait(LOOK_EVERY_S):
            try:
                self.row = self.deployment.row
            except OpsError:
                continue  # the last counts stay
            self.refresh()

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        return () if self._keys is None else (self._keys,)

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Open the form or the keys, or predict its row."""
        if what == "try":
            self._is_open, self._answer = not self._is_open, None
        elif what == "keys":
            self._keys = KeysPanel(self.deployment) if self._keys is None else None
        elif what == "predict":
            self._typed = {name: str(value) for name, value in fields.items()}
            row = {
                name: _value(name, text, self._schema["row"]["properties"].get(name, {}))
                for name, text in self._typed.items()
            }
            answer = self.client.deployments.predict(self.deployment.slug, [row], proba=True)
            self._answer = answer["predictions"][0]
            self.row = self.deployment.row

    # ---------------------------------------------------------------- drawing

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        row, slug = self.row, self.deployment.slug
        pipeline = self.deployment.pipeline
        told = f"{pipeline['name']} v{pipeline['version']}, {pipeline['model_id']} · {ACCESS[row['auth_mode']]}"
        copying = self._buttons() if live else ""
        keys = self._keys.draw(live=live) if self._keys is not None else ""
        inside = (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f'{chip(row["status"])}<span class="jp-pycaret-clip">{escape(slug)} '
            f'<span class="jp-pycaret-muted" style="font-weight: 400">· {escape(told)}</span></span></h3>'
            '<div class="jp-pycaret-head__actions"><span class="jp-pycaret-muted" '
            f'style="line-height: 24px">{escape(counts(row))}</span></div></header>{self.troubles()}'
            '<div class="jp-pycaret-copyline"><span class="jp-pycaret-muted jp-pycaret-mono">POST</span>'
            f'<span class="jp-pycaret-copyline__text jp-pycaret-clip">{escape(self.deployment.url)}</span>'
            f"{copying}</div>{self._form() if live else ''}{self._said()}{keys}"
        )
        return self.section(f"Deployment {slug}", inside, live=live, style="gap: 8px")

    def _buttons(self) -> str:
        return (
            button("Copy curl", before=icon("copy"), copy=self.curl())
            + button("Try it", "try")
            + button("Keys", "keys", name=f"Keys of {self.deployment.slug}")
        )

    def curl(self) -> str:
        """The call as a line for a shell; the credential is the caller's to fill in."""
        header = {
            "api-key": '-H "Authorization: Bearer $PYCARET_OPS_TOKEN" ',
            "workspace": '-H "Authorization: token $PYCARET_OPS_TOKEN" ',
            "public": "",
        }[self.row["auth_mode"]]
        body = json.dumps({"rows": [self._schema["example"]]}, ensure_ascii=False).replace(
            "'", "'\\''"
        )
        return f"curl {header}--json '{body}' {self.deployment.url}"

    def _form(self) -> str:
        if not self._is_open:
            return ""
        fields = ""
        for name, column in self._schema["row"]["properties"].items():
            example = self._schema["example"].get(name)
            text = self._typed.get(name, "" if example is None else str(example))
            fields += (
                f'<label>{escape(name)} <span class="jp-pycaret-try__type">{escape(kind_of(column))}</span>'
                f'</label><input class="jp-pycaret-input" name="{escape(name)}" aria-label="{escape(name)}" '
                f'value="{escape(text)}">'
            )
        return (
            f'<form class="jp-pycaret-block" data-do="predict" aria-label="Try it">'
            f'<div class="jp-pycaret-try">{fields}</div>'
            f'<div class="jp-pycaret-line">{button("Predict", "predict", kind="primary")}</div></form>'
        )

    def _said(self) -> str:
        if self._answer is None:
            return ""
        shares = "".join(
            f"<dt>{escape(label)}</dt><dd>{share:.1%}</dd>"
            for label, share in sorted(
                (self._answer.get("probabilities") or {}).items(), key=lambda one: -one[1]
            )
        )
        return (
            '<div class="jp-pycaret-answer" role="status"><span class="jp-pycaret-answer__label">'
            f"{escape(str(self._answer['prediction']))}</span>"
            f'<dl class="jp-pycaret-line jp-pycaret-muted">{shares}</dl></div>'
        )


def counts(row: api.Deployment) -> str:
    """`12,840 requests · p50 9 ms · p95 21 ms`."""
    told = [f"{row['inference_count']:,} request{'' if row['inference_count'] == 1 else 's'}"]
    if row["error_count"]:
        told.append(f"{row['error_count']:,} refused")
    for name, value in (("p50", row["p50_latency_ms"]), ("p95", row["p95_latency_ms"])):
        if value is not None:
            told.append(f"{name} {value:.0f} ms")
    return " · ".join(told)


def kind_of(column: api.JSON) -> str:
    """A column's type as people say it."""
    kinds = column.get("type", "string")
    found = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    return str(found[0]) if found else "any"


def _value(name: str, text: str, column: api.JSON) -> Any:
    """What was typed, as the schema wants it; nothing typed is a missing value."""
    if text == "":
        return None
    kind = kind_of(column)
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        raise Invalid(f"{name}: “{text}” is not a number.") from None
    return text.lower() == "true" if kind == "boolean" else text
