"""The dialect of a delimited text file: what it is, how a person overrides it, and how a file is read with it.

Upload, preview, run and reproduction notebook read a file with the same `Dialect`, which `dialect_detection` finds.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, TextIO

from ..errors import FieldError, Invalid

#: the fields that override what is detected in a text file; `sheet` is for workbooks
FIELDS = ("encoding", "delimiter", "quote", "decimal", "thousands", "header", "skip_rows")
#: fields of a dialect that are facts about the file
NOT_FOR_OVERRIDE = ("sep_line", "bare_returns")
#: the csv module requires a limit; the size of files is limited elsewhere
MAX_CELL_LENGTH = 2**31 - 1
MAX_SKIP_ROWS = 1_000
MAX_SHOWN_TEXT = 40
#: texts of Python's codecs that are not encodings of files
_NOT_FOR_FILES = re.compile(r"idna|punycode|escape|undefined|mbcs|oem|utf_?7|utf-7|palmos")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_C1 = re.compile(r"[\x80-\x9f]")

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text file is written."""

    encoding: str
    delimiter: str
    #: empty where quotation marks are text like any other
    quote: str = '"'
    decimal: str | None = None
    thousands: str | None = None
    #: whether the first line that is not skipped has the names of the columns
    header: bool = True
    #: lines above the header, blank ones included, Excel's `sep=` line not
    skip_rows: int = 0
    #: of workbooks
    sheet: str | int | None = None
    #: whether the first line of the file is Excel's `sep=` line
    sep_line: bool = False
    #: whether lines end in carriage returns alone, as in old Mac files: pandas does not read these reliably, so all
    #: line ends are read as `\\n`
    bare_returns: bool = False

    def to_json(self) -> JSON:
        """Return the form that is stored with a data source; what cannot be overridden is in it where it is true."""
        raw = asdict(self)
        for name in NOT_FOR_OVERRIDE:
            if not raw[name]:
                del raw[name]
        return raw

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Dialect:
        """Return the dialect that was stored with a data source; keys of later versions are ignored."""
        return cls(**{name: raw[name] for name in cls.__slots__ if name in raw})

    @property
    def lines_to_skip(self) -> int:
        """The lines above the header, Excel's `sep=` line included."""
        return self.skip_rows + self.sep_line

    def csv_options(self) -> JSON:
        """Return the arguments of `csv.reader`."""
        if not self.quote:
            return {"delimiter": self.delimiter, "quoting": csv.QUOTE_NONE}
        return {"delimiter": self.delimiter, "quotechar": self.quote}

    def pandas_options(self, names: Sequence[str], text_columns: Sequence[str] = ()) -> JSON:
        """Return the arguments of `pandas.read_csv` for a file whose first `lines_to_skip` lines are skipped.

        Columns of plain numbers become numbers, all others texts, with empty cells as missing; `text_columns` are read
        as texts although they look like numbers.

        The caller skips the lines (see `open_text`), because `skiprows` reads a quotation mark in a title as the
        beginning of a cell. `usecols` cuts empty fields after the last column; without `index_col=False` they would
        make the first column the index.
        """
        options: JSON = {
            "encoding": self.encoding,
            "sep": self.delimiter,
            **({"quotechar": self.quote} if self.quote else {"quoting": int(csv.QUOTE_NONE)}),
            "header": 0 if self.header else None,
            "names": list(names),
            "usecols": range(len(names)),
            "index_col": False,
            **({"dtype": dict.fromkeys(text_columns, str)} if text_columns else {}),
            "keep_default_na": False,
            "na_values": [""],
            "low_memory": False,
            "float_precision": "round_trip",
        }
        return options

    @property
    def newline(self) -> str | None:
        """The argument of `open`."""
        return None if self.bare_returns else ""

    @contextlib.contextmanager
    def open_text(self, stream: BinaryIO, *, errors: str = "strict") -> Iterator[TextIO]:
        """Open the text of a file, after the lines that are skipped; see `newline` for line ends."""
        text = io.TextIOWrapper(stream, encoding=self.encoding, errors=errors, newline=self.newline)
        try:
            for _ in range(self.lines_to_skip):
                text.readline()
            yield text
        finally:
            text.detach()  # the caller closes the stream


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a file: its fields, and the line in which it begins, counted from 1."""

    line: int
    fields: list[str]

    @property
    def width(self) -> int:
        """The number of fields up to the last one that is not empty."""
        return next((n for n in range(len(self.fields), 0, -1) if self.fields[n - 1].strip()), 0)


@dataclass(frozen=True, slots=True)
class Detection:
    """What was detected in a file."""

    dialect: Dialect
    names: list[str]
    #: what the user should know: `{"code", "message", …}`
    notices: list[JSON]
    #: the first rows, from the sample
    rows: list[list[str]] = field(repr=False)
    #: records above the first row: the `sep=` line, skipped lines that are not blank, and the header
    n_records_above: int
    #: whether a skipped line has a quotation mark, so that only reading tells records apart
    has_quote_above: bool


# ---------------------------------------------------------------- records


def _refused_characters(encoding: str) -> re.Pattern[str] | None:
    """Return what is searched in the text: of other encodings than these, the scan has seen the bytes."""
    name = encoding.replace("_", "-")
    if name.startswith(("iso8859", "iso-8859", "latin")):
        return _C1
    return None if name.startswith(("utf-8", "ascii", "cp125")) else _CONTROL


def character_error(character: str, line: int, column: int, encoding: str) -> Invalid:
    """Return the error for a control character in a file."""
    code = ord(character)
    name = "a NUL" if code == 0 else f"the control character 0x{code:02X}"
    if 0x80 <= code <= 0x9F:
        return field_error(
            "encoding",
            f"Line {line}, column {column}: the byte 0x{code:02X} is not a character of {encoding}. "
            "Set `encoding` to cp1252, or to the encoding that the file has.",
        )
    return field_error(
        "encoding",
        f"Line {line}, column {column} has {name}; control characters are not read. Remove it. "
        "If the file is in another encoding, set `encoding`.",
    )


def read_records(
    lines: Iterable[str], dialect: Dialect, *, first_line: int, whole: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yield line and fields of the records of a text, blank lines left out; cells may be as long as the text.

    A line of blanks between records is blank, as it is to pandas. `whole` is false for the beginning of a text: its
    last record may be incomplete, and is yielded as it is.

    Raises
    ------
    Invalid
        When a quote is never closed, or the text is not a table.
    """
    csv.field_size_limit(MAX_CELL_LENGTH)
    end = secrets.token_hex(8)
    blanks = " \t\r\n".replace(dialect.delimiter, "")
    refused = _refused_characters(dialect.encoding) if whole else None
    number, record_line, is_between = first_line - 1, first_line, True

    def checked() -> Iterator[str]:
        nonlocal number, record_line, is_between
        for line in itertools.chain(lines, [end]) if whole else lines:
            number += 1
            if refused is not None and (match := refused.search(line)):
                raise character_error(match[0], number, match.start() + 1, dialect.encoding)
            if is_between:
                if line[0] in blanks and not line.strip(blanks):
                    continue
                record_line, is_between = number, False
            yield line

    try:
        for fields in csv.reader(checked(), **dialect.csv_options()):
            is_between = True
            if whole and end in fields[-1]:
                if fields == [end]:
                    return
                raise field_error(
                    "quote",
                    f"Line {record_line}: a quote is opened and never closed. Close it, or, where quotation marks "
                    "are text, set `quote` to none.",
                )
            yield record_line, fields
    except csv.Error as error:
        raise Invalid(f"Line {number}: the file cannot be read as a table: {error}.") from None


def count_rows(stream: BinaryIO, detection: Detection) -> int:
    """Return the number of rows of a stored file, reading all of it: slow but exact.

    Raises
    ------
    Invalid
        When a byte does not decode, a row has more values than there are columns, or a quote is never closed.
    """
    dialect, names = detection.dialect, detection.names
    count, n_columns = 0, len(names)
    try:
        with dialect.open_text(stream) as text:
            records = read_records(text, dialect, first_line=dialect.lines_to_skip + 1)
            if dialect.header:
                next(records, None)
            for line, fields in records:
                count += 1
                if len(fields) > n_columns:
                    check_width(Record(line, fields), n_columns, dialect)
    except UnicodeDecodeError:
        stream.seek(0)
        raise _undecodable(stream, dialect.encoding) from None
    return count


def check_width(record: Record, n_columns: int, dialect: Dialect) -> None:
    """Raise `Invalid` for a row with values after the last column; empty fields there are cut."""
    if record.width <= n_columns:
        return
    surplus = next(value for value in record.fields[n_columns:] if value.strip())
    n_values = len(record.fields)
    if dialect.header:
        place = f"Line {record.line} has {n_values} values, the header has {n_columns}"
    else:
        place = f"Line {record.line} has {n_values} values, the table has {n_columns} columns"
    raise field_error(
        "delimiter",
        f"{place}: “{shortened(surplus)}” has no column. "
        f"If “{_delimiter_name(dialect.delimiter)}” does not separate the values, set `delimiter`; a value that "
        "contains it must be in quotes.",
    )


def _undecodable(stream: BinaryIO, encoding: str) -> Invalid:
    """Return the error for the first bytes of a file that do not decode, with their place."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, column = 1, 1
    while True:
        chunk = stream.read(1 << 16)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, "replace")
            lines, column = _advance(before, column)
            bad = " ".join(f"0x{byte:02X}" for byte in error.object[error.start : error.end][:4])
            return field_error(
                "encoding",
                f"Line {line + lines}, column {column}: {bad} is not a character of {encoding}. "
                "Correct it, or set `encoding` to the encoding that the file has.",
            )
        if not chunk:
            return field_error("encoding", f"The file cannot be decoded as {encoding}.")
        lines, column = _advance(text, column)
        line += lines


def _advance(text: str, column: int) -> tuple[int, int]:
    """Return the number of lines that end in a text, and the column after it."""
    lines = text.count("\n") + text.count("\r") - text.count("\r\n")
    last = max(text.rfind("\n"), text.rfind("\r"))
    return lines, len(text) - last if last >= 0 else column + len(text)


def shortened(text: str) -> str:
    """Return a text of a file as messages show it."""
    text = text.strip()
    return text if len(text) <= MAX_SHOWN_TEXT else f"{text[:MAX_SHOWN_TEXT]}…"


def _delimiter_name(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else delimiter


def field_error(name: str, message: str) -> Invalid:
    """Return the error for a field of the dialect that a person gave, or should give."""
    errors: list[FieldError] = [{"loc": [name], "msg": message}]
    return Invalid(message, errors=errors)


# ---------------------------------------------------------------- overrides


def parse_overrides(given: Mapping[str, Any]) -> JSON:
    """Return the overrides as values of `Dialect`; texts come from forms, `null` and empty ones mean detect.

    Raises
    ------
    Invalid
        For an override that no text file can have, naming the field.
    """
    overrides: JSON = {}
    for name, value in given.items():
        if name in NOT_FOR_OVERRIDE or value is None or (value == "" and name != "quote"):
            continue
        if name == "sheet":
            raise field_error("sheet", "sheet is for workbooks of Excel; this is a text file.")
        if name not in FIELDS:
            raise field_error(name, f"There is no field “{name}”; there are {', '.join(FIELDS)}.")
        overrides[name] = _PARSERS[name](value)
    quote, delimiter = overrides.get("quote", '"'), overrides.get("delimiter")
    if delimiter is not None and delimiter == quote:
        raise field_error("quote", "quote and delimiter are the same character.")
    decimal, thousands = overrides.get("decimal"), overrides.get("thousands")
    if decimal is not None and decimal == thousands:
        raise field_error("thousands", "thousands and decimal are the same character.")
    return overrides


def _parse_encoding(value: Any) -> str:
    try:
        found = codecs.lookup(str(value))
        is_text = getattr(found, "_is_text_encoding", True) and not _NOT_FOR_FILES.search(
            found.name
        )
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise field_error(
            "encoding",
            f"“{shortened(str(value))}” is not an encoding; examples: utf-8, cp1252, cp1250, cp1251, shift_jis, "
            "gb18030, big5, euc_kr, utf-16.",
        )
    return str(found.name)


def _parse_delimiter(value: Any) -> str:
    text = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(
        str(value).lower(), str(value)
    )
    if len(text) != 1 or text in '\r\n"' or text.isalnum() or _CONTROL.match(text):
        raise field_error(
            "delimiter",
            "delimiter must be one character, such as , ; | or tab, and no letter or digit.",
        )
    return text


def _parse_quote(value: Any) -> str:
    text = "" if str(value).lower() == "none" else str(value)
    if len(text) > 1 or text.isalnum() or text.isspace() or not text.isascii():
        raise field_error("quote", "quote must be one sign, such as \" or ', or none.")
    return text


def _parse_sign(name: str, allowed: str) -> Any:
    def parse(value: Any) -> str:
        text = {"space": " "}.get(str(value).lower(), str(value))
        if len(text) != 1 or text not in allowed:
            raise field_error(name, f"{name} must be one of {' '.join(allowed.strip())}.")
        return text

    return parse


def _parse_header(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise field_error("header", "header must be true or false.")
    return text == "true"


def _parse_skip_rows(value: Any) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > MAX_SKIP_ROWS:
        raise field_error("skip_rows", f"skip_rows must be a number from 0 to {MAX_SKIP_ROWS:,}.")
    return int(text)


_PARSERS: dict[str, Any] = {
    "encoding": _parse_encoding,
    "delimiter": _parse_delimiter,
    "quote": _parse_quote,
    "decimal": _parse_sign("decimal", ".,٫"),
    "thousands": _parse_sign("thousands", ",.'’٬ \u00a0\u202f\u2009"),
    "header": _parse_header,
    "skip_rows": _parse_skip_rows,
}
