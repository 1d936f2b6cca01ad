"""The PostgreSQL that tests use is a real one and keeps to itself."""

from __future__ import annotations

import psycopg
import pytest

from .postgres import Cluster


def test_a_database_is_the_roles_own_and_asks_for_a_password(
    postgres: Cluster, postgres_database: str
) -> None:
    url = postgres.url(postgres_database, "postgresql")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mine (name text)")
        rights = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url, password="wrong")
