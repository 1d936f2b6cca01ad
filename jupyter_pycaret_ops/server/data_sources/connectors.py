"""Connectors: sources that live in S3 or Postgres. Their form is checked here; kernels connect to them."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from ...common.errors import Invalid

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_REGION = re.compile(r"[a-z0-9-]{1,64}")
SECRETS = {"s3": ("access_key_id", "secret_access_key"), "postgres": ("password",)}


class S3Config(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An object in S3, or in a store that speaks its protocol."""

    bucket: str
    key: str
    region: str | None = None
    endpoint_url: str | None = None
    anonymous: bool = False
    access_key_id: str | None = None
    secret_access_key: str | None = None
    format: Literal["csv", "parquet"] | None = None

    def __post_init__(self) -> None:
        if not self.bucket or not self.key:
            raise ValueError("bucket and key must not be empty")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        if self.anonymous and self.access_key_id is not None:
            raise ValueError("an anonymous source has no access_key_id")
        if self.region is not None and not _REGION.fullmatch(self.region):
            raise ValueError("region must look like eu-central-1")
        if self.endpoint_url is not None:
            _check_endpoint(self.endpoint_url)


class PostgresConfig(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A table, or the rows of a query, in PostgreSQL."""

    host: str
    database: str
    user: str
    port: int = 5432
    password: str | None = None
    schema: str | None = None
    table: str | None = None
    query: str | None = None
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = (
        None
    )

    def __post_init__(self) -> None:
        if not self.host or not self.database or not self.user:
            raise ValueError("host, database and user must not be empty")
        if not _HOST.fullmatch(self.host):
            # libpq would take a folder for a socket, and a list for several hosts
            raise ValueError("host must be one host's name or address")
        if not 1 <= self.port <= 65535:
            raise ValueError("port must be between 1 and 65535")
        if (self.table is None) == (self.query is None):
            raise ValueError("exactly one of table and query is needed")
        if self.schema is not None and self.table is None:
            raise ValueError("schema goes with table")


def _check_endpoint(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or ""))
        _ = parts.port
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("endpoint_url must be an http or https URL")
    if "@" in parts.netloc or parts.query or parts.fragment:
        # it is answered openly
        raise ValueError("endpoint_url must hold no credentials and no query; use access_key_id")


def check_config(kind: str, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What to keep openly and what to encrypt of a connector's configuration.

    Raises
    ------
    Invalid
        When a field is missing, unknown or wrong. The message never repeats a value.
    """
    form = S3Config if kind == "s3" else PostgresConfig
    try:
        checked = msgspec.convert(config, form)
    except msgspec.ValidationError as error:
        # what msgspec says of a wrong word repeats it
        said = re.sub(r"^Invalid enum value '.*'", "Not one of its words", str(error), flags=re.S)
        raise Invalid(
            f"The config of the {kind} source is not right: {said}",
            errors=[{"loc": ["config"], "msg": said}],
        ) from None
    open_part: dict[str, Any] = {
        name: value for name, value in msgspec.to_builtins(checked).items() if value is not None
    }
    secret_part = {
        name: open_part.pop(name) for name in SECRETS[kind] if open_part.get(name) is not None
    }
    return open_part, secret_part
