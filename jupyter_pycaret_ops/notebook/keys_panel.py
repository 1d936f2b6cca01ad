"""The API keys of a deployment: create, show once, list, revoke."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ..client import records as api
from ..client.run_request import unused_name
from ..common.errors import Invalid
from .markup import button, escape, icon, plural
from .panel import Panel
from .serving import Deployment

#: days until a key expires → text of the choice
EXPIRIES = {"": "never", "30": "in 30 days", "365": "in a year"}


class KeysPanel(Panel):
    """The API keys for one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.client)
        self.deployment = deployment
        self.rows: list[api.ApiKey] = []
        #: name of the key that was just created, and its secret until it is sent to the browser
        self._new_key_name: str | None = None
        self._secret: str | None = None
        #: id of the key whose revocation has to be confirmed
        self._pending_revocation: str | None = None
        self._mode: api.AuthMode = "api-key"
        self._names_in_use: set[str] = set()
        self._n_workspace_keys = 0
        self.fetch()

    def fetch(self) -> None:
        """Fetch the keys from the server."""
        row = self.deployment.row
        self._mode = row["auth_mode"]
        rows = [
            key
            for key in self.client.api_keys.list(limit=None)
            if key["workspace_id"] == row["workspace_id"] and key["revoked_at"] is None
        ]
        self.rows = [key for key in rows if key["deployment_id"] == row["id"]]
        self._names_in_use = {key["name"] for key in rows}
        self._n_workspace_keys = sum(
            key["deployment_id"] is None and bool({"predict", "write"} & {*key["scopes"]})
            for key in rows
        )

    def pop_secret(self) -> str | None:
        """See `Panel.pop_secret`."""
        secret, self._secret = self._secret, None
        return secret

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Create or revoke a key."""
        subcommand, _, key_id = action.partition(":")
        if subcommand == "key":
            self._create(str(fields.get("name") or "").strip(), str(fields.get("expiry") or ""))
        elif subcommand == "seen":
            self._new_key_name = None
        elif subcommand == "doubt":
            self._pending_revocation = key_id
        elif subcommand == "keep":
            self._pending_revocation = None
        elif subcommand == "revoke":
            self._pending_revocation = None
            self.client.api_keys.delete(key_id)
            self.fetch()

    def _create(self, name: str, expiry: str) -> None:
        if not name:
            raise Invalid("Give the key a name that says which program uses it.")
        row = self.deployment.row
        expires_at = (
            datetime.now(UTC) + timedelta(days=int(expiry))
            if expiry in EXPIRIES and expiry
            else None
        )
        key = self.client.api_keys.create(
            name, row["workspace_id"], ["predict"], row["id"], expires_at
        )
        self._new_key_name, self._secret = name, key["key"]
        self.fetch()

    # ---------------------------------------------------------------- rendering

    def render(self, *, live: bool) -> str:
        """See `Panel.render`; empty in a saved file."""
        if not live:
            return ""
        return (
            f'<section class="jp-pycaret-block" aria-label="Keys" data-panel="{self.id}">'
            '<h4 class="jp-pycaret-block__title">Keys</h4>'
            f"{self.error_notice()}{self._new_key()}{self._table()}{self._workspace_keys_hint()}{self._form()}</section>"
        )

    def _new_key(self) -> str:
        """Return the new key; the browser fills in its secret, which is not part of the HTML."""
        if self._new_key_name is None:
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
            f"<tbody>{''.join(map(self._row, self.rows))}</tbody></table>"
        )

    def _row(self, row: api.ApiKey) -> str:
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

    def _workspace_keys_hint(self) -> str:
        if not self._n_workspace_keys:
            return ""
        opens = "opens" if self._n_workspace_keys == 1 else "open"
        return (
            f'<p class="jp-pycaret-hint">{plural(self._n_workspace_keys, "key")} of the whole workspace '
            f"{opens} it too.</p>"
        )

    def _form(self) -> str:
        if self._mode == "public":
            return (
                '<p class="jp-pycaret-hint">Anyone may call this deployment: no key is needed.</p>'
            )
        if self._mode == "workspace":
            return (
                '<p class="jp-pycaret-hint">Only members of the workspace may call this deployment. '
                "Keys work once its access is “API key”.</p>"
            )
        choices = "".join(
            f'<option value="{days}">{text}</option>' for days, text in EXPIRIES.items()
        )
        name = unused_name(self.deployment.slug, self._names_in_use)
        return (
            '<form class="jp-pycaret-line" data-do="key" aria-label="New key">'
            f'<label>Name <input class="jp-pycaret-input" name="name" value="{escape(name)}"></label>'
            f'<label>Expires <select class="jp-pycaret-select" name="expiry">{choices}</select></label>'
            f"{button('Make key', 'key')}</form>"
        )


def _day(moment: str | None, default: str) -> str:
    if moment is None:
        return default
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d")
