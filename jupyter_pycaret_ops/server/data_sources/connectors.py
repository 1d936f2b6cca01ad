"""Connectors: data sources in S3 or PostgreSQL. Configurations are checked here; worker kernels connect."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from ...common.errors import Invalid
from ...common.tables.dialect import parse_overrides

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_REGION = re.compile(r"[a-z0-9-]{1,64}")
SECRETS = {"s3": ("access_key_id", "secret_access_key"), "postgres": ("password",)}


class S3Config(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An object in S3, or in a store with the same API."""

    bucket: str
    key: str
    region: str | None = None
    endpoint_url: str | None = None
    anonymous: bool = False
    access_key_id: str | None = None
    secret_access_key: str | None = None
    format: Literal["csv", "parquet"] | None = None
    #: how a text file is read, where that is not detected rightly
    dialect: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.bucket or not self.key:
            raise ValueError("bucket and key must not be empty")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id needs secret_access_key, and the other way round")
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
            # libpq accepts the folder of a socket and a list of hosts, too
            raise ValueError("host must be one host's name or address")
        if not 1 <= self.port <= 65535:
            raise ValueError("port must be between 1 and 65535")
        if (self.table is None) == (self.query is None):
            raise ValueError("exactly one of table and query is needed")
        if self.schema is not None and self.table is None:
            raise ValueError("schema needs table")


def _check_endpoint(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or ""))
        _ = parts.port
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError("endpoint_url must be an http or https URL")
    if "@" in parts.netloc or parts.query or parts.fragment:
        # users see the URL
        raise ValueError("endpoint_url must not contain credentials or a query; use access_key_id")


def check_config(kind: str, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the public and the secret part of a connector's configuration; the latter is to be encrypted.

    Raises
    ------
    Invalid
        When a field is missing, unknown or wrong. The message never contains a value.
    """
    form = S3Config if kind == "s3" else PostgresConfig
    try:
        checked = msgspec.convert(config, form)
    except msgspec.ValidationError as error:
        # the message of msgspec about an enum contains the value
        message = re.sub(r"^Invalid enum value '.*'", "Invalid value", str(error), flags=re.S)
        raise Invalid(
            f"The config of the {kind} source is invalid: {message}",
            errors=[{"loc": ["config"], "msg": message}],
        ) from None
    public_part: dict[str, Any] = {
        name: value for name, value in msgspec.to_builtins(checked).items() if value is not None
    }
    dialect = public_part.pop("dialect", None)
    if dialect:
        public_part["dialect_fields"] = parse_overrides(dialect)
    secret_part = {
        name: public_part.pop(name) for name in SECRETS[kind] if public_part.get(name) is not None
    }
    return public_part, secret_part
