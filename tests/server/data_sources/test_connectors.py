"""Connectors: configurations are checked, secrets are separated and in no message."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.server.data_sources.connectors import check_config

S3 = {"bucket": "b", "key": "k.csv"}
PG = {"host": "h", "database": "d", "user": "u", "table": "t"}
SECRET = "hunter2-and-more"


def test_secrets_of_s3_are_separated() -> None:
    config = {**S3, "access_key_id": "AKIA", "secret_access_key": SECRET, "region": "eu-west-1"}
    assert check_config("s3", config) == (
        {**S3, "region": "eu-west-1"},
        {"access_key_id": "AKIA", "secret_access_key": SECRET},
    )


def test_password_of_postgres_is_separated() -> None:
    kept, secret = check_config("postgres", {**PG, "password": SECRET, "sslmode": "require"})
    assert secret == {"password": SECRET}
    assert kept.items() >= {**PG, "sslmode": "require"}.items()
    assert "password" not in kept


def test_fields_that_are_not_given_are_not_stored() -> None:
    assert check_config("s3", {**S3, "anonymous": True}) == ({**S3, "anonymous": True}, {})
    assert check_config("postgres", {**PG, "password": None})[1] == {}


BAD: list[tuple[str, dict[str, Any]]] = [
    ("s3", {}),
    ("s3", {"bucket": "b"}),
    ("s3", {**S3, "bucket": ""}),
    ("s3", {**S3, "key": 5}),
    ("s3", {**S3, "format": "xlsx"}),
    ("s3", {**S3, "colour": "red"}),
    ("s3", {**S3, "secret_access_key": SECRET}),
    ("s3", {**S3, "access_key_id": "AKIA"}),
    ("s3", {**S3, "anonymous": True, "access_key_id": "A", "secret_access_key": SECRET}),
    ("s3", {**S3, "access_key_id": ["A"], "secret_access_key": [SECRET]}),
    ("s3", {**S3, "region": f"x.evil.example/{SECRET}"}),
    ("s3", {**S3, "endpoint_url": SECRET}),
    ("s3", {**S3, "endpoint_url": f"ftp://h/{SECRET}"}),
    ("s3", {**S3, "endpoint_url": "http://"}),
    ("s3", {**S3, "endpoint_url": "http://h:port"}),
    ("s3", {**S3, "endpoint_url": f"https://ada:{SECRET}@s3.example.org"}),
    ("s3", {**S3, "endpoint_url": f"https://s3.example.org/?key={SECRET}"}),
    ("postgres", {}),
    ("postgres", {**PG, "host": "/var/run/postgresql"}),
    ("postgres", {**PG, "host": "a,b"}),
    ("postgres", {**PG, "host": f"ada:{SECRET}@h"}),
    ("postgres", {**PG, "host": f"h password={SECRET}"}),
    ("postgres", {**PG, "host": "", "password": SECRET}),
    ("postgres", {**PG, "port": 0, "password": SECRET}),
    ("postgres", {**PG, "port": 70_000}),
    ("postgres", {**PG, "port": SECRET}),
    ("postgres", {**PG, "sslmode": SECRET}),
    ("postgres", {**PG, "query": "select 1", "password": SECRET}),
    ("postgres", {name: value for name, value in PG.items() if name != "table"}),
    ("postgres", {**PG, "table": None, "query": "select 1", "schema": "s"}),
    ("postgres", {**PG, "passwort": SECRET}),
    ("postgres", {**PG, "password": {"value": SECRET}}),
]


@pytest.mark.parametrize(("kind", "config"), BAD)
def test_invalid_config_is_refused_without_its_values(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=f"config of the {kind} source") as refused:
        check_config(kind, config)
    assert SECRET not in refused.value.message
    assert SECRET not in str(refused.value.errors)
    assert refused.value.__cause__ is None
