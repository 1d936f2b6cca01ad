"""Scan a delimited text file as it is uploaded: digest, encoding, dialect, columns and number of rows.

One pass over chunks of bytes, fast for simple files. Only the first 256 KiB are parsed (see `dialect`); of the rest,
bytes are checked, lines counted and delimiters in a line compared with the columns. Where that leaves a doubt, or
the file is not UTF-8, `recount` is set: then read the stored file with `dialect.count_rows`.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import Any

from ..errors import Invalid
from .column_names import MAX_COLUMNS, TooManyColumns, check_column_count, column_names
from .dialect import Detection, Dialect, character_error
from .dialect_detection import detect, encoding_of_evidence
from .encoding import is_utf16
from .number_columns import decimal_of_file
from .sample_types import typed_columns

__all__ = [
    "MAX_COLUMNS",
    "SAMPLE_BYTES",
    "CsvFacts",
    "CsvScan",
    "TooManyColumns",
    "check_column_count",
    "column_names",
]

SAMPLE_BYTES = 256 * 1024
#: bytes after which it is decided whether the file is UTF-16
HEAD_BYTES = 4096
#: lines with other characters than ASCII that are kept to choose an encoding
EVIDENCE_BYTES = 256 * 1024
#: searched for one by one, by `memchr`: four times faster than one `translate` of all
CONTROL_BYTES = tuple(bytes([byte]) for byte in (*range(32), 127) if byte not in b"\t\n\r")


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """The result of scanning a delimited text file."""

    sha256: str
    size_bytes: int
    rows: int
    columns: list[dict[str, str]]
    detection: Detection
    #: whether `rows` and the rest of the file are uncertain; then read the stored file with `count_rows`
    recount: bool

    @property
    def dialect(self) -> Dialect:
        """How the file is read."""
        return self.detection.dialect

    @property
    def encoding(self) -> str:
        """The encoding of the file."""
        return self.dialect.encoding

    @property
    def delimiter(self) -> str:
        """The delimiter of the file."""
        return self.dialect.delimiter

    def config(self) -> dict[str, Any]:
        """Return what is stored about the file for its readers."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "dialect": self.dialect.to_json(),
            "reported": self.detection.notices,
        }


class CsvScan:
    """Scans a file: call `feed` with its chunks in order, then `facts`. Not thread-safe."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._head: bytearray | None = bytearray()
        self._sample = bytearray()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._utf16: str | None = None
        self._utf16_decoder: codecs.IncrementalDecoder | None = None
        self._evidence = _Evidence()
        self._records = _RecordCount()
        self._position = _Position()
        self._provisional: Detection | None = None

    def feed(self, chunk: bytes) -> None:
        """Scan the next chunk.

        Raises
        ------
        Invalid
            As soon as the file is certainly not a text table.
        """
        self._digest.update(chunk)
        self._size += len(chunk)
        if len(self._sample) < SAMPLE_BYTES:
            self._sample += chunk[: SAMPLE_BYTES - len(self._sample)]
        if self._head is not None:
            self._head += chunk
            if len(self._head) >= HEAD_BYTES:
                self._begin()
            return
        self._scan(chunk)

    def facts(self, given: Mapping[str, Any] | None = None, *, is_cut: bool = False) -> CsvFacts:
        """Return the result; `given` has the fields of the dialect that the user set.

        `is_cut` says that what was scanned is the beginning of a file; then rows are not counted exactly.

        Raises
        ------
        Invalid
            When the file is not a table: empty, without rows, or ragged; or a field is invalid.
        """
        self._begin()
        if not self._sample.strip(b" \t\r\n\x00"):
            raise Invalid("The file is empty.")
        if self._is_utf8 and self._utf8.getstate()[0] and not is_cut:
            self._is_utf8 = False  # the file ends within a character
        given = given or {}
        encoding = None
        if self._utf16 is None and not given.get("encoding"):
            encoding = "utf-8"
            if not self._is_utf8 and not self._sample.startswith(codecs.BOM_UTF8):
                encoding = encoding_of_evidence(self._evidence.lines())
        whole = self._size <= SAMPLE_BYTES and not is_cut
        detection = detect(bytes(self._sample), whole=whole, given=given, encoding=encoding)
        dialect, names = detection.dialect, detection.names
        if self._records.has_bare_returns:
            dialect = replace(dialect, bare_returns=True)
            detection = replace(detection, dialect=dialect)
        recount = (
            not self._is_decoded(dialect.encoding)
            or dialect.quote != '"'
            or detection.has_quote_above
            or self._records.is_uncertain(dialect.delimiter, len(names))
        )
        rows = self._records.total() - detection.n_records_above
        if not detection.rows or (rows < 1 and not recount):
            raise Invalid("The file has a header but no row.")
        decimal = decimal_of_file(dialect.decimal, dialect.delimiter)
        columns = typed_columns(names, detection.rows, decimal=decimal)
        return CsvFacts(
            sha256=self._digest.hexdigest(),
            size_bytes=self._size,
            rows=rows,
            columns=columns,
            detection=detection,
            recount=recount,
        )

    def _is_decoded(self, encoding: str) -> bool:
        """Return whether the scan has decoded the whole file in this encoding."""
        if self._utf16_decoder is not None:
            return encoding == self._utf16 and not self._utf16_decoder.getstate()[0]
        return self._is_utf8 and encoding in ("utf-8", "utf-8-sig")

    def _begin(self) -> None:
        """Begin with the bytes that were held back."""
        if self._head is None:
            return
        head, self._head = bytes(self._head), None
        self._utf16 = is_utf16(head[:HEAD_BYTES])
        if self._utf16 is not None:
            self._utf16_decoder = codecs.getincrementaldecoder(self._utf16)()
        elif any(byte in head for byte in CONTROL_BYTES):
            check_kind(head)
        try:
            sample = bytes(self._sample)
            encoding = None if self._utf16 else "utf-8"
            self._provisional = detect(sample, whole=False, given={}, encoding=encoding)
            self._records.expect(self._provisional.dialect.delimiter, len(self._provisional.names))
        except Invalid:
            pass  # raised at the end, where fields of the upload may have said how to read the file
        self._scan(head)

    def _scan(self, chunk: bytes) -> None:
        if self._utf16_decoder is not None:
            try:
                chunk = self._utf16_decoder.decode(chunk).encode()
            except UnicodeError:
                line = self._position.line
                message = (
                    f"The file is {self._utf16}, and after line {line} bytes do not decode. "
                    "Correct them, or set `encoding`."
                )
                raise Invalid(message, errors=[{"loc": ["encoding"], "msg": message}]) from None
        elif not chunk.isascii() or self._utf8.getstate()[0]:
            self._evidence.feed(chunk)
            if self._is_utf8:
                try:
                    self._utf8.decode(chunk)
                except UnicodeDecodeError:
                    self._is_utf8 = False
        else:
            self._evidence.feed(chunk)
        if any(byte in chunk for byte in CONTROL_BYTES):
            raise self._position.control_error(chunk, self._utf16 or "utf-8")
        self._position.feed(chunk)
        self._records.feed(chunk)


def check_kind(head: bytes) -> None:
    """Raise `Invalid` for the beginning of a file that is another kind of file."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Invalid("The file looks like UTF-32. Save it as UTF-8, then upload it again.")
    if head.startswith(b"PK"):
        raise Invalid(
            "The file looks like a spreadsheet or an archive. Save the table as CSV, then upload it."
        )


class _Position:
    """Counts lines, to name the place of a byte."""

    def __init__(self) -> None:
        self.line = 1
        self._ends_in_return = False
        #: bytes of the last line so far
        self._column = 0

    def feed(self, chunk: bytes) -> None:
        if not chunk:
            return
        ends = chunk.count(b"\n")
        if b"\r" in chunk:
            ends += chunk.count(b"\r") - chunk.count(b"\r\n")
        if self._ends_in_return and chunk.startswith(b"\n"):
            ends -= 1
        self._ends_in_return = chunk.endswith(b"\r")
        self.line += ends
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._column = len(chunk) - last - 1 if last >= 0 else self._column + len(chunk)

    def control_error(self, chunk: bytes, encoding: str) -> Invalid:
        """Return the error for the first control character of a chunk."""
        match = re.search(b"[" + b"".join(map(re.escape, CONTROL_BYTES)) + b"]", chunk)
        assert match is not None
        self.feed(chunk[: match.start()])
        return character_error(chr(match[0][0]), self.line, self._column + 1, encoding)


class _Evidence:
    """Collects the lines that are not ASCII, up to a limit; lines stay whole where chunks end within one."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        if self._size >= EVIDENCE_BYTES or (chunk.isascii() and not self._rest):
            return
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + chunk)
        for line in lines:
            self._add(line)
        if self._rest.isascii():
            self._rest = b""
        elif len(self._rest) > EVIDENCE_BYTES:
            self._add(self._rest)
            self._rest = b""

    def _add(self, line: bytes) -> None:
        if not line.isascii() and self._size < EVIDENCE_BYTES:
            self._lines.append(line)
            self._size += len(line)

    def lines(self) -> bytes:
        """Return what was collected."""
        rest = [self._rest] if self._rest and self._size < EVIDENCE_BYTES else []
        return b"\n".join([*self._lines, *rest])


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
        #: what lines are expected to have
        self._delimiter = b","
        self._n_columns = 0
        #: delimiters of the last line so far, and the most of any line
        self._line_delimiters = 0
        self._most_delimiters = 0
        #: whether there are lines of blanks alone: to some readers rows, to others none
        self._has_lines_of_blanks = False
        self._line_is_blank = True

    def expect(self, delimiter: str, n_columns: int) -> None:
        """Set what `is_uncertain` compares the lines with; call it before the first `feed`."""
        self._delimiter, self._n_columns = delimiter.encode(), n_columns

    def feed(self, chunk: bytes) -> None:
        if not chunk:
            return
        if b'"' in chunk or self._in_quotes:
            chunk = self._outside_quotes(chunk)
        else:
            self._before_quote = chunk[-1:]
        if chunk:
            self._find_bare_returns(chunk)
        self._count_lines(chunk)

    def _find_bare_returns(self, chunk: bytes) -> None:
        """Notice a carriage return that ends a line alone, as in old Mac files."""
        if self._after_return and not chunk.startswith(b"\n"):
            self._bare_returns = True
        if b"\r" in chunk:
            returns = chunk.count(b"\r") - chunk.count(b"\r\n") - chunk.endswith(b"\r")
            self._bare_returns = self._bare_returns or returns > 0
        self._after_return = chunk.endswith(b"\r")

    @property
    def has_bare_returns(self) -> bool:
        """Whether a line ends in a carriage return alone."""
        return self._bare_returns or self._after_return

    def is_uncertain(self, delimiter: str, n_columns: int) -> bool:
        """Return whether a parser may count otherwise, or find a line with more fields than columns."""
        most = max(self._most_delimiters, self._line_delimiters)
        if (delimiter.encode(), n_columns) != (self._delimiter, self._n_columns):
            return True
        last_is_blanks = self._line_has_text and self._line_is_blank
        if most >= n_columns or self._has_lines_of_blanks or last_is_blanks:
            return True
        ends = {delimiter.encode(), b"\n", b"\r", b'"'}
        return self._in_quotes or self.has_bare_returns or not self._bytes_before_quotes <= ends

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
        *lines, tail = chunk.split(b"\n")
        if lines:
            first, *others = lines
            self._end_line(first)
            n_with_text = sum(map(bool, [line.strip() for line in others]))
            self._count += n_with_text
            if n_with_text < len(others):
                self._count_blank(others)
            counts = map(methodcaller("count", self._delimiter), others)
            self._most_delimiters = max(self._most_delimiters, max(counts, default=0))
        self._add_to_line(tail)

    def _add_to_line(self, part: bytes) -> None:
        self._line_has_text = self._line_has_text or bool(part.strip(b"\r"))
        self._line_is_blank = self._line_is_blank and not part.strip()
        self._line_delimiters += part.count(self._delimiter)

    def _end_line(self, part: bytes) -> None:
        """Count the line that a chunk before began."""
        self._add_to_line(part)
        self._count += self._line_has_text
        self._has_lines_of_blanks |= self._line_has_text and self._line_is_blank
        self._most_delimiters = max(self._most_delimiters, self._line_delimiters)
        self._line_has_text, self._line_is_blank, self._line_delimiters = False, True, 0

    def _count_blank(self, lines: list[bytes]) -> None:
        """Count lines that have nothing but blanks: rows of empty cells where the delimiter is a tab."""
        n_blank = sum(1 for line in lines if not line.strip() and line.strip(b"\r"))
        self._count += n_blank
        self._has_lines_of_blanks |= n_blank > 0

    def total(self) -> int:
        return self._count + (1 if self._line_has_text else 0)
