"""A CSV looked at while it passes by: digest, encoding, delimiter, columns and the number of records.

One pass over chunks of bytes, fast where the file is plain. Only the first quarter megabyte is parsed;
names follow pandas' rules, for pandas reads the file later.
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
#: looked for one by one: that is `memchr`, four times faster than one `translate` over all
CONTROL = tuple(bytes([byte]) for byte in range(32) if byte not in b"\t\n\r")
MOST_COLUMNS = 10_000
#: the csv module asks for a limit; files have one of their own
LONGEST_CELL = 2**31 - 1
#: characters after a quote that is never closed, as far as they may be meant as a cell
LONGEST_UNCLOSED = 128 * 1024


class TooManyColumns(Invalid):
    """The table is wider than tables may be."""


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """What was found out about a file."""

    sha256: str
    size_bytes: int
    rows: int
    columns: list[dict[str, str]]
    encoding: str
    delimiter: str
    #: stray quotes make the fast count uncertain; the stored file is to be counted by a real parser
    recount: bool


class CsvScan:
    """Feed it chunks in order, then ask for the facts. Not thread-safe; one thread at a time."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._sample = bytearray()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._records = _RecordCount()

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk.

        Raises
        ------
        Invalid
            As soon as it is clear that this is no text table.
        """
        self._digest.update(chunk)
        if any(byte in chunk for byte in CONTROL):
            raise Invalid(_no_text(bytes(self._sample) + chunk[:4]))
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
        """All that was found out.

        Raises
        ------
        Invalid
            When it is no table: empty, no row, ragged beyond repair.
        """
        if self._size == 0 or not bytes(self._sample).strip():
            raise Invalid("The file is empty.")
        if self._is_utf8 and self._utf8.getstate()[0]:
            self._is_utf8 = False  # it ended in the middle of a character
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
        _refuse_ragged(header, rows)
        columns = [
            {"name": name, "dtype": infer_type(row[place] for row in rows if place < len(row))}
            for place, name in enumerate(header)
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
    """Counts records: lines that hold something and end outside of quotes."""

    def __init__(self) -> None:
        self._count = 0
        self._in_quotes = False
        self._line_has_text = False
        self._before_quote = b"\n"
        self._after_return = False
        self._bare_returns = False
        #: what stood before opening quotes
        self._openers: set[bytes] = set()

    def feed(self, chunk: bytes) -> None:
        if not chunk:
            return
        # a carriage return alone ends a line too, as on old Macs
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
        """Whether this count may differ from a parser's: stray quotes, or line ends of old Macs."""
        ends = {delimiter.encode(), b"\n", b"\r", b'"'}
        return (
            self._in_quotes or self._bare_returns or self._after_return or not self._openers <= ends
        )

    def _outside_quotes(self, chunk: bytes) -> bytes:
        """The chunk with what stands in quotes cut out; each quote mark stays, as text."""
        parts = chunk.split(b'"')
        first = 1 if self._in_quotes else 0
        outside = parts[first::2]
        # a quote opens a field only after a delimiter or a line end; one elsewhere is a stray mark
        openings = outside if len(parts) % 2 == first else outside[:-1]
        for index, part in enumerate(openings):
            before = part[-1:] or (self._before_quote if index == 0 and first == 0 else b"")
            if before:
                self._openers.add(before)
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
    """Records of a stored CSV, without its header, by the csv module: slow and sure.

    Raises
    ------
    Invalid
        When a quote is opened far before the end and never closed: all that follows would be one cell.
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
    if len(last[-1]) > LONGEST_UNCLOSED:
        raise Invalid(
            "The file cannot be read as a table: a quote is opened and never closed. "
            "Close it, or remove the quotation mark."
        )
    return count - 1


def find_delimiter(text: str, *, whole: bool) -> str:
    """The delimiter that cuts the first lines most evenly into the most fields."""
    best, best_score = ",", (0.0, 0)
    too_wide: TooManyColumns | None = None
    for delimiter in DELIMITERS:
        try:
            header, rows = _parse(text, delimiter, whole=whole, most=100)
        except TooManyColumns as error:
            too_wide = error
            continue
        if len(header) < 2:
            continue
        even = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
        if (even, len(header)) > best_score:
            best, best_score = delimiter, (even, len(header))
    if too_wide is not None and best_score == (0.0, 0):
        raise too_wide
    return best


def _parse(
    text: str, delimiter: str, *, whole: bool, most: int = 5_000
) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a sample; a last line that may have been cut is left out."""
    rows: list[list[str]] = []
    for row in read_rows(io.StringIO(text, newline=""), delimiter):
        if row:
            rows.append(row)
        if len(rows) > most:
            break
    else:
        if not whole and len(rows) > 2:
            rows.pop()
    if not rows:
        return [], []
    return column_names(rows[0]), rows[1:]


def read_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Rows of a table, whose cells may be as long as the file.

    Raises
    ------
    Invalid
    """
    csv.field_size_limit(LONGEST_CELL)
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as a table: {error}.") from None


def column_names(header: Iterable[str]) -> list[str]:
    """Names as pandas makes them: `Unnamed: 3` for an empty one, `a.1` for a second `a`."""
    raw = list(header)
    refuse_many_columns(len(raw))
    names = [name if name != "" else f"Unnamed: {place}" for place, name in enumerate(raw)]
    taken = set(names)
    seen: dict[str, int] = {}
    # as pandas does: columns with a name keep it before those without one get theirs
    for place in sorted(range(len(raw)), key=lambda place: raw[place] == ""):
        name = base = names[place]
        count = seen.get(name, 0)
        while count > 0:
            seen[base] = count + 1
            name = f"{base}.{count}"
            count = count + 1 if name in taken else seen.get(name, 0)
        names[place] = name
        seen[name] = count + 1
    return names


def refuse_many_columns(count: int) -> None:
    """Raise TooManyColumns where a table has more columns than are taken; asked before names are compared."""
    if count > MOST_COLUMNS:
        raise TooManyColumns(
            f"The table has {count:,} columns; at most {MOST_COLUMNS:,} are taken. Leave some out."
        )


def _refuse_ragged(header: list[str], rows: list[list[str]]) -> None:
    for line, row in enumerate(rows, 2):
        if any(value != "" for value in row[len(header) :]):
            raise Invalid(f"Line {line} has {len(row)} values, the header has {len(header)}.")


def _no_text(start: bytes) -> str:
    if re.match(rb"\xff\xfe|\xfe\xff", start) or (
        b"\x00" in start[:4] and start[:4].strip(b"\x00")
    ):
        return "The file looks like UTF-16. Save it as UTF-8, then upload it again."
    if start.startswith(b"PK"):
        return "The file looks like a spreadsheet or an archive. Save the table as CSV, then upload it."
    return "The file is not a text table: it holds control characters. Save the table as CSV."
