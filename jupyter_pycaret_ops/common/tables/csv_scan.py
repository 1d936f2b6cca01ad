"""Scan a CSV as it is uploaded: digest, encoding, delimiter, columns and number of records.

One pass over chunks of bytes, fast for simple files. Only the first 256 KiB are parsed; column names follow
the rules of pandas, which reads the file later.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import Invalid
from .column_types import infer_type

SAMPLE_BYTES = 256 * 1024
DELIMITERS = (",", ";", "\t", "|")
#: searched for one by one, by `memchr`: four times faster than one `translate` of all
CONTROL_BYTES = tuple(bytes([byte]) for byte in range(32) if byte not in b"\t\n\r")
MAX_COLUMNS = 10_000
#: the csv module requires a limit; the size of files is limited elsewhere
MAX_CELL_LENGTH = 2**31 - 1
#: characters after a quote that is never closed up to which they count as a cell
MAX_UNCLOSED_LENGTH = 128 * 1024


class TooManyColumns(Invalid):
    """The table has too many columns."""


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """The result of scanning a CSV file."""

    sha256: str
    size_bytes: int
    rows: int
    columns: list[dict[str, str]]
    encoding: str
    delimiter: str
    #: whether `rows` is uncertain because of stray quotes; then count the stored file with `count_records`
    recount: bool


class CsvScan:
    """Scans a file: call `feed` with its chunks in order, then `facts`. Not thread-safe."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._sample = bytearray()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._records = _RecordCount()

    def feed(self, chunk: bytes) -> None:
        """Scan the next chunk.

        Raises
        ------
        Invalid
            As soon as the file is certainly not a text table.
        """
        self._digest.update(chunk)
        if any(byte in chunk for byte in CONTROL_BYTES):
            raise Invalid(_not_text_message(bytes(self._sample) + chunk[:4]))
        self._size += len(chunk)
        if len(self._sample) < SAMPLE_BYTES:
            self._sample += chunk[: SAMPLE_BYTES - len(self._sample)]
        if self._is_utf8 and not (chunk.isascii() and not self._utf8.getstate()[0]):
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._is_utf8 = False
        self._records.feed(chunk)

    def facts(self) -> CsvFacts:
        """Return the result.

        Raises
        ------
        Invalid
            When the file is not a table: empty, without rows, or ragged.
        """
        if self._size == 0 or not bytes(self._sample).strip():
            raise Invalid("The file is empty.")
        if self._is_utf8 and self._utf8.getstate()[0]:
            self._is_utf8 = False  # the file ends within a character
        encoding = "utf-8-sig" if self._sample.startswith(codecs.BOM_UTF8) else "utf-8"
        if not self._is_utf8:
            encoding = "latin-1"
        text = bytes(self._sample).decode(encoding, errors="ignore")
        whole = self._size <= SAMPLE_BYTES
        delimiter = find_delimiter(text, whole=whole)
        header, rows = _parse(text, delimiter, whole=whole)
        records = self._records.total()
        recount = self._records.is_uncertain(delimiter)
        if (records < 2 and not recount) or not rows:
            raise Invalid("The file has a header but no row.")
        _check_ragged(header, rows)
        columns = [
            {
                "name": name,
                "dtype": infer_type(row[position] for row in rows if position < len(row)),
            }
            for position, name in enumerate(header)
        ]
        return CsvFacts(
            sha256=self._digest.hexdigest(),
            size_bytes=self._size,
            rows=records - 1,
            columns=columns,
            encoding=encoding,
            delimiter=delimiter,
            recount=recount,
        )


class _RecordCount:
    """Counts records: non-empty lines that end outside of quotes."""

    def __init__(self) -> None:
        self._count = 0
        self._in_quotes = False
        self._line_has_text = False
        self._before_quote = b"\n"
        self._after_return = False
        self._bare_returns = False
        #: the bytes before opening quotes
        self._bytes_before_quotes: set[bytes] = set()

    def feed(self, chunk: bytes) -> None:
        if not chunk:
            return
        # a carriage return alone ends a line too, as in old Mac files
        if self._after_return and not chunk.startswith(b"\n"):
            self._bare_returns = True
        if b"\r" in chunk:
            returns = chunk.count(b"\r") - chunk.count(b"\r\n") - chunk.endswith(b"\r")
            self._bare_returns = self._bare_returns or returns > 0
        self._after_return = chunk.endswith(b"\r")
        if b'"' in chunk or self._in_quotes:
            chunk = self._outside_quotes(chunk)
        else:
            self._before_quote = chunk[-1:]
        self._count_lines(chunk)

    def is_uncertain(self, delimiter: str) -> bool:
        """Return whether the count may differ from a parser's: stray quotes, or line ends of old Mac files."""
        ends = {delimiter.encode(), b"\n", b"\r", b'"'}
        return (
            self._in_quotes
            or self._bare_returns
            or self._after_return
            or not self._bytes_before_quotes <= ends
        )

    def _outside_quotes(self, chunk: bytes) -> bytes:
        """Return the chunk without quoted text; each quotation mark is kept, as text."""
        parts = chunk.split(b'"')
        first = 1 if self._in_quotes else 0
        outside = parts[first::2]
        # a quote opens a field only after a delimiter or a line end; elsewhere it is a stray quote
        openings = outside if len(parts) % 2 == first else outside[:-1]
        for index, part in enumerate(openings):
            before = part[-1:] or (self._before_quote if index == 0 and first == 0 else b"")
            if before:
                self._bytes_before_quotes.add(before)
        if len(parts) % 2 == 0:
            self._in_quotes = not self._in_quotes
        self._before_quote = chunk[-1:]
        return b'"'.join(outside) + (b'"' if self._in_quotes else b"")

    def _count_lines(self, chunk: bytes) -> None:
        blank = b"\n\n" in chunk or (b"\r" in chunk and b"\n\r\n" in chunk)
        if not blank and self._line_has_text:
            ends = chunk.count(b"\n")
            if ends == 0:
                return
            self._count += ends
            tail = chunk[chunk.rfind(b"\n") + 1 :]
            self._line_has_text = bool(tail.strip(b"\r"))
            return
        *lines, tail = chunk.split(b"\n")
        for line in lines:
            if self._line_has_text or line.strip(b"\r"):
                self._count += 1
            self._line_has_text = False
        self._line_has_text = self._line_has_text or bool(tail.strip(b"\r"))

    def total(self) -> int:
        return self._count + (1 if self._line_has_text else 0)


def count_records(stream: Any, encoding: str, delimiter: str) -> int:
    """Count the records of a stored CSV without its header, by the csv module: slow but exact.

    Raises
    ------
    Invalid
        When a quote far before the end is never closed: the rest would be one cell.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
    end = [f"{secrets.token_hex(8)}"]
    count = 0
    last: list[str] = []
    for row in read_rows(itertools.chain(text, ["\n", *end]), delimiter):
        if row:
            count, last = count + 1, row
    if last == end:
        return count - 2
    if len(last[-1]) > MAX_UNCLOSED_LENGTH:
        raise Invalid(
            "The file cannot be read as a table: a quote is opened and never closed. "
            "Close it, or remove the quotation mark."
        )
    return count - 1


def find_delimiter(text: str, *, whole: bool) -> str:
    """Return the delimiter that splits the first lines most evenly, into the most fields."""
    best, best_score = ",", (0.0, 0)
    too_wide: TooManyColumns | None = None
    for delimiter in DELIMITERS:
        try:
            header, rows = _parse(text, delimiter, whole=whole, max_rows=100)
        except TooManyColumns as error:
            too_wide = error
            continue
        if len(header) < 2:
            continue
        evenness = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
        if (evenness, len(header)) > best_score:
            best, best_score = delimiter, (evenness, len(header))
    if too_wide is not None and best_score == (0.0, 0):
        raise too_wide
    return best


def _parse(
    text: str, delimiter: str, *, whole: bool, max_rows: int = 5_000
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a sample, without a last line that may be incomplete."""
    rows: list[list[str]] = []
    for row in read_rows(io.StringIO(text, newline=""), delimiter):
        if row:
            rows.append(row)
        if len(rows) > max_rows:
            break
    else:
        if not whole and len(rows) > 2:
            rows.pop()
    if not rows:
        return [], []
    return column_names(rows[0]), rows[1:]


def read_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of a CSV; cells may be as long as the file.

    Raises
    ------
    Invalid
    """
    csv.field_size_limit(MAX_CELL_LENGTH)
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as a table: {error}.") from None


def column_names(header: Iterable[str]) -> list[str]:
    """Return column names as pandas does: `Unnamed: 3` for an empty one, `a.1` for a second `a`."""
    raw = list(header)
    check_column_count(len(raw))
    names = [name if name != "" else f"Unnamed: {position}" for position, name in enumerate(raw)]
    taken = set(names)
    seen: dict[str, int] = {}
    # as in pandas: columns with a name keep it, then columns without one get theirs
    for position in sorted(range(len(raw)), key=lambda position: raw[position] == ""):
        name = base = names[position]
        count = seen.get(name, 0)
        while count > 0:
            seen[base] = count + 1
            name = f"{base}.{count}"
            count = count + 1 if name in taken else seen.get(name, 0)
        names[position] = name
        seen[name] = count + 1
    return names


def check_column_count(count: int) -> None:
    """Raise `TooManyColumns` for more columns than the limit; call it before comparing names."""
    if count > MAX_COLUMNS:
        raise TooManyColumns(
            f"The table has {count:,} columns; at most {MAX_COLUMNS:,} are allowed. Leave some out."
        )


def _check_ragged(header: list[str], rows: list[list[str]]) -> None:
    for line, row in enumerate(rows, 2):
        if any(value != "" for value in row[len(header) :]):
            raise Invalid(f"Line {line} has {len(row)} values, the header has {len(header)}.")


def _not_text_message(start: bytes) -> str:
    if re.match(rb"\xff\xfe|\xfe\xff", start) or (
        b"\x00" in start[:4] and start[:4].strip(b"\x00")
    ):
        return "The file looks like UTF-16. Save it as UTF-8, then upload it again."
    if start.startswith(b"PK"):
        return "The file looks like a spreadsheet or an archive. Save the table as CSV, then upload it."
    return "The file is not a text table: it has control characters. Save the table as CSV."
