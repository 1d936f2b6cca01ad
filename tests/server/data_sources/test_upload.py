"""Multipart uploads in chunks of any size; a file is stored only when it is complete and valid."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import Invalid, TooLarge
from jupyter_pycaret_ops.server.data_sources.table_facts import TableFacts
from jupyter_pycaret_ops.server.data_sources.upload import Upload, boundary_of, label_of
from jupyter_pycaret_ops.server.files.file_store import FileStore

from ...fakes import in_loop

TABLE = b'a,b\r\n1,"two\r\nlines"\r\n3,4\r\n'


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return b"--x\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


FILE = part("file", TABLE, "d.csv")
NAME = part("name", b"fruit")
END = b"--x--\r\n"


class Harness:
    """Uploads to a folder."""

    def __init__(self, folder: Path, cap: int = 10_000) -> None:
        self.folder = folder
        self.cap = cap

    async def take(
        self, pieces: Iterable[bytes], key: str = "sources/one"
    ) -> tuple[Upload, TableFacts]:
        upload = Upload(
            b"x",
            FileStore(str(self.folder)),
            key,
            cap_bytes=self.cap,
        )
        try:
            for piece in pieces:
                await upload.feed(piece)
            return upload, await upload.finish()
        finally:
            await upload.discard()

    def files(self) -> list[str]:
        return sorted(
            str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file()
        )


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations([FILE, NAME, part("description", b"sweet")]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_parts_may_come_in_any_order_and_in_chunks_of_any_size(
    harness: Harness, order: list[bytes], cuts: list[int]
) -> None:
    body = b"".join(order) + END
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[begin:end] for begin, end in itertools.pairwise(places)]
    upload, facts = asyncio.run(harness.take(pieces))
    assert upload.fields == {"name": "fruit", "description": "sweet"}
    assert upload.filename == "d.csv"
    assert (facts.rows, facts.size_bytes) == (2, len(TABLE))
    assert facts.sha256 == hashlib.sha256(TABLE).hexdigest()
    assert (harness.folder / "sources/one").read_bytes() == TABLE


@in_loop
async def test_upload_byte_by_byte(harness: Harness) -> None:
    body = FILE + NAME + END
    _, facts = await harness.take(body[place : place + 1] for place in range(len(body)))
    assert facts.sha256 == hashlib.sha256(TABLE).hexdigest()


@in_loop
async def test_table_of_many_pieces_is_stored_completely(harness: Harness) -> None:
    harness.cap = 8 << 20
    table = b"a,b\n" + b"".join(b'%d,"x\ny"\n' % n for n in range(300_000))
    body = part("file", table, "d.csv") + NAME + END
    _, facts = await harness.take(
        body[place : place + 70_000] for place in range(0, len(body), 70_000)
    )
    assert facts.rows == 300_000
    assert facts.sha256 == hashlib.sha256(table).hexdigest()
    assert harness.files() == ["sources/one"]


@in_loop
async def test_rows_with_stray_quotes_are_counted_in_the_stored_file(harness: Harness) -> None:
    table = b'size,name\n5" disk,a\n3" disk,b\n'
    _, facts = await harness.take([part("file", table, "d.csv"), NAME, END])
    assert facts.rows == 2


@in_loop
async def test_unclosed_quote_is_refused_and_leaves_no_file(
    harness: Harness,
) -> None:
    """It is found when rows are counted in the stored file, which is then deleted."""
    harness.cap = 8 << 20
    table = b"a,b\n" + b"1,2\n" * 100_000 + b'1,"open\n' + b"1,2\n" * 100_000
    with pytest.raises(Invalid, match="Line 100002: a quote is opened and never closed"):
        await harness.take([part("file", table, "d.csv"), NAME, END])
    assert harness.files() == []


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([NAME, END], "part `file` is missing"),
        ([FILE, NAME], "cut off"),
        ([FILE[:40]], "cut off"),
        ([], "cut off"),
        ([b"no multipart at all"], "malformed"),
        ([FILE, FILE, NAME, END], "more than one part `file`"),
        ([FILE, part("colour", b"red"), END], "no field “colour”"),
        ([part("name", b"n" * 70_000), FILE, END], "too long"),
        ([part("file", b"", "d.csv"), NAME, END], "empty"),
        ([part("file", b"a,b\n", "d.csv"), NAME, END], "no row"),
        ([part("file", b"a,b\n1,\x00\n", "d.csv"), NAME, END], "control characters"),
    ],
)
def test_refused_upload_leaves_no_file(harness: Harness, pieces: list[bytes], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        asyncio.run(harness.take(pieces))
    assert harness.files() == []


@in_loop
async def test_upload_is_refused_as_soon_as_it_exceeds_the_cap(harness: Harness) -> None:
    harness.cap = len(TABLE)
    await harness.take([FILE, NAME, END])
    harness.cap = len(TABLE) - 1
    with pytest.raises(TooLarge, match="upload_cap_bytes"):
        await harness.take([FILE], "sources/two")
    assert harness.files() == ["sources/one"]


@in_loop
async def test_large_file_beyond_the_cap_leaves_no_file(harness: Harness) -> None:
    harness.cap = 3 << 20
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="d"\r\n\r\na,b\n'
    with pytest.raises(TooLarge):
        await harness.take([head, *[b"1,2\n" * 50_000] * 40])
    assert harness.files() == []


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        ("iris.csv", "iris.csv"),
        ("/etc/passwd", "passwd"),
        ("../../x.csv", "x.csv"),
        ("C:\\Users\\ada\\x.csv", "x.csv"),
        ("a/b\\c.csv", "c.csv"),
        ("..", "data.csv"),
        (".", "data.csv"),
        ("", "data.csv"),
        ("/", "data.csv"),
        ("a\x00\n.csv", "a.csv"),
        ("größe 名前.csv", "größe 名前.csv"),
        ("x" * 300, "x" * 255),
    ],
)
def test_label_is_the_last_part_of_a_file_name(filename: str, label: str) -> None:
    assert label_of(filename) == label


@pytest.mark.parametrize(
    "kind",
    ["", "text/csv", "multipart/form-data", "multipart/form-data; boundary=", "application/json"],
)
def test_body_that_is_not_multipart_is_refused(kind: str) -> None:
    with pytest.raises(Invalid, match="multipart/form-data"):
        boundary_of(kind)


def test_boundary_may_be_quoted() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    assert boundary_of("Multipart/Form-Data; charset=utf-8; boundary=x") == b"x"
