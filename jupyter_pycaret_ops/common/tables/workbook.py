"""Workbooks of Excel: the sheet that is read, its header, and what its columns hold.

Cells are read by python-calamine: numbers, dates and texts as Excel has them. A server never reads a workbook in its own
process, for a small file can unpack to much: it runs this module in one of its own, with a limit on memory.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import Invalid
from .column_names import check_column_count, column_names
from .dialect import field_error, parse_overrides

JSON = dict[str, Any]
Cells = Sequence[Any]

#: names that nothing but a workbook has
SUFFIXES = (".xlsx", ".xlsm")
#: fields of the dialect that a workbook has
FIELDS = ("sheet", "header", "skip_rows")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: names of parts at the beginning of the zip file
_PARTS = (b"[Content_Types].xml", b"xl/", b"docProps/")
MAX_UNPACKED_BYTES = 1 << 30
#: rows that decide on header and types
EXAMINED_ROWS = 1_000
#: share of the usual number of cells that the row of the header has at least
HEADER_SHARE = 0.6
NEEDS_CALAMINE = "Workbooks need the package python-calamine: pip install 'jupyter-pycaret-ops[excel]', or save the sheet as CSV."


def is_workbook(start: bytes, filename: str | None = None) -> bool:
    """Return whether a file that begins with `start` is a workbook of Excel, by its bytes or by its name.

    Programs that export tables of text call them `.xls` as well, so that this name alone says nothing.
    """
    if start.startswith(_OLE) or (filename or "").lower().endswith(SUFFIXES):
        return True
    head = start[:2_000]
    return head.startswith(_ZIP) and any(part in head for part in _PARTS)


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """How a sheet is read: which one, where its table begins, and what it holds."""

    sheet: str
    header: bool
    #: rows above the header, blank ones included
    skip_rows: int
    #: places of the columns in the sheet, from 0
    places: list[int]
    names: list[str]
    rows: int
    notices: list[JSON] = field(default_factory=list)
    #: the first rows as plain JSON, each with a value for each column
    examined: list[list[Any]] = field(default_factory=list)

    def dialect(self) -> JSON:
        """Return what is stored about the sheet for its readers."""
        return {
            "sheet": self.sheet,
            "header": self.header,
            "skip_rows": self.skip_rows,
            "places": self.places,
        }


def check_fields(given: Mapping[str, Any]) -> JSON:
    """Return the fields that a person gave for a workbook; texts come from forms.

    Raises
    ------
    Invalid
        For a field that only text files have, or a value that is none.
    """
    found: JSON = {}
    for name, value in given.items():
        if value is None or value == "":
            continue
        if name not in FIELDS:
            raise field_error(name, f"{name} is for text files; this is a workbook.")
        found[name] = value if name == "sheet" else parse_overrides({name: value})[name]
    return found


# ---------------------------------------------------------------- sheets


def examine(stream: BinaryIO, given: Mapping[str, Any] | None = None) -> SheetFacts:
    """Return how a workbook is read; `given` has the fields that a person gave.

    Without `sheet` it is the first one with a table: a header, and at least one row below it.

    Raises
    ------
    Invalid
        When it is no workbook, is protected, unpacks to more than a gigabyte, or has no table.
    """
    fields = check_fields(given or {})
    book = _open(stream)
    from python_calamine import SheetTypeEnum

    sheets = SheetTypeEnum.WorkSheet
    names = [one.name for one in book.sheets_metadata if one.typ == sheets]
    if not names:
        raise Invalid("The workbook has no sheet with cells.")
    if "sheet" in fields:
        name = _sheet_named(str(fields["sheet"]), names)
        facts = _examine_sheet(name, _rows(book, name), fields)
        if facts is None:
            message = f"The sheet “{name}” has no table: a header, and at least one row below it."
            raise field_error("sheet", message)
        return facts
    for name in names:
        facts = _examine_sheet(name, _rows(book, name), fields)
        if facts is not None:
            others = [other for other in names if other != name]
            if others:
                facts.notices.append(_sheet_notice(name, others))
            return facts
    raise Invalid(
        "The workbook has no sheet with a table: a header, and at least one row below it."
    )


def _open(stream: BinaryIO) -> Any:
    try:
        import python_calamine
    except ImportError:
        raise Invalid(NEEDS_CALAMINE) from None
    _check_size(stream)
    try:
        return python_calamine.CalamineWorkbook.from_filelike(stream)
    except python_calamine.PasswordError:
        raise Invalid("The workbook is protected by a password. Save it without one.") from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Invalid(f"The file is not a workbook that can be read: {error}") from None


def _check_size(stream: BinaryIO) -> None:
    """Raise for a workbook that unpacks to too much; the sizes stand in its directory."""
    start = stream.read(len(_OLE))
    stream.seek(0)
    if start == _OLE:  # of Excel 97, which is not compressed
        return
    try:
        with zipfile.ZipFile(stream) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise Invalid(
            "The file has a name of a workbook, but is none, or was cut off. Save it again."
        ) from None
    if size > MAX_UNPACKED_BYTES:
        raise Invalid(
            f"The workbook unpacks to {size / 2**30:,.1f} GiB; the limit is {MAX_UNPACKED_BYTES >> 30} GiB. "
            "Save the table as CSV or Parquet."
        )
    stream.seek(0)


def _rows(book: Any, name: str) -> list[list[Any]]:
    import python_calamine

    try:
        rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, ValueError) as error:
        raise Invalid(f"The sheet “{name}” cannot be read: {error}") from None
    return rows


def _sheet_named(text: str, names: list[str]) -> str:
    if text in names:
        return text
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(names):
        return names[int(text) - 1]
    listed = ", ".join(f"“{name}”" for name in names[:20])
    raise field_error("sheet", f"The workbook has no sheet “{text}”; it has {listed}.")


def _sheet_notice(name: str, others: list[str]) -> JSON:
    listed = ", ".join(f"“{other}”" for other in others[:5])
    return {
        "code": "sheet_chosen",
        "message": f"The sheet “{name}” is read; the workbook also has {listed}. Choose with `sheet`.",
    }


# ---------------------------------------------------------------- tables


def _filled(row: Cells) -> list[int]:
    return [place for place, cell in enumerate(row) if not _is_empty(cell)]


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _examine_sheet(sheet: str, rows: list[list[Any]], fields: JSON) -> SheetFacts | None:
    """Return how a sheet is read, None where it has no table."""
    filled = {number: places for number, row in enumerate(rows) if (places := _filled(row))}
    if not filled:
        return None
    head = _head(filled, fields)
    if head is None:
        return None
    below = [number for number in filled if number > head]
    has_header = fields.get("header")
    if has_header is None:
        sample = [rows[number] for number in below[:EXAMINED_ROWS]]
        has_header = not _is_data(rows[head], filled[head], sample)
    body = below if has_header else [head, *below]
    if not body:
        return None
    places = sorted({place for number in (head, *body) for place in filled[number]})
    check_column_count(len(places))
    names = column_names(
        (_name(rows[head][place]) if has_header else "") or f"column_{position}"
        for position, place in enumerate(places, 1)
    )
    notices = _notices(rows, filled, head, places, has_header=has_header)
    examined = [
        [plain_cell(rows[number][place]) for place in places] for number in body[:EXAMINED_ROWS]
    ]
    return SheetFacts(sheet, has_header, head, places, names, len(body), notices, examined)


def _head(filled: Mapping[int, list[int]], fields: JSON) -> int | None:
    """Return the number of the row in which the table begins, rows that are lines of a title aside."""
    if "skip_rows" in fields:
        return next((number for number in filled if number >= fields["skip_rows"]), None)
    counts = Counter(len(places) for places in list(filled.values())[:EXAMINED_ROWS])
    usual = max(counts, key=lambda width: (counts[width], width))
    least = max(1.0, HEADER_SHARE * usual)
    return next((number for number, places in filled.items() if len(places) >= least), None)


def _is_data(head: Cells, places: list[int], sample: list[list[Any]]) -> bool:
    """Return whether the first row is one of the rows: it has a number or date above others of its kind."""
    for place in places:
        kind = _kind(head[place])
        if kind == "text":
            continue
        kinds = [_kind(row[place]) for row in sample if not _is_empty(row[place])]
        if kinds and kinds.count(kind) * 2 > len(kinds) and not _is_year(head[place]):
            return True
    return False


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "boolean"
    if isinstance(cell, (int, float)):
        return "number"
    return "text" if isinstance(cell, str) else "time"


def _is_year(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and cell == int(cell) and 1800 <= cell <= 2200


def _name(cell: Any) -> str:
    if _is_empty(cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _notices(
    rows: list[list[Any]],
    filled: Mapping[int, list[int]],
    head: int,
    places: list[int],
    *,
    has_header: bool,
) -> list[JSON]:
    notices: list[JSON] = []
    titles = [
        " ".join(_name(rows[number][place]) for place in filled[number])
        for number in filled
        if number < head
    ]
    if titles:
        notices.append(
            {
                "code": "lines_skipped",
                "message": f"The rows above the header, 1 to {head}, are skipped (“{titles[0][:40]}”).",
                "count": head,
                "examples": [title[:40] for title in titles[:5]],
            }
        )
    if not has_header:
        notices.append(
            {
                "code": "no_header",
                "message": "The first row has no names: columns are called column_1, column_2 and so on.",
            }
        )
        return notices
    unnamed = [place for place in places if _is_empty(rows[head][place])]
    if unnamed:
        notices.append(
            {
                "code": "unnamed_columns",
                "message": f"{len(unnamed)} columns have no name and are called by their position.",
                "count": len(unnamed),
            }
        )
    return notices


def plain_cell(cell: Any) -> Any:
    """Return a cell as plain JSON: whole numbers as integers, times as ISO texts, empty ones as None."""
    if _is_empty(cell):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    return cell if isinstance(cell, (bool, int, float, str)) else str(cell)


def texts_of(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    """Return rows of plain cells as texts, as a text file would have them."""
    return [
        [
            "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)
            for cell in row
        ]
        for row in rows
    ]


# ---------------------------------------------------------------- readers


def pandas_options(dialect: Mapping[str, Any], names: Sequence[str]) -> JSON:
    """Return the arguments of `pandas.read_excel` that read the sheet as it was examined.

    Cells stay as Excel has them; `infer_objects` gives columns of numbers and times their dtypes afterwards. Rows without
    any cell are to be dropped.
    """
    return {
        "sheet_name": dialect["sheet"],
        "engine": "calamine",
        "header": None,
        "skiprows": int(dialect["skip_rows"]) + bool(dialect["header"]),
        "usecols": list(dialect["places"]),
        "names": list(names),
        "dtype": object,
        "keep_default_na": False,
        "na_values": [""],
    }


def main(path: str, given: str, memory: str) -> str:
    """Return the facts about a workbook, or the error, as JSON; `given` : fields as JSON; `memory` : limit in bytes."""
    _limit_memory(int(memory))
    try:
        with Path(path).open("rb") as stream:
            return json.dumps(asdict(examine(stream, json.loads(given))))
    except Invalid as error:
        return json.dumps({"error": error.message, "errors": error.errors})
    except MemoryError:
        return json.dumps({"error": "The workbook is too large to be read. Save the table as CSV."})


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))
