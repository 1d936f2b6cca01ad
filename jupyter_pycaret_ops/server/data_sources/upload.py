"""An upload on its way: multipart pieces in, a stored and examined file out.

Bytes go to a thread in pieces of about a megabyte, where they are hashed, looked at and written; the event
loop reads the next piece meanwhile, at most one ahead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.message import Message
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, TypeVar

from ...common.errors import Invalid, TooLarge
from ...common.tables import parquet
from ...common.tables.csv_scan import CsvScan, count_records
from ..files.file_store import FileStore, Writer
from .parquet_scan import ParquetScan
from .table_facts import TableFacts

T = TypeVar("T")
PIECE = 1 << 20
LONGEST_FIELD = 64 * 1024
#: RFC 2046 allows 70; the parser takes some more
LONGEST_BOUNDARY = 200
FIELDS = ("name", "description")


def boundary_of(content_type: str) -> bytes:
    """The boundary of a multipart body.

    Raises
    ------
    Invalid
        When the body is not multipart/form-data.
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/form-data" or not boundary:
        raise Invalid(
            "Upload with multipart/form-data: a part `file` and a part `name`.", reason="validation"
        )
    if len(boundary) > LONGEST_BOUNDARY:
        raise Invalid(f"The boundary is longer than {LONGEST_BOUNDARY} characters.")
    return boundary.encode("latin-1", "replace")


def label_of(filename: str) -> str:
    """The last part of a client's file name; it is only ever a label."""
    last = PureWindowsPath(PurePosixPath(filename).name).name
    cleaned = "".join(character for character in last if character.isprintable()).strip()
    return "data.csv" if cleaned in ("", ".", "..") else cleaned[:255]


class Upload:
    """One upload. Feed it the body's chunks, then `finish`; leave it with `discard` in every case."""

    def __init__(
        self,
        boundary: bytes,
        artifacts: FileStore,
        storage_key: str,
        *,
        cap_bytes: int,
    ) -> None:
        from python_multipart.multipart import MultipartParser

        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.size = 0
        self._artifacts = artifacts
        self._storage_key = storage_key
        self._cap = cap_bytes
        self._scan: CsvScan | ParquetScan | None = None
        self._writer: Writer | None = None
        self._piece = bytearray()
        self._under_way: asyncio.Future[None] | None = None
        self._part: str | None = None
        self._field = bytearray()
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers = Message()
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._on(self._header_name),
                "on_header_value": self._on(self._header_value),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    async def feed(self, chunk: bytes) -> None:
        """Take a chunk of the body.

        Raises
        ------
        TooLarge
            The moment that the cap is passed.
        Invalid
            When the body is malformed or the file is no table.
        """
        from python_multipart.exceptions import MultipartParseError

        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Invalid(f"The multipart body is malformed: {error}") from None
        if len(self._piece) >= PIECE:
            await self._hand_over()

    def require_whole(self) -> None:
        """Raise `Invalid` where the body ended before its closing boundary."""
        if not self._complete:
            raise Invalid("The upload was cut off. Send the file again.")

    async def finish(self) -> TableFacts:
        """The facts about the file, which now stands in the store.

        Raises
        ------
        Invalid
            When the body was cut off, a part is missing, or the file is no table.
        """
        self.require_whole()
        if self.filename is None:
            raise Invalid(
                "The part `file` is missing.", errors=[{"loc": ["file"], "msg": "is missing"}]
            )
        await self._hand_over()
        await self._settled()
        facts: TableFacts = await self._artifacts.in_thread_whole(self._conclude)
        return facts

    async def discard(self) -> None:
        """Leave nothing on disk, unless the file was finished."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            await asyncio.wait([under_way])
            under_way.exception()
        if self._writer is not None:
            await self._in_thread(self._writer.discard)

    # ---------------------------------------------------------------- in threads

    async def _hand_over(self) -> None:
        piece, self._piece = bytes(self._piece), bytearray()
        await self._settled()
        self._under_way = asyncio.ensure_future(self._in_thread(self._take, piece))

    async def _settled(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            await under_way

    async def _in_thread(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self._artifacts.in_thread(work, *args)

    def _take(self, piece: bytes) -> None:
        if self._writer is None:
            self._writer = self._artifacts.writer(self._storage_key)
        if self._scan is None:
            # the first piece holds a megabyte, or the whole file
            self._scan = ParquetScan() if self._is_parquet(piece) else CsvScan()
        self._writer.write(piece)
        self._scan.feed(piece)

    def _is_parquet(self, start: bytes) -> bool:
        named = (self.filename or "").lower().endswith((".parquet", ".pq"))
        return named or start.startswith(parquet.MAGIC)

    def _conclude(self) -> TableFacts:
        if self._writer is None or self._scan is None:
            raise Invalid("The file is empty.")
        if isinstance(self._scan, ParquetScan):
            sha256, size = self._scan.whole()
            self._writer.commit()
            rows, columns = self._sure(parquet.examine)
            return TableFacts("parquet_upload", sha256, size, rows, columns, None, None)
        found = self._scan.facts()
        self._writer.commit()
        rows = found.rows
        if found.recount:
            rows = self._sure(lambda file: count_records(file, found.encoding, found.delimiter))
        return TableFacts(
            "csv_upload",
            found.sha256,
            found.size_bytes,
            rows,
            found.columns,
            found.encoding,
            found.delimiter,
        )

    def _sure(self, look: Callable[[BinaryIO], T]) -> T:
        """What the stored file itself says; it goes again when that is no good."""
        try:
            with self._artifacts.open(self._storage_key) as stream:
                return look(stream)
        except BaseException:
            self._artifacts.delete(self._storage_key)
            raise

    # ---------------------------------------------------------------- parts

    @staticmethod
    def _on(target: bytearray) -> Callable[[bytes, int, int], None]:
        def take(data: bytes, start: int, end: int) -> None:
            target.extend(data[start:end])

        return take

    def _begin_part(self) -> None:
        self._headers = Message()
        self._field.clear()

    def _end_header(self) -> None:
        name = self._header_name.decode("latin-1")
        self._headers[name] = self._header_value.decode("utf-8", "replace")
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        name = self._headers.get_param("name", header="content-disposition")
        self._part = name if isinstance(name, str) else None
        if self._part == "file":
            if self.filename is not None:
                raise Invalid("There is more than one part `file`. Upload one file at a time.")
            self.filename = label_of(self._headers.get_filename() or "data.csv")
        elif self._part not in FIELDS:
            raise Invalid(
                f"There is no field “{self._part}”; the parts are file, name and description.",
                errors=[{"loc": [self._part or ""], "msg": "is not a field"}],
            )

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self.size += end - start
            if self.size > self._cap:
                raise TooLarge(
                    f"The file is larger than {self._cap / 2**20:g} MiB, which is the most this server "
                    "takes. Upload a sample, register an S3 or Postgres source, or raise upload_cap_bytes."
                )
            self._piece += memoryview(data)[start:end]
        else:
            self._field += data[start:end]
            if len(self._field) > LONGEST_FIELD:
                raise Invalid(f"The field “{self._part}” is too long.")

    def _end_part(self) -> None:
        if self._part in FIELDS:
            self.fields[self._part] = self._field.decode("utf-8", "replace")

    def _end(self) -> None:
        self._complete = True
