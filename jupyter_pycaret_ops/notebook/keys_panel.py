"""API keys of a deployment, under its panel: made, shown once, listed, revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ..client import records as api
from ..client.run_request import unused_name
from ..common.errors import Invalid
from .markup import button, escape, icon, plural
from .panel import Panel
from .serving import Deployment

#: choices of the form: days, and how they are said
EXPIRIES = {"": "never", "30": "in 30 days", "365": "in a year"}


class KeysPanel(Panel):
    """Keys that open one deployment and nothing else."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.client)
        self.deployment = deployment
        self.rows: list[api.ApiKey] = []
        #: the name of the key that was just made, and its secret until the browser has it
        self._made: str | None = None
        self._secret: str | None = None
        #: the key that is to be revoked, once that is confirmed
        self._pending_revocation: str | None = None
        self._mode: api.AuthMode = "api-key"
        self._taken: set[str] = set()
        self._wider = 0
        self.look()

    def look(self) -> None:
        """Ask the server."""
        row = self.deployment.row
        self._mode = row["auth_mode"]
        rows = [
            key
            for key in self.client.api_keys.list(limit=None)
            if key["workspace_id"] == row["workspace_id"] and key["revoked_at"] is None
        ]
        self.rows = [key for key in rows if key["deployment_id"] == row["id"]]
        self._taken = {key["name"] for key in rows}
        self._wider = sum(
            key["deployment_id"] is None and bool({"predict", "write"} & {*key["scopes"]})
            for key in rows
        )

    def take_secret(self) -> str | None:
        """See `Panel.take_secret`."""
        secret, self._secret = self._secret, None
        return secret

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Make a key, or revoke one."""
        verb, _, key_id = what.partition(":")
        if verb == "key":
            self._make(str(fields.get("name") or "").strip(), str(fields.get("expiry") or ""))
        elif verb == "seen":
            self._made = None
        elif verb == "doubt":
            self._pending_revocation = key_id
        elif verb == "keep":
            self._pending_revocation = None
        elif verb == "revoke":
            self._pending_revocation = None
            self.client.api_keys.delete(key_id)
            self.look()

    def _make(self, name: str, expiry: str) -> None:
        if not name:
            raise Invalid("Give the key a name: it says later which program has it.")
        row = self.deployment.row
        ends = (
            datetime.now(UTC) + timedelta(days=int(expiry))
            if expiry in EXPIRIES and expiry
            else None
        )
        made = self.client.api_keys.create(name, row["workspace_id"], ["predict"], row["id"], ends)
        self._made, self._secret = name, made["key"]
        self.look()

    # ---------------------------------------------------------------- drawing

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`; a saved file has nothing of it."""
        if not live:
            return ""
        return (
            f'<section class="jp-pycaret-block" aria-label="Keys" data-panel="{self.id}">'
            '<h4 class="jp-pycaret-block__title">Keys</h4>'
            f"{self.troubles()}{self._once()}{self._table()}{self._more()}{self._form()}</section>"
        )

    def _once(self) -> str:
        """The new key. Its text is filled in by the browser, which alone has it."""
        if self._made is None:
            return ""
        return (
            '<div class="jp-pycaret-once" role="status"><p><b>Copy this key now.</b> It is not stored and '
            "will not be shown again. It opens this deployment and nothing else.</p>"
            '<div class="jp-pycaret-copyline">'
            '<span class="jp-pycaret-copyline__text jp-pycaret-clip" data-secret></span>'
            f"{button('Copy key', before=icon('copy'), secret='')}{button('Done', 'seen')}</div></div>"
        )

    def _table(self) -> str:
        if not self.rows:
            hint = '<p class="jp-pycaret-hint">A program needs a key. There is none yet.</p>'
            return hint if self._mode == "api-key" else ""
        return (
            '<table class="jp-pycaret-table" aria-label="Keys"><thead><tr><th scope="col">Name</th>'
            '<th scope="col">Begins with</th><th scope="col">Expires</th><th scope="col">Last used</th>'
            '<th scope="col"><span class="jp-pycaret-heard">Revoke</span></th></tr></thead>'
            f"<tbody>{''.join(map(self._line, self.rows))}</tbody></table>"
        )

    def _line(self, row: api.ApiKey) -> str:
        name, key_id = row["name"], row["id"]
        if key_id == self._pending_revocation:
            return (
                f'<tr data-key="{key_id}"><td colspan="3">Programs that use <b>{escape(name)}</b> are '
                'refused at once.</td><td colspan="2" class="jp-pycaret-num">'
                f"{button('Revoke key', f'revoke:{key_id}', name=f'Revoke {name} now', kind='stop')}"
                f"{button('Keep', f'keep:{key_id}', name=f'Keep {name}')}</td></tr>"
            )
        return (
            f'<tr data-key="{key_id}"><td><div class="jp-pycaret-clip" title="{escape(name)}">'
            f'{escape(name)}</div></td><td class="jp-pycaret-mono">{escape(row["prefix"])}…</td>'
            f"<td>{_day(row['expires_at'], 'never')}</td><td>{_day(row['last_used_at'], '–')}</td>"
            f'<td class="jp-pycaret-num">'
            f"{button('Revoke', f'doubt:{key_id}', name=f'Revoke {name}')}</td></tr>"
        )

    def _more(self) -> str:
        if not self._wider:
            return ""
        opens = "opens" if self._wider == 1 else "open"
        return (
            f'<p class="jp-pycaret-hint">{plural(self._wider, "key")} of the whole workspace '
            f"{opens} it too.</p>"
        )

    def _form(self) -> str:
        if self._mode == "public":
            return (
                '<p class="jp-pycaret-hint">Anyone may call this deployment: no key is needed.</p>'
            )
        if self._mode == "workspace":
            return (
                '<p class="jp-pycaret-hint">Members of the workspace alone may call this deployment: '
                "keys open it once its access is “API key”.</p>"
            )
        choices = "".join(
            f'<option value="{days}">{word}</option>' for days, word in EXPIRIES.items()
        )
        name = unused_name(self.deployment.slug, self._taken)
        return (
            '<form class="jp-pycaret-line" data-do="key" aria-label="New key">'
            f'<label>Name <input class="jp-pycaret-input" name="name" value="{escape(name)}"></label>'
            f'<label>Expires <select class="jp-pycaret-select" name="expiry">{choices}</select></label>'
            f"{button('Make key', 'key')}</form>"
        )


def _day(moment: str | None, else_: str) -> str:
    if moment is None:
        return else_
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d")
