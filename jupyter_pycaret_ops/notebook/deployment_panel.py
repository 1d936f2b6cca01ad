"""The panel of a deployment: its usage, a call to copy, and a form to try it."""

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
#: seconds between two requests of its counts
POLL_INTERVAL_S = 5.0


class DeploymentPanel(Panel):
    """Shows the usage of a deployment, and predicts the row in its form."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.client)
        self.deployment = deployment
        self.row: api.Deployment = deployment._row
        self._keys: KeysPanel | None = None
        self._schema = self.deployment.schema
        self._is_open = False
        self._prediction: api.Prediction | None = None
        self._form_values: dict[str, str] = {}

    def start(self) -> None:
        """Fetch its counts from time to time in a thread."""
        threading.Thread(target=self._poll, name="pycaret-ops-panel", daemon=True).start()

    def _poll(self) -> None:
        while not self._closed.wait(POLL_INTERVAL_S):
            try:
                self.row = self.deployment.row
            except OpsError:
                continue  # keep the last counts
            self.refresh()

    def children(self) -> Iterable[Panel]:
        """See `Panel.children`."""
        return () if self._keys is None else (self._keys,)

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Open the form or the keys, or predict the row in the form."""
        if action == "try":
            self._is_open, self._prediction = not self._is_open, None
        elif action == "keys":
            self._keys = KeysPanel(self.deployment) if self._keys is None else None
        elif action == "predict":
            self._form_values = {name: str(value) for name, value in fields.items()}
            row = {
                name: _value(name, text, self._schema["row"]["properties"].get(name, {}))
                for name, text in self._form_values.items()
            }
            response = self.client.deployments.predict(self.deployment.slug, [row], proba=True)
            self._prediction = response["predictions"][0]
            self.row = self.deployment.row

    # ---------------------------------------------------------------- rendering

    def render(self, *, live: bool) -> str:
        """See `Panel.render`."""
        row, slug = self.row, self.deployment.slug
        pipeline = self.deployment.pipeline
        summary = f"{pipeline['name']} v{pipeline['version']}, {pipeline['model_id']} · {ACCESS[row['auth_mode']]}"
        buttons = self._buttons() if live else ""
        keys = self._keys.render(live=live) if self._keys is not None else ""
        content = (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f'{chip(row["status"])}<span class="jp-pycaret-clip">{escape(slug)} '
            f'<span class="jp-pycaret-muted" style="font-weight: 400">· {escape(summary)}</span></span></h3>'
            '<div class="jp-pycaret-head__actions"><span class="jp-pycaret-muted" '
            f'style="line-height: 24px">{escape(counts(row))}</span></div></header>{self.error_notice()}'
            '<div class="jp-pycaret-copyline"><span class="jp-pycaret-muted jp-pycaret-mono">POST</span>'
            f'<span class="jp-pycaret-copyline__text jp-pycaret-clip">{escape(self.deployment.url)}</span>'
            f"{buttons}</div>{self._form() if live else ''}{self._prediction_html()}{keys}"
        )
        return self.section(f"Deployment {slug}", content, live=live, style="gap: 8px")

    def _buttons(self) -> str:
        return (
            button("Copy curl", before=icon("copy"), copy=self.curl())
            + button("Try it", "try")
            + button("Keys", "keys", name=f"Keys of {self.deployment.slug}")
        )

    def curl(self) -> str:
        """Return the call as a curl command; the credential comes from an environment variable."""
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
            text = self._form_values.get(name, "" if example is None else str(example))
            fields += (
                f'<label>{escape(name)} <span class="jp-pycaret-try__type">{escape(column_type(column))}</span>'
                f'</label><input class="jp-pycaret-input" name="{escape(name)}" aria-label="{escape(name)}" '
                f'value="{escape(text)}">'
            )
        return (
            f'<form class="jp-pycaret-block" data-do="predict" aria-label="Try it">'
            f'<div class="jp-pycaret-try">{fields}</div>'
            f'<div class="jp-pycaret-line">{button("Predict", "predict", kind="primary")}</div></form>'
        )

    def _prediction_html(self) -> str:
        if self._prediction is None:
            return ""
        shares = "".join(
            f"<dt>{escape(label)}</dt><dd>{share:.1%}</dd>"
            for label, share in sorted(
                (self._prediction.get("probabilities") or {}).items(), key=lambda item: -item[1]
            )
        )
        return (
            '<div class="jp-pycaret-answer" role="status"><span class="jp-pycaret-answer__label">'
            f"{escape(str(self._prediction['prediction']))}</span>"
            f'<dl class="jp-pycaret-line jp-pycaret-muted">{shares}</dl></div>'
        )


def counts(row: api.Deployment) -> str:
    """Return usage as text: `12,840 requests · p50 9 ms · p95 21 ms`."""
    parts = [f"{row['inference_count']:,} request{'' if row['inference_count'] == 1 else 's'}"]
    if row["error_count"]:
        parts.append(f"{row['error_count']:,} refused")
    for name, value in (("p50", row["p50_latency_ms"]), ("p95", row["p95_latency_ms"])):
        if value is not None:
            parts.append(f"{name} {value:.0f} ms")
    return " · ".join(parts)


def column_type(column: api.FieldSchema) -> str:
    """Return the JSON type of a column without null, `any` if it has none."""
    kinds = column.get("type", "string")
    names = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    return str(names[0]) if names else "any"


def _value(name: str, text: str, column: api.FieldSchema) -> Any:
    """Return a typed text as the JSON value that the schema requires; an empty text is a missing value."""
    if text == "":
        return None
    kind = column_type(column)
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        raise Invalid(f"{name}: “{text}” is not a number.") from None
    return text.lower() == "true" if kind == "boolean" else text
