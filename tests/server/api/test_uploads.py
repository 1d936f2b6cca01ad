"""Uploads: checked before the body, streamed, and all or nothing on disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from ...fakes.records import World
from .conftest import NOBODY, PREFIX, TOKEN, Api

TABLE = b'a,b\r\n1,"two\r\nlines"\r\n3,4\r\n'
KIND = {"Content-Type": "multipart/form-data; boundary=x"}
Files = Callable[[], list[str]]


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    told = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return b"--x\r\nContent-Disposition: " + told.encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--x--\r\n"
FILE = part("file", TABLE, "C:\\Users\\ada\\d.csv")
NAME = part("name", b"  fruit ")


def path(world: World) -> str:
    return f"/workspaces/{world.workspace.id}/data-sources/upload"


async def no_files(files: Files) -> None:
    """Files of a refused upload go in the background; they go."""
    deadline = time.monotonic() + 5
    while files():
        assert time.monotonic() < deadline, files()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("body", [FILE + NAME + END, NAME + FILE + END])
async def test_an_upload_answers_what_was_found(
    api: Api, world: World, files: Files, body: bytes
) -> None:
    answer = await api.call("POST", path(world), 201, raw=body, headers=KIND)
    row = answer.json
    assert (row["name"], row["kind"], row["has_secret"]) == ("fruit", "csv_upload", False)
    assert row["config"] == {
        "types_final": False,
        "filename": "d.csv",
        "sha256": hashlib.sha256(TABLE).hexdigest(),
        "size_bytes": len(TABLE),
        "rows": 2,
        "columns": [
            {"name": "a", "dtype": "integer", "type": "number"},
            {"name": "b", "dtype": "string", "type": "identifier"},
        ],
        "encoding": "utf-8",
        "delimiter": ",",
        "dialect": {
            "encoding": "utf-8",
            "delimiter": ",",
            "quote": '"',
            "decimal": None,
            "thousands": None,
            "header": True,
            "skip_rows": 0,
            "sheet": None,
        },
        "reported": [],
    }
    assert len(files()) == 1
    preview = await api.get(f"/data-sources/{row['id']}/preview?rows=1")
    assert preview["rows"] == [{"a": 1, "b": "two\r\nlines"}]
    await api.delete(f"/data-sources/{row['id']}")
    assert files() == []


async def test_fields_of_the_dialect_override_what_is_detected(
    api: Api, world: World, files: Files
) -> None:
    table = part("file", "title\n1'5;Łódź\n2'5;Kraków\n".encode("cp1250"), "d.csv")
    fields = {
        "encoding": b"cp1250",
        "delimiter": b";",
        "quote": b"none",
        "decimal": b",",
        "thousands": b"'",
        "header": b"false",
        "skip_rows": b"1",
    }
    parts = [part(name, value) for name, value in fields.items()]
    for name, order in (
        ("before", [*parts, table]),
        ("after", [table, *parts]),
        ("around", [*parts[:3], table, *parts[3:]]),
    ):
        body = part("name", name.encode()) + b"".join(order) + END
        row = (await api.call("POST", path(world), 201, raw=body, headers=KIND)).json
        assert row["config"]["dialect"] == {
            "encoding": "cp1250",
            "delimiter": ";",
            "quote": "",
            "decimal": ",",
            "thousands": "'",
            "header": False,
            "skip_rows": 1,
            "sheet": None,
        }
        assert row["config"]["rows"] == 2
        preview = await api.get(f"/data-sources/{row['id']}/preview?rows=2")
        assert preview["rows"] == [
            {"column_1": "1'5", "column_2": "Łódź"},
            {"column_1": "2'5", "column_2": "Kraków"},
        ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("encoding", b"klingon"),
        ("delimiter", b"ab"),
        ("quote", b"ab"),
        ("decimal", b"x"),
        ("thousands", b"x"),
        ("header", b"maybe"),
        ("skip_rows", b"-1"),
        ("skip_rows", b"7"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_an_invalid_field_of_the_dialect_is_refused_and_named(
    api: Api, world: World, files: Files, field: str, value: bytes, is_first: bool
) -> None:
    given = part(field, value)
    body = NAME + (given + FILE if is_first else FILE + given) + END
    answer = await api.call("POST", path(world), 400, raw=body, headers=KIND)
    assert answer.json["errors"][0]["loc"] == [field]
    await no_files(files)


async def test_fields_of_the_dialect_are_refused_for_parquet(
    api: Api, world: World, files: Files
) -> None:
    body = NAME + part("file", PARQUET, "t.parquet") + part("delimiter", b";") + END
    answer = await api.call("POST", path(world), 400, raw=body, headers=KIND)
    assert answer.json["errors"][0]["loc"] == ["delimiter"]
    await no_files(files)


BAD: dict[str, tuple[bytes, str]] = {
    "no file": (NAME + END, "`file` is missing"),
    "no name": (FILE + END, "`name` is missing"),
    "an empty name": (FILE + part("name", b"  ") + END, "1 to 128"),
    "a long name": (FILE + part("name", b"n" * 129) + END, "1 to 128"),
    "an unknown part": (FILE + part("colour", b"red") + NAME + END, "no field “colour”"),
    "two files": (FILE + FILE + NAME + END, "more than one"),
    "an empty file": (part("file", b"", "d.csv") + NAME + END, "empty"),
    "a header alone": (part("file", b"a,b\n", "d.csv") + NAME + END, "no row"),
    "no text": (part("file", b"a,b\n\x00,1\n", "d.csv") + NAME + END, "control characters"),
    "ragged rows": (part("file", b"a,b\n1,2,3\n", "d.csv") + NAME + END, "header has 2"),
    "no end": (NAME + FILE, "cut off"),
    "an end before the name": (FILE, "cut off"),
    "no multipart": (b"just text", "malformed"),
    "nothing": (b"", "cut off"),
}


@pytest.mark.parametrize("what", list(BAD))
async def test_a_bad_upload_is_refused_and_leaves_nothing(
    api: Api, world: World, files: Files, what: str
) -> None:
    body, message = BAD[what]
    answer = await api.call("POST", path(world), 400, raw=body, headers=KIND)
    assert message in answer.json["message"]
    await no_files(files)
    assert await api.get(f"/workspaces/{world.workspace.id}/data-sources") == []


async def test_a_taken_name_leaves_the_first_file_alone(
    api: Api, world: World, files: Files
) -> None:
    await api.call("POST", path(world), 201, raw=FILE + NAME + END, headers=KIND)
    before = files()
    await api.call("POST", path(world), 409, raw=FILE + NAME + END, headers=KIND)
    assert files() == before


@pytest.mark.parametrize("kind", ["application/json", "text/csv", "multipart/form-data"])
async def test_a_body_that_is_no_multipart_is_refused(api: Api, world: World, kind: str) -> None:
    await api.call("POST", path(world), 400, raw=TABLE, headers={"Content-Type": kind})


@pytest.mark.parametrize("traits", [{"upload_cap_bytes": len(TABLE)}], indirect=True)
async def test_the_cap_is_of_the_file_and_exact(api: Api, world: World, files: Files) -> None:
    await api.call("POST", path(world), 201, raw=NAME + FILE + END, headers=KIND)
    before = files()
    larger = part("file", TABLE + b"5", "d.csv") + part("name", b"more") + END
    answer = await api.call("POST", path(world), 413, raw=larger, headers=KIND)
    assert answer.json["reason"] == "too_large"
    assert files() == before


@pytest.mark.parametrize("traits", [{"upload_cap_bytes": 2_000_000}], indirect=True)
async def test_a_file_beyond_the_cap_leaves_nothing_of_what_was_written(
    api: Api, world: World, files: Files
) -> None:
    body = part("file", b"a,b\n" + b"1,2\n" * 2_000_000, "d.csv") + NAME + END
    await api.call("POST", path(world), 413, raw=body, headers=KIND)
    await no_files(files)


# ---------------------------------------------------------------- by hand


class Wire:
    """A client that sends as much as it likes."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self, where: str, **headers: Any) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"POST {PREFIX}{where} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def answer(self) -> tuple[int, Any]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        return status, json.loads(await self.reader.readexactly(length))

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.close()


@pytest.fixture
def wire(api: Api) -> Wire:
    return Wire(api._client.get_http_port())


async def test_a_client_that_goes_away_leaves_nothing(
    api: Api, world: World, wire: Wire, files: Files
) -> None:
    body = NAME + part("file", b"a,b\n" + b"1,2\n" * 1_000_000, "d.csv")
    await wire.open(
        path(world),
        Authorization=f"token {TOKEN}",
        Content_Type=KIND["Content-Type"],
        Content_Length=len(body) * 2,
    )
    await wire.send(body)
    deadline = time.monotonic() + 5
    while not files():  # a part of it is on disk
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    wire.cut()
    await no_files(files)
    assert await api.get(f"/workspaces/{world.workspace.id}/data-sources") == []


@pytest.mark.parametrize(
    ("headers", "where", "status"),
    [
        ({}, None, 401),
        ({"Authorization": "token wrong"}, None, 401),
        ({"Authorization": "Bearer pck_unknown"}, None, 401),
        ({"Authorization": f"token {TOKEN}"}, NOBODY, 404),
    ],
)
async def test_who_may_not_upload_is_told_before_the_body_is_sent(
    world: World,
    wire: Wire,
    files: Files,
    headers: dict[str, str],
    where: str | None,
    status: int,
) -> None:
    """Not a byte of the body was sent, and the answer is there."""
    await wire.open(
        path(world) if where is None else f"/workspaces/{where}/data-sources/upload",
        Content_Type=KIND["Content-Type"],
        Content_Length=50_000_000,
        **headers,
    )
    answered, body = await wire.answer()
    assert answered == status
    assert body["message"]
    assert files() == []
    wire.cut()


@pytest.mark.parametrize("traits", [{"upload_cap_bytes": 10_000}], indirect=True)
async def test_too_large_is_said_the_moment_that_it_is_known(
    world: World, wire: Wire, files: Files
) -> None:
    await wire.open(
        path(world),
        Authorization=f"token {TOKEN}",
        Content_Type=KIND["Content-Type"],
        Content_Length=50_000_000,
    )
    await wire.send(part("file", b"a,b\n" + b"1,2\n" * 10_000, "d.csv"))
    status, body = await wire.answer()
    assert (status, body["reason"]) == (413, "too_large")
    wire.cut()
    await no_files(files)


# ---------------------------------------------------------------- Parquet


def parquet(**columns: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


PARQUET = parquet(a=[1, 2, None], b=["x", None, "z"])


@pytest.mark.parametrize("filename", ["t.parquet", "T.PQ", "t.bin", "t.csv"])
async def test_parquet_is_known_by_its_first_bytes_whatever_its_name(
    api: Api, world: World, files: Files, filename: str
) -> None:
    body = NAME + part("file", PARQUET, filename) + END
    row = (await api.call("POST", path(world), 201, raw=body, headers=KIND)).json
    assert row["kind"] == "parquet_upload"
    assert row["config"] == {
        "types_final": False,
        "filename": filename,
        "sha256": hashlib.sha256(PARQUET).hexdigest(),
        "size_bytes": len(PARQUET),
        "rows": 3,
        "columns": [
            {"name": "a", "dtype": "integer", "type": "number"},
            {"name": "b", "dtype": "string", "type": "category"},
        ],
        "encoding": None,
        "delimiter": None,
    }
    assert len(files()) == 1


#: the footer, its length and the magic
FOOTER = int.from_bytes(PARQUET[-8:-4], "little") + 8

BAD_PARQUET: dict[str, tuple[bytes, str]] = {
    "cut off": (PARQUET[:-20], "its end is missing"),
    "the magic alone": (b"PAR1", "its end is missing"),
    "a damaged footer": (PARQUET[:-FOOTER] + b"\xff" * (FOOTER - 8) + PARQUET[-8:], "damaged"),
    "a footer of another length": (PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1", "damaged"),
    "nested": (parquet(a=[1], deep=[[1, 2]]), "“deep” holds lists or records"),
    "no row": (parquet(a=[]), "no row"),
    "a CSV by that name": (b"a,b\n1,2\n", "is none"),
    "empty": (b"", "is none"),
}


@pytest.mark.parametrize("what", list(BAD_PARQUET))
async def test_bad_parquet_is_refused_and_leaves_nothing(
    api: Api, world: World, files: Files, what: str
) -> None:
    content, message = BAD_PARQUET[what]
    body = NAME + part("file", content, "t.parquet") + END
    answer = await api.call("POST", path(world), 400, raw=body, headers=KIND)
    assert message in answer.json["message"]
    await no_files(files)
    assert await api.get(f"/workspaces/{world.workspace.id}/data-sources") == []


async def test_without_pyarrow_parquet_is_refused_and_the_extra_named(
    api: Api, world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    body = NAME + part("file", PARQUET, "t.parquet") + END
    answer = await api.call("POST", path(world), 400, raw=body, headers=KIND)
    assert "jupyter-pycaret-ops[parquet]" in answer.json["message"]
    await no_files(files)


@pytest.mark.parametrize("traits", [{"upload_cap_bytes": len(PARQUET)}], indirect=True)
async def test_the_cap_holds_for_parquet_too(api: Api, world: World, files: Files) -> None:
    body = NAME + part("file", PARQUET, "t.parquet") + END
    await api.call("POST", path(world), 201, raw=body, headers=KIND)
    before = files()
    larger = part("file", PARQUET + b"5", "t.parquet") + part("name", b"more") + END
    await api.call("POST", path(world), 413, raw=larger, headers=KIND)
    assert files() == before
