"""An upload: a multipart body is parsed while it is received, and its file is checked and stored.

Pieces of about a megabyte are hashed, scanned and written in a thread; meanwhile the event loop receives the
next piece, but not more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.message import Message
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

from ...common.errors import Invalid, TooLarge
from ...common.tables import dialect, parquet, workbook
from ...common.tables.csv_scan import CsvFacts, CsvScan
from ..files.file_store import FileStore
from ..files.streams import Writer
from ..store.data_sources import Table
from .parquet_scan import ParquetScan
from .table_facts import TableFacts
from .workbook_process import examine as examine_workbook
from .workbook_scan import WorkbookScan

T = TypeVar("T")
PIECE = 1 << 20
LONGEST_FIELD = 64 * 1024
#: RFC 2046 allows 70 characters; the parser accepts some more
LONGEST_BOUNDARY = 200
#: how a file is read: of text files and of workbooks
DIALECT_FIELDS = (*dialect.FIELDS, "sheet")
#: the parts beside the file: about the data source, and how its file is read
FIELDS = ("name", "description", *DIALECT_FIELDS)


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a multipart body.

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
    """Return the last part of a client's file name, which is used as a label only."""
    last = PureWindowsPath(PurePosixPath(filename).name).name
    cleaned = "".join(character for character in last if character.isprintable()).strip()
    return "data.csv" if cleaned in ("", ".", "..") else cleaned[:255]


def text_facts(
    facts: CsvFacts, files: FileStore, storage_key: str, given: Mapping[str, Any]
) -> TableFacts:
    """Return the facts about a stored text file that was scanned with the fields that a person gave.

    Its rows are counted again where the scan could not be sure of its records.
    """
    if facts.recount:
        with files.open(storage_key) as file:
            n_rows = dialect.count_rows(file, facts.detection)
        if n_rows < 1:
            raise Invalid("The file has a header but no row.")
        facts = replace(facts, rows=n_rows)
    fields = dialect.parse_overrides(given)
    return TableFacts(
        "csv_upload", facts.sha256, facts.size_bytes, **facts.config(), dialect_fields=fields
    )


def read_again(files: FileStore, table: Table, given: Mapping[str, Any]) -> TableFacts:
    """Return the facts about a stored text file or workbook, read with other fields of the dialect; blocks.

    Raises
    ------
    Invalid
        When the file is no table with these.
    """
    key = str(table.storage_key)
    if table.kind == "excel_upload":
        sha256, size = table.config["sha256"], table.config["size_bytes"]
        return TableFacts("excel_upload", sha256, size, **examine_workbook(files, key, given))
    scan = CsvScan()
    for chunk in files.chunks(key):
        scan.feed(chunk)
    return text_facts(scan.facts(given), files, key, given)


class Upload:
    """One upload: call `feed` with the chunks of the body, then `finish`, and in any case `discard`."""

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
        self._cap_bytes = cap_bytes
        self._scan: CsvScan | ParquetScan | WorkbookScan | None = None
        self._writer: Writer | None = None
        self._piece = bytearray()
        self._writing: asyncio.Future[None] | None = None
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
        """Parse a chunk of the body.

        Raises
        ------
        TooLarge
            As soon as the file exceeds the cap.
        Invalid
            When the body is malformed, or the file is not a table.
        """
        from python_multipart.exceptions import MultipartParseError

        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Invalid(f"The multipart body is malformed: {error}") from None
        if len(self._piece) >= PIECE:
            await self._write_piece()

    def require_complete(self) -> None:
        """Raise Invalid when the body ended before its closing boundary."""
        if not self._complete:
            raise Invalid("The upload was cut off. Send the file again.")

    async def finish(self) -> TableFacts:
        """Return facts about the file, which is in the file store then.

        Raises
        ------
        Invalid
            When the body was cut off, a part is missing, or the file is not a table.
        """
        self.require_complete()
        if self.filename is None:
            raise Invalid(
                "The part `file` is missing.", errors=[{"loc": ["file"], "msg": "is missing"}]
            )
        await self._write_piece()
        await self._written()
        facts: TableFacts = await self._artifacts.in_thread_whole(self._finish)
        return facts

    async def discard(self) -> None:
        """Remove what is stored of the file, unless `finish` has returned."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await asyncio.wait([writing])
            writing.exception()
        if self._writer is not None:
            await self._in_thread(self._writer.discard)

    # ---------------------------------------------------------------- in threads

    async def _write_piece(self) -> None:
        piece, self._piece = bytes(self._piece), bytearray()
        await self._written()
        self._writing = asyncio.ensure_future(self._in_thread(self._scan_and_write, piece))

    async def _written(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def _in_thread(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self._artifacts.in_thread(work, *args)

    def _scan_and_write(self, piece: bytes) -> None:
        if self._writer is None:
            self._writer = self._artifacts.writer(self._storage_key)
        if self._scan is None:
            # the first piece is a megabyte, or the whole file
            self._scan = self._scan_for(piece)
        self._writer.write(piece)
        self._scan.feed(piece)

    def _scan_for(self, start: bytes) -> CsvScan | ParquetScan | WorkbookScan:
        """Return the scan for a file that begins like this, and by its name."""
        if start.startswith(parquet.MAGIC):
            return ParquetScan()
        if workbook.is_workbook(start, self.filename):
            return WorkbookScan()
        has_suffix = (self.filename or "").lower().endswith((".parquet", ".pq"))
        return ParquetScan() if has_suffix else CsvScan()

    def _finish(self) -> TableFacts:
        if self._writer is None or self._scan is None:
            raise Invalid("The file is empty.")
        files, key, given = self._artifacts, self._storage_key, self._dialect_fields()
        if isinstance(self._scan, WorkbookScan):
            sha256, size = self._scan.finish()
            self._writer.commit()
            found = self._examined(lambda: examine_workbook(files, key, given))
            return TableFacts("excel_upload", sha256, size, **found)
        if isinstance(self._scan, ParquetScan):
            for name in given:
                message = f"{name} is for text files; this is a Parquet file."
                raise Invalid(message, errors=[{"loc": [name], "msg": message}])
            sha256, size = self._scan.finish()
            self._writer.commit()
            rows, columns = self._examined(self._examine_parquet)
            return TableFacts("parquet_upload", sha256, size, rows, columns, None, None)
        facts = self._scan.facts(given)
        self._writer.commit()
        return self._examined(lambda: text_facts(facts, files, key, given))

    def _dialect_fields(self) -> dict[str, str]:
        return {name: self.fields[name] for name in DIALECT_FIELDS if name in self.fields}

    def _examine_parquet(self) -> tuple[int, list[dict[str, str]]]:
        with self._artifacts.open(self._storage_key) as stream:
            return parquet.examine(stream)

    def _examined(self, examine: Callable[[], T]) -> T:
        """Return what is found in the stored file, which is deleted when that fails."""
        try:
            return examine()
        except BaseException:
            self._artifacts.delete(self._storage_key)
            raise

    # ---------------------------------------------------------------- parts

    @staticmethod
    def _on(target: bytearray) -> Callable[[bytes, int, int], None]:
        def append(data: bytes, start: int, end: int) -> None:
            target.extend(data[start:end])

        return append

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
                f"There is no field “{self._part}”; the parts are file, {', '.join(FIELDS)}.",
                errors=[{"loc": [self._part or ""], "msg": "is not a field"}],
            )

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self.size += end - start
            if self.size > self._cap_bytes:
                raise TooLarge(
                    f"The file is larger than {self._cap_bytes / 2**20:g} MiB, the limit of this server. "
                    "Upload a sample, register an S3 or Postgres source, or raise upload_cap_bytes."
                )
            self._piece += memoryview(data)[start:end]
        else:
            self._field += data[start:end]
            if len(self._field) > LONGEST_FIELD:
                raise Invalid(f"The field “{self._part}” is too long.")

    def _end_part(self) -> None:
        if self._part in FIELDS:
            value = self._field.decode("utf-8", "replace")
            self.fields[self._part] = value
            if self._part in dialect.FIELDS:  # `sheet` is looked for when the file is there
                dialect.parse_overrides({self._part: value})

    def _end(self) -> None:
        self._complete = True
