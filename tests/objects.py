"""A real S3 API over HTTP for tests: moto's server in a thread, on a free port of 127.0.0.1."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest


class Bucket:
    """A bucket of the test's own."""

    def __init__(self, endpoint: str) -> None:
        import boto3

        self.endpoint = endpoint
        self.name = f"bucket-{secrets.token_hex(6)}"
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._client.create_bucket(Bucket=self.name)

    def put(self, key: str, content: bytes, access: str = "private") -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=content, ACL=access)

    def names(self) -> list[str]:
        """The keys of all objects."""
        listed = self._client.list_objects_v2(Bucket=self.name)
        return [item["Key"] for item in listed.get("Contents", ())]

    def config(self, key: str, **more: Any) -> dict[str, Any]:
        """The config of a source that names an object in here."""
        config = {"bucket": self.name, "key": key, "endpoint_url": self.endpoint}
        if not more.get("anonymous"):
            config |= {"access_key_id": "AKIDOFTESTS", "secret_access_key": "of-the-tests"}
        return config | more


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Where the S3 API of this session answers."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(s3_endpoint: str) -> Bucket:
    """An empty bucket."""
    return Bucket(s3_endpoint)
