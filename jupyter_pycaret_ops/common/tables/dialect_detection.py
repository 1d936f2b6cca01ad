"""How the dialect of a delimited text file is detected, from the sample at its beginning.

What `detect` decides about the file beyond plain rows under a header is reported in notices, and each decision can be
overridden.
"""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import Invalid
from . import spellings
from .column_names import TooManyColumns, check_column_count, column_names
from .column_reading import Texts, decimal_of
from .dialect import (
    JSON,
    Detection,
    Dialect,
    Record,
    check_width,
    field_error,
    parse_overrides,
    read_records,
    shortened,
)
from .encoding import choose_encoding, is_utf16

DELIMITERS = (",", ";", "\t", "|")
#: records that decide on delimiter, lines above the header, and header
EXAMINED_RECORDS = 200
#: cells examined for the header and the decimal separator: fewer rows of wide tables
MAX_EXAMINED_CELLS = 100_000
#: rows of the sample that are checked and returned
MAX_SAMPLE_ROWS = 5_000
#: share of the rows that must have as many fields as the header, for lines above it to be skipped
REGULAR_SHARE = 0.9
#: rows below a header from which on lines above it are a title
MIN_TABLE_ROWS = 2
_SEP_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)
_YEARS = range(1800, 2201)


def detect(
    sample: bytes, *, whole: bool, given: Mapping[str, Any], encoding: str | None = None
) -> Detection:
    """Return dialect, column names and notices of a file that begins with `sample`.

    `whole` says whether the sample is the whole file, `given` has the fields that the user set, and `encoding` is
    used where the caller knows it from the rest of the file.

    Raises
    ------
    Invalid
        When the file is not a table or can be read in two ways; or an override is invalid, naming the field.
    """
    overrides = parse_overrides(given)
    notices: list[JSON] = []
    chosen = overrides.get("encoding") or encoding or encoding_of(sample, whole=whole)
    if chosen == "utf-8" and sample.startswith(codecs.BOM_UTF8):
        chosen = "utf-8-sig"
    text = codecs.getincrementaldecoder(chosen)("replace").decode(sample, final=whole)
    if not text.strip():
        raise Invalid("The file is empty.")
    if "encoding" not in overrides and not chosen.startswith("utf"):
        notices.append(_encoding_notice(text, chosen))
    sep_line = _SEP_LINE.match(text)
    base = Dialect(
        encoding=chosen,
        delimiter=overrides.get("delimiter") or (sep_line[1] if sep_line else ","),
        quote=overrides.get("quote", '"'),
        skip_rows=overrides.get("skip_rows", 0),
        sep_line=sep_line is not None,
    )
    lines = io.StringIO(text, newline="").readlines()
    if base.lines_to_skip >= len(lines) and base.skip_rows:
        raise field_error(
            "skip_rows", f"skip_rows is {base.skip_rows}, and the file has {len(lines)} lines."
        )
    is_delimiter_known = "delimiter" in overrides or sep_line is not None
    candidates = [base.delimiter] if is_delimiter_known else DELIMITERS
    base, records = _split(
        lines, base, candidates, whole=whole, is_quote_open="quote" not in overrides
    )
    if base.quote == "'" and "quote" not in overrides:
        message = "Cells are quoted by apostrophes, which are not part of their texts."
        notices.append({"code": "quote", "message": message})
    start = 0
    if "skip_rows" not in overrides:
        start = _header_position(records, lines, base)
        base = replace(base, skip_rows=records[start].line - 1 - base.sep_line)
        if base.skip_rows:
            notices.append(_skipped_notice(lines, base))
    head, body = records[start], records[start + 1 :]
    has_header = overrides.get("header")
    if has_header is None:
        has_header = not _is_data(head, body)
    if not has_header:
        body = [head, *body]
    dialect = replace(base, header=has_header)
    names = _names(head, body, dialect, notices, is_given="header" in overrides)
    for record in body:
        check_width(record, len(names), dialect)
    if any(len(record.fields) > len(names) for record in body):
        notices.append(
            {
                "code": "trailing_delimiters",
                "message": "Empty fields at the end of lines, after the last column, are cut.",
            }
        )
    decimal, thousands = _number_signs(body, len(names), overrides)
    above = lines[: dialect.lines_to_skip]
    return Detection(
        dialect=replace(dialect, decimal=decimal, thousands=thousands),
        names=names,
        notices=notices,
        rows=[record.fields for record in body],
        n_records_above=sum(bool(line.strip("\r\n")) for line in above) + has_header,
        has_quote_above=any('"' in line or (base.quote and base.quote in line) for line in above),
    )


def encoding_of(sample: bytes, *, whole: bool) -> str:
    """Return the encoding of a file that begins with `sample`.

    Raises
    ------
    Invalid
        When two encodings read it differently and neither is clearly better.
    """
    utf16 = is_utf16(sample)
    if utf16 is not None:
        return utf16
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
    except UnicodeDecodeError:
        return encoding_of_evidence(
            b"\n".join(line for line in sample.splitlines() if not line.isascii())
        )
    return "utf-8"


def encoding_of_evidence(evidence: bytes) -> str:
    """Return the encoding of lines that are not all UTF-8: UTF-8 where most of their characters are.

    Raises
    ------
    Invalid
        When two encodings read them differently and neither is clearly better.
    """
    text = evidence.decode("utf-8", "replace")
    n_bad = text.count("\ufffd")
    n_good = sum(not character.isascii() for character in text) - n_bad
    return "utf-8" if n_good > 4 * n_bad else choose_encoding(evidence)


def _encoding_notice(text: str, encoding: str) -> JSON:
    words = (word for word in re.split(r'[\s,;|"]+', text) if not word.isascii())
    example = next(words, None)
    shown = f", for example “{shortened(example)}”" if example else ""
    return {
        "code": "encoding",
        "message": f"The file is not UTF-8; it is read as {encoding}{shown}.",
        "encoding": encoding,
    }


def _split(
    lines: list[str],
    base: Dialect,
    candidates: Iterable[str],
    *,
    whole: bool,
    is_quote_open: bool,
) -> tuple[Dialect, list[Record]]:
    """Return the dialect with the delimiter that splits most evenly, into the most fields; and the records."""
    best: tuple[Dialect, list[Record]] | None = None
    best_score = (0.0, 0)
    too_wide: TooManyColumns | None = None
    unclosed: Invalid | None = None
    sample = "".join(lines[base.lines_to_skip :])
    for delimiter in candidates:
        has_apostrophes = is_quote_open and _is_quoted_by_apostrophes(sample, delimiter)
        dialect = replace(base, delimiter=delimiter, quote="'" if has_apostrophes else base.quote)
        try:
            records = _sample_records(lines, dialect, whole=whole, limit=EXAMINED_RECORDS)
        except TooManyColumns as error:
            too_wide = error
            continue
        except Invalid as error:
            unclosed = error
            continue
        widths = Counter(len(record.fields) for record in records)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        is_split = width > 1 and any(record.width > 1 for record in records)
        score = (count / len(records), width) if is_split else (0.0, 1)
        if best is None or score > best_score:
            best, best_score = (dialect, records), score
    refusal = too_wide or unclosed
    # a delimiter that splits nothing does not help where another one meets a reason to refuse
    if best is None or (refusal is not None and best_score <= (0.0, 1)):
        raise refusal or Invalid("The file is empty.")
    dialect = best[0]
    records = _sample_records(lines, dialect, whole=whole, limit=MAX_SAMPLE_ROWS)
    if not records:
        raise Invalid("The file has no row.")
    return dialect, records


def _is_quoted_by_apostrophes(text: str, delimiter: str) -> bool:
    """Return whether every apostrophe is one of a pair around a cell, and there are no other quotes."""
    count = text.count("'")
    if count < 6 or '"' in text:
        return False
    border = re.escape(delimiter)
    cells: list[str] = re.findall(
        rf"(?:(?<={border})|^)'(?:[^']|'')*'(?={border}|$|\r)", text, re.MULTILINE
    )
    return sum(cell.count("'") for cell in cells) >= count - 1  # the sample may end within a cell


def _sample_records(lines: list[str], dialect: Dialect, *, whole: bool, limit: int) -> list[Record]:
    """Return the first records of a sample, without a last one that may be incomplete."""
    skipped = dialect.lines_to_skip
    records: list[Record] = []
    found = read_records(lines[skipped:], dialect, first_line=skipped + 1, whole=whole)
    for line, fields in itertools.islice(found, limit + 1):
        check_column_count(len(fields))
        records.append(Record(line, fields))
    if len(records) > limit or (not whole and len(records) > 2):
        records.pop()
    return records


# ---------------------------------------------------------------- lines above the header


def _header_position(records: list[Record], lines: list[str], dialect: Dialect) -> int:
    """Return the position of the header, below lines of a title.

    Raises
    ------
    Invalid
        When there are lines above a table that is not regular.
    """
    examined = records[:EXAMINED_RECORDS]
    widths = Counter(record.width for record in examined if record.width)
    usual = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))[0]
    if usual < 2:
        return 0
    n_title = sum(1 for _ in itertools.takewhile(lambda record: _is_title(record, usual), examined))
    n_narrow = sum(1 for _ in itertools.takewhile(lambda record: record.width < usual, examined))
    n_apart = _before_blank_line(examined, lines, usual)
    for n_above in dict.fromkeys((max(n_title, n_apart), n_title, n_apart)):
        if 0 < n_above < len(examined) and _is_table(
            examined[n_above:], usual, is_apart=n_above == n_apart
        ):
            return n_above
    if 0 < n_narrow < len(examined) and _has_names_above_numbers(examined[n_narrow:], usual):
        return n_narrow
    first = examined[0]
    is_in_table = all(record.width <= len(first.fields) for record in examined)
    if n_title == 0 or is_in_table:
        return 0
    last = examined[min(n_title, len(examined)) - 1].line
    where = f"Line {first.line} has" if last == first.line else f"Lines {first.line} to {last} have"
    raise field_error(
        "skip_rows",
        f"{where} {first.width} field{'s' if first.width != 1 else ''} (“{shortened(first.fields[0])}”), most lines "
        f"below have {usual}, and these are not a regular table. Set `skip_rows` to the number of lines above the "
        "header, or `delimiter` where another character separates the values.",
    )


def _is_title(record: Record, usual: int) -> bool:
    """Return whether a record is as short as a title, or a name with its value above a wide table."""
    return record.width <= 1 or (record.width <= 2 and usual >= 4)


def _before_blank_line(records: list[Record], lines: list[str], usual: int) -> int:
    """Return how many records stand above the first blank line, where all differ from the rows in width."""
    for position, record in enumerate(records[:50]):
        if position and not lines[record.line - 2].strip():
            return position
        if record.width == 0:
            return position + 1 if position else 0
        if record.width == usual:
            return 0
    return 0


def _is_table(records: list[Record], usual: int, *, is_apart: bool) -> bool:
    """Return whether records are a header and rows of the same width."""
    head, *rows = records
    if len(rows) < MIN_TABLE_ROWS or head.width < usual:
        return False
    if all(_is_number_or_date(value) for value in head.fields[: head.width]):
        is_header = is_apart  # rows without a header, below a blank line
    else:
        n_names = sum(1 for value in head.fields[: head.width] if value.strip())
        is_header = n_names > head.width / 2 and not _is_data(head, rows)
    widths = Counter(len(row.fields) for row in rows)
    regular = max(widths.values())
    return (
        is_header
        and all(row.width <= head.width for row in rows)
        and regular >= REGULAR_SHARE * len(rows)
    )


def _has_names_above_numbers(records: list[Record], usual: int) -> bool:
    """Return whether records are certainly a header and rows: a table with a name above a column of numbers."""
    head, *rows = records
    if not _is_table(records, usual, is_apart=False):
        return False
    for position, name in enumerate(head.fields[: head.width]):
        below = [row.fields[position] for row in rows if position < len(row.fields)]
        present = [text for text in below if text.strip()]
        is_name = not spellings.is_missing_word(name, is_text=False) and not _is_number_or_date(
            name
        )
        if is_name and present and all(map(_is_number_or_date, present)):
            return True
    return False


def _skipped_notice(lines: list[str], dialect: Dialect) -> JSON:
    above = lines[dialect.sep_line : dialect.lines_to_skip]
    texts = [shortened(line) for line in above if line.strip()]
    first = int(dialect.sep_line) + 1
    where = (
        f"Line {first} is" if len(above) == 1 else f"Lines {first} to {first + len(above) - 1} are"
    )
    shown = f" (“{texts[0]}”)" if texts else ""
    return {
        "code": "lines_skipped",
        "message": f"{where} above the header and skipped{shown}.",
        "count": len(above),
        "examples": texts[:5],
    }


# ---------------------------------------------------------------- header and names


def _is_number_or_date(text: str) -> bool:
    return spellings.digits_of(text) is not None or spellings.parse_date(text) is not None


def _is_data(head: Record, rows: list[Record]) -> bool:
    """Return whether the first record is a row: numbers or dates above columns of them, and no name above one."""
    width = len(head.fields)
    examined = rows[: max(2, min(50, MAX_EXAMINED_CELLS // max(1, width)))]
    if not examined:
        return False
    found = False
    for position, value in enumerate(head.fields):
        below = [row.fields[position] for row in examined if position < len(row.fields)]
        present = [text for text in below if text.strip()]
        if not value.strip() or not present or spellings.is_missing_word(value, is_text=False):
            continue
        is_column = sum(map(_is_number_or_date, present)) >= REGULAR_SHARE * len(present)
        if is_column and not _is_number_or_date(value):
            return False
        found = found or is_column
    return found and not _are_years(head)


def _are_years(head: Record) -> bool:
    """Return whether the first record has names and years in equal steps, as tables of statistics do."""
    cells = [value.strip() for value in head.fields if value.strip()]
    years = [
        int(value) for value in cells if len(value) == 4 and value.isascii() and value.isdigit()
    ]
    numbers = [value for value in cells if _is_number_or_date(value)]
    steps = {after - before for before, after in itertools.pairwise(years)}
    return (
        len(numbers) < len(cells)
        and len(years) == len(numbers) >= 2
        and all(year in _YEARS for year in years)
        and len(steps) == 1
        and steps != {0}
    )


def _names(
    head: Record, body: list[Record], dialect: Dialect, notices: list[JSON], *, is_given: bool
) -> list[str]:
    """Return the names of the columns, and add to the notices what is not in the header as it stands."""
    used = max((record.width for record in body), default=0)
    if not dialect.header:
        names = [f"column_{position + 1}" for position in range(max(1, used))]
        check_column_count(len(names))
        if not is_given:
            notices.append(
                {
                    "code": "no_header",
                    "message": "The first line has numbers above columns of numbers, so it is a row. The columns "
                    f"are called {names[0]}{' …' if len(names) > 1 else ''}.",
                }
            )
        return names
    # a header that ends with delimiters, above rows that have nothing there
    raw = head.fields[: max(head.width, min(used, len(head.fields)), 1)]
    check_column_count(len(raw))
    unnamed = [position for position, name in enumerate(raw) if not name.strip()]
    filled = [name if name.strip() else f"column_{n}" for n, name in enumerate(raw, 1)]
    names = column_names(filled)
    if unnamed:
        called = [names[position] for position in unnamed]
        notices.append(
            {
                "code": "unnamed_columns",
                "message": f"Columns without a name are called {_listed(called)}.",
                "columns": called,
            }
        )
    repeated = [name for name, before in zip(names, filled, strict=True) if name != before]
    if repeated:
        notices.append(
            {
                "code": "repeated_names",
                "message": f"Names that stand in the header more than once are called {_listed(repeated)}.",
                "columns": repeated,
            }
        )
    return names


def _listed(names: list[str]) -> str:
    shown = ", ".join(shortened(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


# ---------------------------------------------------------------- numbers


def _number_signs(
    rows: list[Record], n_columns: int, overrides: JSON
) -> tuple[str | None, str | None]:
    """Return decimal and thousands separator that the columns of numbers show, or that were given."""
    decimal, thousands = overrides.get("decimal"), overrides.get("thousands")
    if decimal is not None and thousands is not None:
        return decimal, thousands
    examined = rows[: max(10, MAX_EXAMINED_CELLS // max(1, n_columns))]
    decimals, groups = Counter[str](), Counter[str]()
    for position in range(n_columns):
        counts = Counter(
            row.fields[position].strip() for row in examined if position < len(row.fields)
        )
        found = decimal_of(Texts("", counts, len(examined), {}))
        if found is None:
            continue
        decimals[found] += 1
        for text in counts:
            digits = spellings.digits_of(text)
            sign = spellings.separators_of(digits)[1] if digits is not None else None
            if sign is not None:
                groups[sign] += 1
    if decimal is None and decimals:
        decimal = max((".", ","), key=lambda sign: decimals[sign])
    if thousands is None:
        thousands = next((sign for sign, _ in groups.most_common() if sign != decimal), None)
    return decimal, thousands
