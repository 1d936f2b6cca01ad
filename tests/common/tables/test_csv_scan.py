"""Scanning a CSV: the same number of rows and names as the csv module and pandas."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.tables import csv_scan
from jupyter_pycaret_ops.common.tables.csv_scan import (
    SAMPLE_BYTES,
    CsvFacts,
    CsvScan,
    column_names,
)
from jupyter_pycaret_ops.common.tables.dialect import count_rows
from jupyter_pycaret_ops.kernel.reading.files import read_delimited


def scan(content: bytes, *cuts: int, **given: str) -> CsvFacts:
    """Scan a file in chunks, split at `cuts`, and return the facts; `given` has fields of the dialect."""
    csv_scan_ = CsvScan()
    positions = [0, *sorted(cuts), len(content)]
    for begin, end in itertools.pairwise(positions):
        csv_scan_.feed(content[begin:end])
    return csv_scan_.facts(given)


def rows_of(content: bytes, facts: CsvFacts) -> int:
    """Return the number of rows as an upload stores it."""
    if not facts.recount:
        return facts.rows
    return count_rows(io.BytesIO(content), facts.detection)


def truth(content: bytes, facts: CsvFacts) -> int:
    """Return the number of rows that pandas reads."""
    return len(read_delimited(content, facts.dialect, facts.detection.names))


def names(facts: CsvFacts) -> list[str]:
    return [column["name"] for column in facts.columns]


# ---------------------------------------------------------------- real tables


def datasets() -> list[str]:
    folder = Path(__file__).resolve().parents[4] / "shared" / "datasets"
    return sorted(file.name for file in folder.glob("*.csv")) or ["none"]


@pytest.mark.parametrize("name", datasets())
def test_real_tables_match_pandas(name: str, shared: Path) -> None:
    content = (shared / "datasets" / name).read_bytes()
    cuts = range(0, len(content), 65_537)
    facts = scan(content, *cuts)
    frame = pd.read_csv(io.BytesIO(content), encoding=facts.encoding, sep=facts.delimiter)
    assert names(facts) == list(frame.columns)
    assert rows_of(content, facts) == len(frame)
    assert facts.sha256 == hashlib.sha256(content).hexdigest()
    assert facts.size_bytes == len(content)
    for column in facts.columns:
        values = frame[column["name"]]
        if column["dtype"] in ("integer", "number"):
            # "?" is missing where all others are numbers
            numbers = pd.to_numeric(values.replace("?", None))
            assert pd.api.types.is_numeric_dtype(numbers), column
        if column["dtype"] == "string" and values.notna().any():
            assert not pd.api.types.is_numeric_dtype(values), column


def test_catalogue_targets_are_columns(shared: Path) -> None:
    for entry in json.loads((shared / "datasets" / "catalogue.json").read_text()):
        facts = scan((shared / "datasets" / entry["file"]).read_bytes())
        assert entry["target"] is None or entry["target"] in names(facts), entry


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_end_are_detected(delimiter: str, end: str) -> None:
    content = end.join(delimiter.join(row) for row in ("abc", "123", "456")).encode()
    for cut in range(len(content) + 1):
        facts = scan(content, cut)
        assert (facts.delimiter, names(facts)) == (delimiter, ["a", "b", "c"])
        assert rows_of(content, facts) == 2, cut


def test_byte_order_mark_is_not_part_of_first_name() -> None:
    content = "﻿naïve,b\n1,2\n".encode()
    for cut in range(len(content) + 1):
        facts = scan(content, cut)
        assert facts.encoding == "utf-8-sig"
        assert names(facts) == ["naïve", "b"]


def test_windows_1252_is_detected() -> None:
    content = "größe,straße\n1,2\n".encode("latin-1")
    for cut in range(len(content) + 1):
        facts = scan(content, cut)
        assert facts.encoding == "cp1252"
        assert names(facts) == ["größe", "straße"]


def test_utf_8_is_detected_when_chunks_split_characters() -> None:
    content = "größe,名前,😀\n1,2,ß\n".encode()
    for cut in range(len(content) + 1):
        facts = scan(content, cut)
        assert facts.encoding == "utf-8"
        assert names(facts) == ["größe", "名前", "😀"]


def test_file_ending_within_a_character_is_not_utf_8() -> None:
    with pytest.raises(Invalid, match="encoding") as refused:
        scan("a,b\n1,ü".encode()[:-1])
    assert refused.value.errors is not None
    assert refused.value.errors[0]["loc"] == ["encoding"]


def test_late_invalid_utf_8_is_detected() -> None:
    content = b"a,b\n" + b"1,2\n" * 100_000 + b"3,\xe9\n"
    assert len(content) > SAMPLE_BYTES
    assert scan(content, 70_000, 300_000).encoding == "cp1252"


def test_quoted_delimiter_does_not_count() -> None:
    facts = scan(b'a;b\n"1,2,3";x\n"4,5,6";y\n')
    assert (facts.delimiter, names(facts)) == (";", ["a", "b"])


def test_single_column_is_a_table() -> None:
    facts = scan(b"a\n1\n2\n")
    assert (names(facts), facts.rows) == (["a"], 2)


def test_blank_lines_are_not_counted() -> None:
    content = b"\n\na,b\n\n1,2\n\n\n3,4\n\n"
    for cut in range(len(content) + 1):
        assert rows_of(content, scan(content, cut)) == 2, cut
    content = b"a,b\r\n\r\n1,2\r\n\r\n"
    for cut in range(len(content) + 1):
        assert rows_of(content, scan(content, cut)) == 1, cut


def test_quoted_newline_is_not_a_record_for_any_chunking() -> None:
    content = b'a,b\r\n1,"two\r\nlines, and ""quotes"""\r\n2,"x"\r\n'
    for first in range(len(content) + 1):
        for second in range(first, len(content) + 1, 3):
            facts = scan(content, first, second)
            assert rows_of(content, facts) == 2, (first, second)


@pytest.mark.parametrize(
    "content",
    [
        b'size,name\n5" disk,a\n3" disk,b\n',
        b'a,b\n1,x"y\n2,z\n',
        b'a,b\n1,x""y\n2,"z"\n',
        b'a,b\n1,"x"y\n2,z\n',
    ],
)
def test_stray_quotes_require_a_recount(content: bytes) -> None:
    for cut in range(len(content) + 1):
        facts = scan(content, cut)
        assert rows_of(content, facts) == truth(content, facts), cut


def test_quote_that_is_never_closed_is_refused_with_its_line() -> None:
    content = b'a,b\n1,x\n2,"open\n3,z\n'
    for cut in range(len(content) + 1):
        with pytest.raises(Invalid, match="Line 3: a quote is opened and never closed"):
            rows_of(content, scan(content, cut))


# ---------------------------------------------------------------- no tables


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"   \n", "empty"),
        (b"a,b\n", "no row"),
        (b"a,b", "no row"),
        (b"\xef\xbb\xbfa,b\n", "no row"),
        (b"a,b\n\n\n", "no row"),
        (b"a,b\n1,\x002\n", "control characters"),
        (b"a,b\n1,\x1b[0m\n", "control characters"),
        (b"PK\x03\x04rest of a spreadsheet", "spreadsheet or an archive"),
        (b"a,b\n1,2,3\n", "3 values, the header has 2"),
        ("a,b\n1,2\n".encode("utf-32"), "UTF-32"),
    ],
)
def test_file_that_is_not_a_table_is_refused_with_reason(content: bytes, why: str) -> None:
    for cuts in ((), (4,), (4, 5, 6)):
        with pytest.raises(Invalid, match=why):
            scan(content, *cuts)


def test_ragged_rows_that_pandas_repairs_are_accepted() -> None:
    """A short row is padded, and empty fields after the last column are ignored."""
    facts = scan(b"a,b,c\n1,2\n3,4,5\n6,7,8,,\n")
    assert (names(facts), facts.rows) == (["a", "b", "c"], 3)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "header",
    [
        ["a", "b"],
        ["a", "a"],
        ["a", "a", "a"],
        ["a", "a.1", "a"],
        ["a", "a", "a.1"],
        ["", "a", ""],
        ["", ""],
        ["a.1", "a", "a"],
        [" a", "a "],
        ["a", "", "a", "Unnamed: 1"],
        ["x.1", "x", "x", "x.1"],
    ],
)
def test_column_names_equal_those_of_pandas(header: list[str]) -> None:
    content = (",".join(header) + "\n" + ",".join("1" for _ in header) + "\n").encode()
    assert column_names(header) == list(pd.read_csv(io.BytesIO(content)).columns)


@settings(max_examples=150, deadline=None)
@given(
    header=st.lists(st.sampled_from(["a", "b", "a.1", "a.2", "", "b.1"]), min_size=2, max_size=7)
)
def test_column_names_equal_those_of_pandas_for_any_header(header: list[str]) -> None:
    content = (",".join(header) + "\n" + ",".join("1" for _ in header) + "\n").encode()
    assert column_names(header) == list(pd.read_csv(io.BytesIO(content)).columns)


# ---------------------------------------------------------------- any table at all

FIELD = st.lists(st.sampled_from([*'ab 1,;|\t"\n\rß', "\r\n", "名"]), max_size=6).map("".join)
CHUNKS = st.lists(st.integers(0, 400), max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, str]:
    """Return the output of `csv.writer` in a supported dialect."""
    width = draw(st.integers(1, 4))
    header = [f"c{n}" for n in range(width)]
    rows = draw(st.lists(st.lists(FIELD, min_size=width, max_size=width), min_size=1, max_size=6))
    # of one column nobody can tell; a comma is what is taken
    delimiter = "," if width == 1 else draw(st.sampled_from([",", ";", "\t", "|"]))
    stream = io.StringIO()
    writer = csv.writer(
        stream,
        delimiter=delimiter,
        # unquoted, a field with another delimiter would be more columns
        quoting=csv.QUOTE_ALL
        if width == 1
        else draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue().encode(), delimiter


@settings(max_examples=200, deadline=None)
@given(table=tables(), cuts=CHUNKS)
def test_record_count_equals_csv_module_for_its_own_output(
    table: tuple[bytes, str], cuts: list[int]
) -> None:
    content, delimiter = table
    # csv.writer leaves a field of one carriage return bare, which reads as a blank line
    assume(sum(1 for row in csv.reader(io.StringIO(content.decode(), newline="")) if row) > 1)
    # fields of signs alone may look more like a table of another delimiter
    facts = scan(content, *(min(cut, len(content)) for cut in cuts), delimiter=delimiter)
    assert facts.delimiter == delimiter
    assert rows_of(content, facts) == truth(content, facts)


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    for place in range(0, len(content), size):
        yield content[place : place + size]


@settings(max_examples=300, deadline=None)
@given(content=st.text(alphabet=st.sampled_from("a1,;\n\r \t"), max_size=30))
def test_row_count_equals_pandas_for_any_blanks_and_line_ends(content: str) -> None:
    """pandas 3.0 alone reads a blank after a carriage return as thousands of rows."""
    data = f"c,d\n1,2\n{content}".encode()
    try:
        facts = scan(data)
        count = rows_of(data, facts)
    except Invalid:
        return
    assert count == truth(data, facts)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200), size=st.integers(1, 50))
def test_any_bytes_are_scanned_or_refused(content: bytes, size: int) -> None:
    csv_scan_ = CsvScan()
    try:
        for piece in pieces(content, size):
            csv_scan_.feed(piece)
        facts = csv_scan_.facts()
        rows: Any = rows_of(content, facts)
    except Invalid:
        return
    assert rows >= 0
    assert facts.size_bytes == len(content)


@settings(max_examples=300, deadline=None)
@given(
    content=st.text(alphabet=st.sampled_from('a1,;"\n\r '), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
)
def test_chunking_does_not_change_the_result(content: str, cuts: list[int]) -> None:
    data = content.encode()

    def outcome(*places: int) -> tuple[Any, ...]:
        try:
            facts = scan(data, *(min(place, len(data)) for place in places))
        except Invalid as refused:
            return (refused.message,)
        return facts.encoding, facts.delimiter, facts.columns, rows_of(data, facts)

    assert outcome(*cuts) == outcome()


class Counted(str):
    """A name that counts how often it is compared."""

    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str(self) == other


@pytest.mark.parametrize("name", ["a", ""])
def test_equal_names_cost_as_much_as_different_ones(name: str) -> None:
    """80 KB of one name took 37 s."""
    Counted.comparisons = 0
    count = 3_000
    made = column_names([Counted(name)] * count)
    assert len(set(made)) == count
    assert Counted.comparisons < 20 * count


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_too_many_columns_are_refused_before_names_are_compared(
    delimiter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = delimiter.join(["a"] * 40_000) + "\n" + delimiter.join(["1"] * 40_000) + "\n"
    monkeypatch.setattr(csv_scan, "typed_columns", lambda *_: pytest.fail("types were inferred"))
    with pytest.raises(Invalid, match="40,000 columns; at most 10,000"):
        scan(content.encode())


def test_delimiter_with_too_many_columns_is_not_chosen() -> None:
    """Text with many bars, in two columns separated by a comma."""
    content = "text,y\n" + f"{'|' * 20_000},1\n" * 3
    assert scan(content.encode()).delimiter == ","


def test_cell_may_exceed_default_limit_of_csv_module() -> None:
    content = b"text,y\n" + b"x" * 300_000 + b",1\n" + b"short,2\n"
    facts = scan(content)
    assert count_rows(io.BytesIO(content), facts.detection) == 2
