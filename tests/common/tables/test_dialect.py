"""The section "Files" of the page "How your table is read": each rule on generated files, and on the files of `cases`."""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.tables.csv_scan import SAMPLE_BYTES, CsvFacts, CsvScan
from jupyter_pycaret_ops.common.tables.dialect import Dialect, count_rows, parse_overrides
from jupyter_pycaret_ops.common.tables.local_file import columns_of_file
from jupyter_pycaret_ops.common.tables.preview import preview_csv
from jupyter_pycaret_ops.kernel.reading.files import read_delimited

CHUNK_BYTES = 1 << 20
SHARED = Path(__file__).resolve().parents[4] / "shared"


def facts_of(content: bytes, chunk_bytes: int = CHUNK_BYTES, **fields: Any) -> CsvFacts:
    """Return the facts about a file, after reading all of it as an upload does."""
    scan = CsvScan()
    for start in range(0, len(content), chunk_bytes):
        scan.feed(content[start : start + chunk_bytes])
    facts = scan.facts(fields)
    n_rows = count_rows(io.BytesIO(content), facts.detection)
    assert facts.recount or facts.rows == n_rows
    return replace(facts, rows=n_rows)


def frame_of(content: bytes, **fields: Any) -> Any:
    """Return the DataFrame of a run, after a check that the preview has the same names and texts."""
    facts = facts_of(content, **fields)
    names = facts.detection.names
    frame = read_delimited(content, facts.dialect, names)
    texts = [{"name": name, "dtype": "string"} for name in names]
    config = {**facts.config(), "columns": texts, "rows": len(frame)}
    preview = preview_csv(io.BytesIO(content), config, 5)
    assert [column["name"] for column in preview["columns"]] == list(frame.columns)
    assert len(preview["rows"]) == min(5, len(frame))
    for shown, (_, read) in zip(preview["rows"], frame.head().iterrows(), strict=True):
        for name in names:
            if isinstance(shown[name], str) and isinstance(read[name], str):
                # the preview may leave out blanks around cells
                assert shown[name].strip() == read[name].strip()
    return frame


def codes(facts: CsvFacts) -> list[str]:
    return [notice["code"] for notice in facts.detection.notices]


def refusal(content: bytes, **fields: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        facts_of(content, **fields)
    return refused.value


def field_of(error: Invalid) -> Any:
    assert error.errors is not None, error.message
    return error.errors[0]["loc"][0]


def table(rows: list[str], n_rows: int = 40) -> str:
    """Return a table of a header and rows, which are repeated with different numbers."""
    header, *others = rows
    lines = itertools.islice(itertools.cycle(others), n_rows)
    return "\n".join([header, *(f"{line};{n}" for n, line in enumerate(lines))]) + "\n"


# ---------------------------------------------------------------- files of `cases`


def cases() -> list[dict[str, Any]]:
    expected = SHARED / "cases" / "expected.json"
    return json.loads(expected.read_text()) if expected.is_file() else [{"file": "none"}]


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["file"]))
def test_cases_have_the_expected_dialect_rows_and_columns(
    case: dict[str, Any], shared: Path
) -> None:
    content = (shared / "cases" / case["file"]).read_bytes()
    facts = facts_of(content)
    for key, value in case.get("dialect", {}).items():
        assert facts.dialect.to_json()[key] == value
    frame = frame_of(content)
    if "rows" in case:
        assert len(frame) == case["rows"]
    assert set(case.get("columns", {})) <= set(frame.columns)
    for name, column in case.get("columns", {}).items():
        if column["type"] == "category":
            assert column.get("missing", 0) == frame[name].isna().sum()


# ---------------------------------------------------------------- encoding

LANGUAGES: dict[str, tuple[str, list[str]]] = {
    "German": ("cp1252", ["Straße;Ort;n", "Königsallee;Düsseldorf", "Müllerweg;Köln", "Ähre;Nürnberg"]),
    "French": ("cp1252", ["prénom;ville;n", "Hélène;Besançon", "Jérôme;Nîmes", "Chloé;Orléans", "Zoë;Châlons"]),
    "Spanish": ("cp1252", ["nombre;país;n", "José;España", "María;Perú", "Begoña;Málaga", "Íñigo;Logroño"]),
    "Portuguese": ("cp1252", ["nome;cidade;n", "João;São Paulo", "Conceição;Brasília", "Inês;Maringá"]),
    "Italian": ("cp1252", ["nome;città;n", "Niccolò;Forlì", "Mosè;Cefalù", "perché;così"]),
    "Swedish": ("cp1252", ["namn;stad;n", "Björn;Malmö", "Åsa;Västerås", "Göran;Gävle"]),
    "Danish": ("cp1252", ["navn;by;n", "Søren;Århus", "Bjørn;Tromsø", "Jørgen;Nørre Næstved"]),
    "Icelandic": ("cp1252", ["nafn;borg;n", "Guðrún;Ísafjörður", "Þór;Höfn", "Sigurður;Stöðvarfjörður"]),
    "Polish": ("cp1250", ["imię;miasto;n", "Łukasz;Łódź", "Świętosława;Częstochowa", "Grażyna;Gdańsk"]),
    "Czech": ("cp1250", ["jméno;město;n", "Jiří;Plzeň", "Řehoř;Třebíč", "Žofie;Děčín", "Ondřej;Kroměříž"]),
    "Slovak": ("cp1250", ["meno;mesto;n", "Ľubomír;Košice", "Ján Hronský;Nové Zámky", "Štefan;Trenčín"]),
    "Hungarian": ("cp1250", ["név;város;n", "Győző;Győr", "Erzsébet;Hódmezővásárhely", "László;Őriszentpéter"]),
    "Romanian": ("cp1250", ["nume;oraş;n", "Ştefan;Iaşi", "Ioană;Bucureşti", "Răzvan;Constanţa"]),
    "Croatian": ("cp1250", ["ime;grad;n", "Željko;Šibenik", "Đuro;Poreč", "Ivančić;Čakovec"]),
    "Russian": ("cp1251", ["имя;город;n", "Иван;Москва", "Ольга;Санкт-Петербург", "Юрий;Ярославль"]),
    "Ukrainian": ("cp1251", ["ім'я;місто;n", "Олексій;Київ", "Ірина;Львів", "Юлія;Харків"]),
    "Bulgarian": ("cp1251", ["име;град;n", "Георги;София", "Въло;Пловдив", "Цветелина;Търново"]),
    "French with euro": ("iso8859-15", ["produit;prix;n", "œuf;12 €", "cœur;3 €", "été;5 €"]),
    "Chinese, simplified": ("gb18030", ["姓名;城市;n", "王伟;北京", "李娜;上海", "张敏;广州", "刘洋;深圳"]),
    "Chinese, traditional": ("big5", ["姓名;城市;n", "陳大文;臺北", "林小明;高雄", "黃美麗;臺中"]),
    "Japanese": ("shift_jis", ["名前;都市;n", "田中さくら;東京", "鈴木一郎;大阪", "佐藤ハナ;名古屋"]),
    "Japanese, half width": ("shift_jis", ["商品;n", "ﾘﾝｺﾞ", "ﾐｶﾝ", "ﾊﾞﾅﾅ"]),
    "Korean": ("euc_kr", ["이름;도시;n", "김철수;서울", "이영희;부산", "박지성;인천"]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_encoding_is_the_one_whose_letters_form_words(language: str) -> None:
    encoding, rows = LANGUAGES[language]
    text = table(rows)
    facts = facts_of(text.encode(encoding))
    assert facts.encoding == encoding
    assert "encoding" in codes(facts)
    frame = frame_of(text.encode(encoding))
    assert list(frame.columns) == rows[0].split(";")
    assert frame.iloc[0, 0] == rows[1].split(";")[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_detected_in_every_language(language: str, encoding: str) -> None:
    text = table(LANGUAGES[language][1])
    facts = facts_of(text.encode(encoding), chunk_bytes=1001)
    assert facts.encoding == encoding
    assert facts.detection.notices == []
    assert facts.detection.names == text.partition("\n")[0].split(";")
    assert len(frame_of(text.encode(encoding))) == 40


@pytest.mark.parametrize(
    ("encoding", "cells"),
    [
        ("cp1252", ["don’t", "it’s"]),
        ("cp1252", ["0–10", "10–20"]),
        ("cp1252", ["€12", "€13"]),
        ("cp1252", ["£12", "£13"]),
        ("cp1252", ["Foo™ Bar®", "Baz…"]),
        ("cp1252", ["grün", "blau"]),
        ("cp1252", ["Café", "Crème brûlée"]),
        ("cp1250", ["Łódź", "Poznań"]),
        ("cp1251", ["Омск"]),
        ("cp1251", ["Да", "Нет"]),
        ("gb18030", ["性别", "女"]),
        ("shift_jis", ["りんご", "みかん"]),
    ],
)
def test_few_levels_are_enough_where_one_reading_is_clearly_better(
    encoding: str, cells: list[str]
) -> None:
    content = table(["what;n", *cells]).encode(encoding)
    assert facts_of(content).encoding == encoding
    assert set(frame_of(content)["what"]) == set(cells)


def test_quotes_dashes_and_euro_of_windows_are_never_latin_1() -> None:
    text = "product;band;n\n" + "".join(f"“Nr {n}”;0–10 €;{n}\n" for n in range(30))
    facts = facts_of(text.encode("cp1252"))
    assert facts.encoding == "cp1252"
    assert frame_of(text.encode("cp1252"))["band"].unique().tolist() == ["0–10 €"]
    error = refusal(text.encode("cp1252"), encoding="latin-1")
    assert field_of(error) == "encoding"
    assert "Line 2, column 1: the byte 0x93" in error.message


def test_windows_1252_comes_first_where_candidates_read_alike() -> None:
    content = table(["name;n", "Müller", "abc"]).encode("cp1252")
    assert content.decode("cp1252") == content.decode("cp1250") == content.decode("iso8859-15")
    assert facts_of(content).encoding == "cp1252"


def test_signs_stand_where_signs_stand() -> None:
    for text in ("naïve", "20 °C", "30 m²", "1½", "£12", "3 €", "§ 5", "±2", "© A", "1\u00a0200"):
        content = table(["what;n", text]).encode("cp1252")
        assert facts_of(content).encoding == "cp1252", text
        assert frame_of(content)["what"].iloc[0] == text


def test_two_readings_of_which_neither_is_better_are_refused_and_named() -> None:
    error = refusal(b"a;b\n\xf5;1\nx;2\n")
    assert field_of(error) == "encoding"
    assert "cp1252" in error.message
    assert "cp1250" in error.message
    assert "“õ”" in error.message
    assert "“ő”" in error.message
    content = b"a;b\n\xf5;1\nx;2\n"
    assert frame_of(content, encoding="cp1250")["a"].tolist() == ["ő", "x"]


def test_byte_that_does_not_decode_is_refused_with_its_line() -> None:
    lines = [f"Größe {n};{n}\n".encode() for n in range(60_000)]
    lines[50_000] = "Größe".encode() + b" \x96;1\n"
    content = b"a;b\n" + b"".join(lines)
    assert len(content) > 2 * SAMPLE_BYTES
    error = refusal(content)
    assert "Line 50002, column 7: 0x96 is not a character of utf-8" in error.message
    assert field_of(error) == "encoding"
    error = refusal(b"a;b\n\xe9t\xe9;1\nx\x81;2\n", encoding="cp1252")
    assert "Line 3, column 2: 0x81 is not a character of cp1252" in error.message


def test_encoding_is_decided_by_all_lines_of_the_file() -> None:
    content = b"a;b\n" + b"x;1\n" * 200_000 + "Łódź;2\nŚwięta;3\nżółć;4\n".encode("cp1250")
    facts = facts_of(content)
    assert facts.encoding == "cp1250"


def test_utf_16_that_breaks_off_is_refused() -> None:
    content = ("a;b\n" + "x;1\n" * 3_000).encode("utf-16") + b"\x00"
    assert field_of(refusal(content)) == "encoding"


# ---------------------------------------------------------------- delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_that_splits_evenly(delimiter: str) -> None:
    rows = [["a b", "when", "text"]]
    rows += [[str(n), f"2024-01-{n % 28 + 1:02d} 10:00:00", "one, two; three"] for n in range(50)]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(rows)
    facts = facts_of(stream.getvalue().encode())
    assert facts.delimiter == delimiter
    assert facts.detection.names == ["a b", "when", "text"]


def test_decimal_commas_do_not_make_the_comma_a_delimiter() -> None:
    content = ("preis;menge\n" + "".join(f"{n},{n % 90 + 10};{n},5\n" for n in range(50))).encode()
    facts = facts_of(content)
    assert (facts.delimiter, facts.dialect.decimal) == (";", ",")


def test_separators_of_numbers_are_detected() -> None:
    german = "a;b\n" + "".join(f"{n}.000,50;x\n" for n in range(1, 50))
    dialect = facts_of(german.encode()).dialect
    assert (dialect.decimal, dialect.thousands) == (",", ".")
    american = "a,b\n" + "".join(f'"{n},000.50",x\n' for n in range(1, 50))
    dialect = facts_of(american.encode()).dialect
    assert (dialect.decimal, dialect.thousands) == (".", ",")
    assert facts_of(b"a,b\n1,2\n3,4\n").dialect.decimal is None


def test_sep_line_of_excel_is_honoured_and_not_a_row() -> None:
    for line in ("sep=;", '"sep=;"', "SEP=;", "sep=;\r"):
        content = f"{line}\nx;y\n1;a,b\n2;c,d\n3;e,f\n".encode()
        facts = facts_of(content)
        assert (facts.delimiter, facts.dialect.skip_rows) == (";", 0)
        assert facts.rows == 3
        assert frame_of(content)["y"].tolist() == ["a,b", "c,d", "e,f"]
    assert facts_of("\ufeffsep=\t\na\tb\n1\t2\n".encode()).delimiter == "\t"
    assert facts_of(b"sep=,\na|b\n1|2\n", delimiter="|").delimiter == "|"


def test_sep_line_is_not_counted_in_skip_rows() -> None:
    content = b"sep=;\nReport\n\na;b\n1;2\n3;4\n"
    facts = facts_of(content)
    assert (facts.dialect.skip_rows, facts.rows) == (2, 2)
    assert frame_of(content)["b"].tolist() == [2, 4]
    assert frame_of(content, skip_rows=2)["b"].tolist() == [2, 4]


# ---------------------------------------------------------------- lines above the header

ROWS = "region,units,ok,day\n" + "".join(f"N,{n},y,2024-01-{n % 28 + 1:02d}\n" for n in range(30))


@pytest.mark.parametrize(
    ("title", "count"),
    [
        ("Sales report 2024\n", 1),
        ("Sales report 2024\n\n", 2),
        ("\n\n", 2),
        ("Sales report 2024,,,\n,,,\n", 2),
        ("Company\nDepartment\n\nDraft\n\n", 5),
        ("Created,2024-01-05\nBy,Ada\n", 2),
        ("Sales, by region, and, week, 2024\n\n", 2),
        ("Sales,by region,2024\n", 1),
        ('The 5" report\n\n', 2),
        ("Größe\n", 1),
    ],
)
def test_lines_above_the_header_are_skipped_and_reported(title: str, count: int) -> None:
    for end in ("\n", "\r\n"):
        content = (title + ROWS).replace("\n", end).encode()
        facts = facts_of(content)
        assert facts.dialect.skip_rows == count
        assert facts.rows == 30
        notice = next(item for item in facts.detection.notices if item["code"] == "lines_skipped")
        assert notice["count"] == count
        frame = frame_of(content)
        assert list(frame.columns) == ["region", "units", "ok", "day"]
        assert frame["units"].tolist() == list(range(30))


def test_title_above_a_table_with_another_delimiter_than_its_signs() -> None:
    content = ("Export, created, today\nby us\n\n" + ROWS.replace(",", ";")).encode()
    facts = facts_of(content)
    assert (facts.delimiter, facts.dialect.skip_rows) == (";", 3)


def test_lines_above_what_is_not_a_regular_table_are_refused_and_named() -> None:
    rows = b"1,2,3\n4\n5,6,7,8\n7,8,9\n1\n2,3,4\n5,x\n6,7,8\n2\n1,2,4\n"
    error = refusal(b"Report\nDraft\na,b,c\n" + rows)
    assert field_of(error) == "skip_rows"
    assert "Lines 1 to 2 have 1 field (“Report”), most lines below have 3" in error.message
    error = refusal(b"price\n1,5\n2,7\n3,9\n")
    assert "Line 1 has 1 field" in error.message
    assert frame_of(b"price\n1,5\n2,7\n3,9\n", delimiter=";")["price"].tolist() == [
        "1,5",
        "2,7",
        "3,9",
    ]


def test_first_row_with_missing_cells_is_not_a_title() -> None:
    content = b"x,y,z\n1,,\n2,,\n3,4,5\n6,7,8\n9,1,2\n"
    facts = facts_of(content)
    assert (facts.dialect.skip_rows, facts.rows) == (0, 5)


def test_skip_rows_overrides_the_position_of_the_header() -> None:
    content = b"a,b\nunit,kg\nx,y\n1,2\n3,4\n"
    facts = facts_of(content, skip_rows="2")
    assert (facts.detection.names, facts.rows, facts.dialect.skip_rows) == (["x", "y"], 2, 2)
    assert frame_of(content, skip_rows="2")["y"].tolist() == [2, 4]
    assert field_of(refusal(content, skip_rows="5")) == "skip_rows"


# ---------------------------------------------------------------- header


@pytest.mark.parametrize(
    "row",
    ["{n},{m},{k}", "{n}.5,x,{m}", "2024-01-{d:02d},{n},x", '"${n},000.00",y,z', "{n},,{m}"],
)
def test_numbers_above_columns_of_numbers_are_a_row(row: str) -> None:
    lines = [row.format(n=n + 1, m=n * 7 + 3, k=n % 5, d=n % 28 + 1) for n in range(40)]
    content = ("\n".join(lines) + "\n").encode()
    facts = facts_of(content)
    assert facts.detection.names == ["column_1", "column_2", "column_3"]
    assert (facts.dialect.header, facts.rows) == (False, 40)
    assert "no_header" in codes(facts)
    assert len(frame_of(content)) == 40


@pytest.mark.parametrize(
    "header",
    ["id,name,score", "country,2019,2020", "NA,b,c", "2024,sales,units", "name,note,text"],
)
def test_names_above_columns_are_a_header(header: str) -> None:
    content = (f"{header}\n" + "".join(f"w{n},{n},{n}.5\n" for n in range(20))).encode()
    if header == "name,note,text":
        content = f"{header}\n{'a,b,c' * 1}\nd,e,f\n".encode()
    facts = facts_of(content)
    assert facts.dialect.header
    assert "no_header" not in codes(facts)


def test_header_overrides_what_is_detected() -> None:
    words = b"a,b\nc,d\ne,f\n"
    facts = facts_of(words, header="false")
    assert (facts.detection.names, facts.rows) == (["column_1", "column_2"], 3)
    assert frame_of(words, header=False)["column_1"].tolist() == ["a", "c", "e"]
    numbers = b"1,2\n3,4\n5,6\n"
    facts = facts_of(numbers, header="true")
    assert (facts.detection.names, facts.rows) == (["1", "2"], 2)


def test_repeated_names_are_numbered_as_in_pandas_and_reported() -> None:
    content = b"length,length,width,length\n1,2,3,4\n5,6,7,8\n"
    facts = facts_of(content)
    assert facts.detection.names == ["length", "length.1", "width", "length.2"]
    notice = facts.detection.notices[0]
    assert (notice["code"], notice["columns"]) == ("repeated_names", ["length.1", "length.2"])
    assert frame_of(content)["length.2"].tolist() == [4, 8]


def test_columns_without_a_name_are_called_by_their_position() -> None:
    content = b",a, ,b\n1,2,3,4\n5,6,7,8\n"
    facts = facts_of(content)
    assert facts.detection.names == ["column_1", "a", "column_3", "b"]
    assert facts.detection.notices[0]["columns"] == ["column_1", "column_3"]
    assert frame_of(content)["column_3"].tolist() == [3, 7]


# ---------------------------------------------------------------- trailing delimiters


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c\n1,2,3,\n4,5,6,\n",
        "a,b,c\n1,2,3,,,\n4,5,6,\n",
        "a,b,c,\n1,2,3,\n4,5,6,\n",
        "a,b,c,,\n1,2,3\n4,5,6\n",
        "a,b,c\n1,2,3\n4,5,6, ,\n",
        'a,b,c\n1,2,3,""\n4,5,6,""\n',
    ],
)
def test_surplus_of_empty_fields_is_cut(text: str) -> None:
    frame = frame_of(text.encode())
    assert frame.to_numpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    assert list(frame.columns) == ["a", "b", "c"]


def test_surplus_that_is_not_empty_is_refused_with_line_and_text() -> None:
    error = refusal(b"a,b\n1,2\n3,4\n5,6,oops\n")
    assert "Line 4 has 3 values, the header has 2: “oops” has no column" in error.message
    assert field_of(error) == "delimiter"


def test_surplus_is_found_anywhere_in_a_large_file() -> None:
    lines = [f'{n},"two\nlines"\n' for n in range(60_000)]
    content = ("a,b\n" + "".join(lines) + "1,2,3\n").encode()
    assert len(content) > 3 * SAMPLE_BYTES
    assert "Line 120002 has 3 values" in refusal(content).message
    late = ("a,b\n" + "1,2\n" * 200_000 + "1,2,3\n").encode()
    assert "Line 200002 has 3 values" in refusal(late).message
    empty = ("a,b\n" + "1,2\n" * 200_000 + "3,4,,\n").encode()
    assert frame_of(empty)["b"].iloc[-1] == 4


def test_short_rows_are_padded() -> None:
    frame = frame_of(b"a,b,c\n1,2\n3\n4,5,6\n")
    assert frame.isna().sum().tolist() == [0, 1, 2]


# ---------------------------------------------------------------- cells


def test_words_are_read_as_they_are_written() -> None:
    """Only the empty cell is missing before the types of the columns are decided."""
    content = b"a,b\nNone,1\nNA,2\nnull,3\n,4\n007,5\n"
    frame = frame_of(content)
    assert frame["a"].fillna("(missing)").tolist() == ["None", "NA", "null", "(missing)", "007"]


def test_floats_are_read_exactly() -> None:
    values = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 123456789.12345678]
    content = "a,b\n" + "".join(f"{value!r},1\n" for value in values)
    assert frame_of(content.encode())["a"].tolist() == values


@pytest.mark.parametrize(
    "code",
    [
        "007",
        "01",
        "00",
        "-01",
        " 042",
        "89410000000000000001",
        "9007199254740993",
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_codes_keep_every_digit(code: str, missing: bool) -> None:
    values = [code, "12", "" if missing else "7"]
    content = "b,a\n" + "".join(f"1,{value}\n" for value in values)
    frame = frame_of(content.encode())
    assert frame["a"].fillna("").tolist() == values
    assert frame["b"].tolist() == [1, 1, 1]


def test_plain_numbers_are_numbers() -> None:
    frame = frame_of(b"a,b,c\n0,0.5,1e5\n12,,-3\n123456789012345,0.00,+7\n")
    assert [dtype.kind for dtype in frame.dtypes] == ["i", "f", "f"]


def test_long_cells_are_read() -> None:
    long = "x" * 300_000
    frame = frame_of(f"a,b\n{long},1\nshort,2\n".encode())
    assert frame["a"].iloc[0] == long


@pytest.mark.parametrize("byte", [0, 1, 8, 11, 12, 26, 27, 31, 127])
def test_control_characters_are_refused_with_line_and_column(byte: int) -> None:
    for prefix in (b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a,b\r1,2\r"):
        for chunk_bytes in (1, 7, CHUNK_BYTES):
            with pytest.raises(Invalid, match="control characters") as refused:
                facts_of(prefix + b"xyz" + bytes([byte]) + b",3\n4,5\n", chunk_bytes)
            assert "Line 3, column 4 has" in refused.value.message
    late = b"a,b\n" + b"1,2\n" * 300_000 + bytes([byte]) + b",2\n"
    assert "Line 300002, column 1 has" in refusal(late).message


def test_quote_overrides_the_quotation_mark() -> None:
    content = b"a,b\n'1,5',2\n'3,7',4\n"
    assert frame_of(content, quote="'")["a"].tolist() == ["1,5", "3,7"]
    inches = b'a,b\n"5 disk,2\n"3 disk,4\n"8 disk,6\n'
    assert "never closed" in refusal(inches).message
    assert field_of(refusal(inches)) == "quote"
    assert frame_of(inches, quote="none")["a"].tolist() == ['"5 disk', '"3 disk', '"8 disk']


def test_apostrophes_around_cells_are_quotes() -> None:
    rows = "".join(f"'item, {n}','it''s',{n}\n" for n in range(30))
    facts = facts_of(f"'name','note','n'\n{rows}".encode())
    assert (facts.dialect.quote, facts.detection.names) == ("'", ["name", "note", "n"])
    assert "quote" in codes(facts)
    frame = frame_of(f"name,note,n\n{rows}".encode())
    assert frame["name"].iloc[7] == "item, 7"
    assert frame["note"].iloc[0] == "it's"


def test_apostrophes_within_cells_are_text() -> None:
    rows = "".join(f"O'Hara {n},'quoted' word,{n}\n" for n in range(30))
    facts = facts_of(f"name,note,n\n{rows}".encode())
    assert facts.dialect.quote == '"'
    assert frame_of(f"name,note,n\n{rows}".encode())["note"].iloc[0] == "'quoted' word"


def test_header_that_is_too_short_is_not_a_title() -> None:
    error = refusal(b"region,units\nN,n/a,x\nS,5,y\nN,6,z\nS,7,x\n")
    assert "Line 2 has 3 values, the header has 2" in error.message


@pytest.mark.parametrize("indent", ["", " ", "\t"])
def test_carriage_returns_alone_end_lines(indent: str) -> None:
    """pandas alone fails, or repeats rows, where a blank follows a carriage return."""
    rows = "".join(f"{indent}x{n},{n}\r" for n in range(50))
    content = f"a,b\r{rows}".encode()
    frame = frame_of(content)
    assert frame["b"].tolist() == list(range(50))
    assert frame["a"].tolist() == [f"{indent}x{n}" for n in range(50)]


# ---------------------------------------------------------------- overrides


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("encoding", "klingon"),
        ("encoding", "idna"),
        ("encoding", "base64"),
        ("encoding", "unicode_escape"),
        ("delimiter", "ab"),
        ("delimiter", "\n"),
        ("delimiter", "x"),
        ("quote", "''"),
        ("quote", "q"),
        ("decimal", ";"),
        ("thousands", "x"),
        ("header", "1"),
        ("skip_rows", "-1"),
        ("skip_rows", "1.5"),
        ("skip_rows", "99999999999"),
        ("sheet", "1"),
        ("colour", "red"),
    ],
)
def test_invalid_override_is_refused_and_named(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_overrides({field: value})
    assert field_of(refused.value) == field


def test_overrides_that_exclude_each_other_are_refused() -> None:
    for given_, field in (
        ({"delimiter": "'", "quote": "'"}, "quote"),
        ({"decimal": ",", "thousands": ","}, "thousands"),
    ):
        with pytest.raises(Invalid) as refused:
            parse_overrides(given_)
        assert field_of(refused.value) == field


def test_overrides_are_stored_as_they_were_given() -> None:
    given_: dict[str, Any] = {
        "encoding": "CP1250",
        "delimiter": "tab",
        "quote": "'",
        "decimal": ",",
        "thousands": "space",
        "header": "TRUE",
        "skip_rows": "0",
    }
    dialect = facts_of(b"a\tb\n1\t2\n", **given_).dialect
    assert dialect == Dialect("cp1250", "\t", "'", ",", " ", True, 0)
    assert Dialect.from_json(json.loads(json.dumps(dialect.to_json()))) == dialect
    again = facts_of(b"a\tb\n1\t2\n", **dialect.to_json()).dialect
    assert again == dialect


def test_empty_and_null_overrides_mean_detect() -> None:
    facts = facts_of(b"a;b\n1;2\n", delimiter="", encoding=None, header="")
    assert facts.delimiter == ";"


# ---------------------------------------------------------------- local files


def test_local_file_is_read_like_an_upload(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(("Report\n\n" + ROWS).encode())
    columns = columns_of_file(file)
    assert columns is not None
    assert [column["name"] for column in columns] == ["region", "units", "ok", "day"]
    file.write_bytes(("a,b\n" + "1,2\n" * 200_000 + "1,2,3\n").encode())
    with pytest.raises(Invalid, match="Line 200002 has 3 values"):
        columns_of_file(file)


# ---------------------------------------------------------------- any table

CELL = st.text(st.sampled_from([*"abcxyz éß,;|\t'0123456789.-", "\n", '"']), max_size=8)


@st.composite
def written(draw: st.DrawFn) -> tuple[bytes, list[str], list[list[str]], dict[str, Any]]:
    """Return a file of `csv.writer`, its names and cells, and the fields of its dialect."""
    width = draw(st.integers(2, 5))
    names = [f"name {n}" for n in range(width)]
    cells = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8))
    fields: dict[str, Any] = {
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-16", "cp1252", "iso8859-1"])),
        "quote": draw(st.sampled_from(['"', "'"])),
        "header": draw(st.booleans()),
        "skip_rows": draw(st.integers(0, 3)),
    }
    stream = io.StringIO()
    stream.write('the "title\n' * fields["skip_rows"])
    writer = csv.writer(
        stream,
        delimiter=fields["delimiter"],
        quotechar=fields["quote"],
        quoting=csv.QUOTE_ALL,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerows([names, *cells] if fields["header"] else cells)
    return stream.getvalue().encode(fields["encoding"]), names, cells, fields


@settings(max_examples=150, deadline=None)
@given(file=written(), chunk_bytes=st.integers(1, 300))
def test_run_reads_what_was_written(
    file: tuple[bytes, list[str], list[list[str]], dict[str, Any]], chunk_bytes: int
) -> None:
    content, names, cells, fields = file
    if not any(cell.strip() for row in cells for cell in row):
        return
    facts = facts_of(content, chunk_bytes, **fields)
    options = facts.dialect.pandas_options(facts.detection.names)
    with facts.dialect.open_text(io.BytesIO(content)) as text:
        frame = pd.read_csv(text, **options, dtype=str)
    if fields["header"]:
        assert list(frame.columns) == names
    read = frame.fillna("").to_numpy().tolist()
    expected = [row[: len(frame.columns)] for row in cells]
    assert read == expected


def test_document_names_the_fields_that_override() -> None:
    from jupyter_pycaret_ops.common.tables.dialect import FIELDS
    from jupyter_pycaret_ops.server.api.openapi import DIALECT_FIELDS

    assert tuple(DIALECT_FIELDS) == FIELDS
