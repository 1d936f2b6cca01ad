"""How a column of texts is read: its type, spelling, missing and unreadable cells, and what is reported."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.column_reading import (
    TYPES,
    ColumnReading,
    Hints,
    Texts,
    decide,
    decide_text,
    decimal_of,
    is_row_number,
    name_words,
)


def column(cells: Iterable[str | None], name: str = "x") -> Texts:
    """Return a column of cells, of which None is null, as it is given to `decide`."""
    cells = list(cells)
    texts = [None if cell is None else spellings.trimmed(cell) for cell in cells]
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        if text is not None:
            first.setdefault(text, row)
    return Texts(
        name,
        Counter(text for text in texts if text is not None),
        len(cells),
        first,
        texts.count(None),
        sum(bool(t) and t != cell for t, cell in zip(texts, cells, strict=True)),
        Counter(cell for cell in cells if cell is not None),
    )


def read(
    cells: Iterable[str | None], name: str = "x", *, forced: str | None = None, **hints: Any
) -> ColumnReading:
    """Return how cells are read, and check that none disappears."""
    texts = column(cells, name)
    reading = decide(texts, Hints(**hints), forced)
    assert reading.values + reading.missing + reading.unreadable == texts.n_rows, reading
    assert reading.type in TYPES
    return reading


def codes_of(reading: ColumnReading) -> list[str]:
    return [item["code"] for item in reading.reported]


def message(reading: ColumnReading, code: str) -> str:
    (found,) = [item["message"] for item in reading.reported if item["code"] == code]
    return str(found)


# ---------------------------------------------------------------- missing values


def test_empty_cell_is_always_missing() -> None:
    for cells in (["1", "2", "", "  ", None], ["a", "a", "", "\u00a0", None]):
        assert (read(cells).values, read(cells).missing) == (2, 3)


@pytest.mark.parametrize("word", sorted(spellings.INFINITE_WORDS))
def test_infinite_words_are_missing_among_numbers_as_for_a_deployment(word: str) -> None:
    for text in (word, word.upper(), word.title()):
        reading = read(["1", "2", text])
        assert (reading.type, reading.values, reading.missing) == ("number", 2, 1)
        assert reading.missing_words == {text: 1}
        assert spellings.is_missing_word(text, is_text=False)


@pytest.mark.parametrize("word", sorted(spellings.MISSING_WORDS))
@pytest.mark.parametrize("value", ["1.5", "2023-01-02", "1:30:00"])
def test_word_is_missing_in_any_case_among_numbers_dates_and_durations(
    word: str, value: str
) -> None:
    other = value.replace("1", "3")
    reading = read([value, other, word, word.upper(), word.title()])
    assert reading.type in ("number", "date", "duration")
    assert (reading.values, reading.missing) == (2, 3)
    assert sum(reading.missing_words.values()) == 3
    assert f"“{word}”" in message(reading, "missing_words")


def test_only_a_few_words_are_missing_among_texts() -> None:
    reading = read(["a", "a", *spellings.MISSING_TEXTS, "None", "NA", "-", "?"])
    assert (reading.type, reading.values, reading.missing) == ("category", 6, 5)
    assert set(reading.missing_words) == spellings.MISSING_TEXTS
    assert message(reading, "kept_as_level").count("(1)") == 4


def test_class_none_is_a_level() -> None:
    for is_target in (True, False):
        reading = read(["None", "Apnea", "None", "Insomnia"], is_target=is_target)
        assert (reading.type, reading.distinct, reading.missing) == ("category", 3, 0)
        assert "“None” (2)" in message(reading, "kept_as_level")


def test_column_of_words_for_missing_values_only_keeps_those_that_are_levels_in_texts() -> None:
    assert read(["None", "none", "None"]).type == "category"
    assert read(["None", "None", ""]).type == "constant"
    assert read(["None", "nan", "None"], is_target=True).missing == 1
    assert read(["nan", "", "NULL", None]).type == "empty"
    assert read([]).type == "empty"


def test_words_of_a_person_are_in_place_of_the_rules() -> None:
    reading = read(["1", "2", "unknown", "4"], missing_words=frozenset({" unknown"}))
    assert (reading.type, reading.missing) == ("number", 1)
    reading = read(["a", "b", "a", "nan"], missing_words=frozenset({"b"}))
    assert (reading.type, reading.distinct, reading.missing) == ("category", 2, 1)
    assert read(["1", "na"], missing_words=frozenset()).type == "identifier"


# ---------------------------------------------------------------- booleans


@pytest.mark.parametrize(
    ("true", "false"),
    [*(("true", "false"), ("Yes", "No"), ("Y", "N"), ("t", "F"), ("TRUE", "false"))],
)
def test_two_spellings_of_one_pair_are_boolean(true: str, false: str) -> None:
    reading = read([true, false, true, "nan", "", None])
    assert (reading.type, reading.values, reading.missing) == ("boolean", 3, 3)
    assert reading.spelling == {"true": true, "false": false}


@pytest.mark.parametrize(
    "cells", [["yes", "no", "No"], ["yes", "false"], ["yes", "no", "NA"], ["yes", "no", "-"]]
)
def test_other_words_are_categories(cells: list[str]) -> None:
    assert read(cells * 2).type == "category"


def test_one_and_zero_are_numbers() -> None:
    assert read(["1", "0", "1"]).type == "number"


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "codes"),
    [
        (["1", "2"], ".", None, []),
        (["1.5", "2"], ".", None, []),
        (["62,50", "1,5"], ",", None, ["decimal_comma"]),
        (["1,200.50", "3"], ".", ",", ["thousands"]),
        (["1.200,50", "3"], ",", ".", ["decimal_comma", "thousands"]),
        (["1,234,567", "3"], ".", ",", ["thousands"]),
        (["1.234.567", "3"], ",", ".", ["thousands"]),
        (["1 200", "3"], ".", " ", ["thousands"]),
        (["1\u00a0200,5", "3"], ",", " ", ["decimal_comma", "thousands"]),
        (["1'200", "3"], ".", "'", ["thousands"]),
        (["$5", "$6.50"], ".", None, ["currency"]),
        (["5 EUR", "6 EUR"], ".", None, ["currency"]),
        (["15%", "20 %"], ".", None, ["percent"]),
        (["(1,200.5)", "+3"], ".", ",", ["thousands", "parentheses"]),
        (["<0.5", ">100", "3"], ".", None, ["bounds"]),
        (["١٢", "٣٫٥"], "٫", None, []),
    ],
)
def test_number_spellings_are_recognised_and_reported(
    cells: list[str], decimal: str, thousands: str | None, codes: list[str]
) -> None:
    reading = read(cells)
    assert reading.type == "number"
    assert reading.spelling == {"decimal": decimal, "thousands": thousands}
    assert codes_of(reading) == codes


def test_report_of_percent_and_bounds_shows_text_and_value() -> None:
    assert "“15 %” is read as 15." in message(read(["15 %", "20 %"]), "percent")
    assert "1 of 3 cells" in message(read(["<0.5", "1", "2"]), "bounds")
    assert "“$1,234,567” is read as 1234567." in message(read(["$1,234,567", "2"]), "currency")


@pytest.mark.parametrize(("n_readable", "kind"), [(95, "number"), (94, "category")])
def test_column_is_a_number_from_95_percent_on(n_readable: int, kind: str) -> None:
    cells = [f"{i % 50}.5" for i in range(n_readable)]
    cells += ["about 3"] * (100 - n_readable)
    reading = read([*cells, "", "na", None] if kind == "number" else cells)
    assert reading.type == kind
    if kind == "number":
        assert (reading.unreadable, reading.missing) == (5, 3)
        assert reading.examples == [{"row": 96, "text": "about 3"}]
        assert "“about 3” (row 96)" in message(reading, "unreadable")
    else:
        assert "94 of 100 cells" in message(reading, "looks_like_numbers")


@pytest.mark.parametrize("n_rows", [20, 40, 60, 100, 140, 1000, 1980])
def test_95_percent_are_counted_in_whole_numbers(n_rows: int) -> None:
    n_odd = n_rows // 20
    numbers = [str(i % 7) for i in range(n_rows)]
    assert read(["x", "y"][:1] * n_odd + numbers[n_odd:]).type == "number"
    assert read(["x"] * (n_odd + 1) + numbers[n_odd + 1 :]).type == "category"


def test_share_is_of_cells_and_not_of_distinct_texts() -> None:
    assert read(["1"] * 990 + ["2"] * 10 + [f"odd {i}" for i in range(50)]).type == "number"
    assert read(["odd one"] * 10 + [str(i) for i in range(90)]).type == "category"


def test_up_to_five_examples_in_the_order_of_rows() -> None:
    cells = [str(i) for i in range(200)]
    for row in (150, 3, 77, 12, 199, 60):
        cells[row] = f"odd {row}"
    reading = read(cells)
    assert reading.unreadable == 6
    assert [example["row"] for example in reading.examples] == [4, 13, 61, 78, 151]


@pytest.mark.parametrize(
    ("cells", "hint", "decimal"),
    [
        (["1,234", "5,678"], None, "."),
        (["1,234", "5,678"], ".", "."),
        (["1,234", "5,678"], ",", ","),
        (["1.234", "5.678"], ",", ","),
    ],
)
def test_ambiguous_number_is_decided_by_the_file_and_reported(
    cells: list[str], hint: str | None, decimal: str
) -> None:
    reading = read(cells, decimal=hint)
    assert reading.spelling["decimal"] == decimal
    assert f"“{cells[0]}” may be read in two ways" in message(reading, "ambiguous_number")


@pytest.mark.parametrize(
    ("cells", "hint", "decimal"),
    [
        (["1,234", "2.5"], ",", "."),
        (["1,234", "2,5"], ".", ","),
        (["1.234", "2,5"], ".", ","),
        (["1.234", "2.5"], ",", "."),
        (["1,234", "1,234,567"], ",", "."),
        (["1,234", "0,123"], ".", ","),
        (["1,234", "1234,567"], ".", ","),
        (["1.234", "5.678"], None, "."),
        (["1,234", "1 200"], ".", ","),
        (["1.234", "1'200"], ",", "."),
        (["12.345", "0.678"], ",", "."),
    ],
)
def test_other_cells_of_the_column_decide_ambiguous_number(
    cells: list[str], hint: str | None, decimal: str
) -> None:
    reading = read(cells, decimal=hint)
    assert (reading.type, reading.spelling["decimal"]) == ("number", decimal)
    assert reading.unreadable == 0
    assert "ambiguous_number" not in codes_of(reading)


def test_integers_in_a_file_with_decimal_commas_have_no_decimal_comma_to_report() -> None:
    reading = read(["1", "2"], decimal=",")
    assert (reading.spelling["decimal"], codes_of(reading)) == (",", [])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["007", "042", "007"], "category"),
        (["007", "042", "107"], "identifier"),
        (["02110"] + ["90210", "10001"] * 50, "category"),  # few of them with a zero
        (["9007199254740993", "9007199254740994", "9007199254740993"], "category"),
        ([f"8941000000000000{i:04}" for i in range(9)], "identifier"),
        (["9007199254740992", "1", "2"], "number"),
        (["00.5", "01.5", "2"], "number"),
    ],
)
def test_codes_are_never_numbers(cells: list[str], kind: str) -> None:
    assert read(cells).type == kind


def test_code_among_numbers_of_other_widths_is_unreadable() -> None:
    reading = read(["007"] + [str(i) for i in range(99)])
    assert (reading.type, reading.examples) == ("number", [{"row": 1, "text": "007"}])


def test_text_that_looks_like_numbers_in_part_says_how_many() -> None:
    assert "3 of 6 cells" in message(read(["1", "2", "2", "a", "a", "b"]), "looks_like_numbers")
    assert "2 of 4 cells" in message(read(["1,5", "2,75", "a", "a"]), "looks_like_numbers")


def test_codes_are_reported_as_codes() -> None:
    for cells in (["007", "042", "007"], ["01730", "90210", "90210"], ["9" * 20, "8" * 20]):
        reading = read(cells)
        assert codes_of(reading) == ["codes"]
        assert f"“{cells[0]}”" in message(reading, "codes")
    assert codes_of(read(["007", "007", "b", "b"])) == []


def test_several_currencies_are_reported() -> None:
    assert "($, €)" in message(read(["$5", "€6"]), "several_currencies")
    assert codes_of(read(["5 EUR", "6 eur"])) == ["currency"]


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "cells",
    [
        ["2023-01-02", "2023-01-03"],
        ["2023-01-02T08:00:00", "2023-01-03T09:00:00"],
        ["01/31/2023", "02/01/2023"],
        ["31.01.2023", "01.02.2023"],
        ["31.01.23", "01.02.23"],
        ["31-01-2023", "01-02-2023"],
        ["02-JAN-23", "03-FEB-23"],
        ["Jan 02, 2023", "Feb 03, 2023"],
        ["2 January 2023", "3 May 2023"],
        ["1/2/2023 8:00:00 AM", "1/13/2023 9:00:00 PM"],
        ["Mon, 02 Jan 2023 08:00:00 +0000", "Tue, 03 Jan 2023 08:00:00 +0000"],
        ["20230102", "20230103"],
        ["2018-01", "2018-02"],
        ["Jan 2018", "Feb 2018"],
        ["2018Q1", "2018Q2"],
        ["2023-01-02 UTC", "2023-01-03 UTC"],
        ["2023-01-02T08:00:00Z", "2023-01-03T08:00:00Z"],
    ],
)
def test_dates_in_each_spelling(cells: list[str]) -> None:
    reading = read([*cells, "", "n/a"])
    assert (reading.type, reading.values, reading.missing) == ("date", 2, 2)
    assert codes_of(reading) == ["missing_words"]


@pytest.mark.parametrize(
    ("cells", "day_first"),
    [
        (["01/02/2023", "13/02/2023"], True),
        (["01/02/2023", "02/13/2023"], False),
        (["01.02.2023", "02.13.2023"], False),
        (["13/02/2023"] * 2 + ["02/14/2023", "01/02/2023"], True),
    ],
)
def test_column_decides_whether_the_day_is_first(cells: list[str], day_first: bool) -> None:
    for hint in (True, False):
        assert read(cells, day_first=hint).spelling["day_first"] is day_first


@pytest.mark.parametrize("day_first", [True, False])
def test_file_decides_where_day_and_month_may_be_swapped(day_first: bool) -> None:
    reading = read(["01/02/2023", "03/04/2023"], day_first=day_first)
    assert reading.spelling["day_first"] is day_first
    order = "day first" if day_first else "month first"
    assert f"“01/02/2023” is read {order}" in message(reading, "ambiguous_date")


def test_dates_with_points_have_the_day_first() -> None:
    reading = read(["01.02.2023", "03.04.2023"])
    assert reading.spelling["day_first"] is True
    assert "ambiguous_date" in codes_of(reading)
    assert codes_of(read(["01.01.2023", "02.02.2023"])) == []


def test_dates_that_contradict_each_other_are_reported() -> None:
    reading = read(["13/02/2023", "02/13/2023", "01/02/2023"])
    assert codes_of(reading) == ["several_spellings", "ambiguous_date"]


def test_each_separator_of_dates_has_its_own_order() -> None:
    reading = read(["01.02.2023", "31.01.2023", "01/31/2023", "02/01/2023"])
    assert reading.spelling["day_first"] == "."
    assert "day first, . such as “01.02.2023” (2)" in message(reading, "several_spellings")
    assert "month first, / such as “01/31/2023” (2)" in message(reading, "several_spellings")


def test_several_spellings_are_read_each_on_its_own_and_reported() -> None:
    reading = read(["2023-01-02 08:00:00", "Jan 3, 2023", "2023-01-04"])
    assert (reading.type, reading.values) == ("date", 3)
    assert "ISO 8601" in message(reading, "several_spellings")


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("x", ["20230102", "20231231"], "date"),
        ("x", ["20230102", "20231331"], "number"),
        ("x", ["20230102", "2023-01-03"] * 3, "category"),
        ("x", ["18230102", "18230103"], "number"),
        ("order_date", ["20230102", "2023-01-03"], "date"),
        ("orderDate", ["18230102", "18230103"], "date"),
        ("Datum", ["20230102"] * 19 + ["20230103"] * 19 + ["0", "0"], "date"),
        ("day", ["20239999", "20239998"], "number"),
    ],
)
def test_dates_of_eight_digits_where_name_or_all_values_say_so(
    name: str, cells: list[str], kind: str
) -> None:
    assert read(cells, name).type == kind


def test_year_is_a_date_in_the_time_of_a_series_only() -> None:
    assert read(["2018", "2019"]).type == "number"
    assert read(["2018", "2019"], allow_year=True).type == "date"
    assert read(["1", "2"], allow_year=True).type == "number"


@pytest.mark.parametrize(("n_readable", "kind"), [(95, "date"), (94, "category")])
def test_column_is_a_date_from_95_percent_on(n_readable: int, kind: str) -> None:
    cells = [f"2023-01-{1 + i % 28:02}" for i in range(n_readable)] + ["Total"] * (100 - n_readable)
    reading = read(reversed(cells))
    assert reading.type == kind
    if kind == "date":
        assert reading.examples == [{"row": 1, "text": "Total"}]
    else:
        assert "94 of 100 cells" in message(reading, "looks_like_dates")


def test_many_odd_texts_before_many_dates_do_not_hide_them() -> None:
    cells = [f"odd {i}" for i in range(60)] + ["2023-01-02", "2023-01-03"] * 600
    assert (read(cells).type, read(cells).unreadable) == ("date", 60)


def test_format_of_a_person_makes_a_date_of_any_text() -> None:
    reading = read(["02|01|23", "03|01|23", "x"], date_format="%d|%m|%y")
    assert (reading.type, reading.values, reading.unreadable) == ("date", 2, 1)
    assert reading.set_by_person
    assert "ambiguous_date" not in codes_of(read(["01/02/2023"], date_format="%d/%m/%Y"))


# ---------------------------------------------------------------- time zones


def test_one_offset_is_kept_and_reported() -> None:
    reading = read(["2023-01-02T08:00:00-05:00", "2023-01-03T08:00:00-05:00"])
    assert (reading.spelling["offset"], codes_of(reading)) == (-300, ["offset"])
    assert "-05:00" in message(reading, "offset")


def test_several_offsets_are_converted_to_utc_and_reported() -> None:
    reading = read(["2023-01-02T08:00:00-05:00", "2023-07-03T08:00:00-04:00"])
    assert (reading.spelling["offset"], codes_of(reading)) == (0, ["offsets"])


def test_same_time_in_several_offsets_is_one_value() -> None:
    assert read(["2023-01-02T08:00:00-05:00", "2023-01-02T13:00:00Z"]).type == "constant"


def test_times_without_offset_beside_others_are_reported() -> None:
    reading = read(["2023-01-02T08:00:00+02:00", "2023-01-03T08:00:00"])
    assert (reading.spelling["offset"], codes_of(reading)) == (120, ["offset", "without_offset"])


def test_times_without_offset_have_none() -> None:
    assert read(["2023-01-02T08:00:00", "2023-01-03T08:00:00"]).spelling["offset"] is None
    assert read(["2023-01-02T08:00:00Z", "2023-01-03T08:00:00Z"]).spelling["offset"] == 0


# ---------------------------------------------------------------- durations and texts


def test_durations_are_reported_as_seconds() -> None:
    reading = read(["1:30:00", "2 days", "-"])
    assert (reading.type, reading.values, reading.missing) == ("duration", 2, 1)
    assert codes_of(reading) == ["missing_words", "durations"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["one two three four", "five six seven eight"], "text"),
        (["one two three", "four five six seven eight"], "text"),  # four on average
        (["one two three", "four five six seven"], "identifier"),
        (["one two three four", "five six seven eight"] * 2, "text"),  # half of them different
        (["one two three four", "five six seven eight"] * 3, "category"),
        (["a", "b", "c"], "identifier"),
        (["a", "b", "c", None, "nan"], "identifier"),
        (["a", "b", "b"], "category"),
        (["a", "a"], "constant"),
        (["a", "", None], "constant"),
        (["5", "5", ""], "constant"),
        (["5", "5.0", "$5"], "constant"),
        (["5"] * 99 + ["x"], "constant"),
        (["2023-01-02", "2023-01-02"], "constant"),
        (["", None, "nan"], "empty"),
    ],
)
def test_texts(cells: list[str | None], kind: str) -> None:
    assert read(cells).type == kind


def test_target_is_never_left_out_nor_free_text() -> None:
    for cells in (["a", "b", "c"], ["a", "a"], ["one two three four", "five six seven eight"]):
        assert read(cells, is_target=True).type == "category"
    for cells in (["5", "5"], ["1", "2", "3"]):
        assert read(cells, "id", is_target=True).type == "number"


def test_identifier_that_is_wanted_is_no_identifier() -> None:
    assert read(["a", "b", "c"], keeps_identifier=True).type == "category"
    assert read(["1", "2", "3"], "id", keeps_identifier=True).type == "number"


# ---------------------------------------------------------------- identifiers


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Id", {"id"}),
        ("Agent_ID", {"agent", "id"}),
        ("agentId", {"agent", "id"}),
        ("CustomerID", {"customer", "id"}),
        ("IDNumber", {"id", "number"}),
        ("id2", {"id"}),
        ("Kunden-ID", {"kunden", "id"}),
        ("idée", {"idée"}),
        ("paid", {"paid"}),
        ("Größe", {"größe"}),
        ("", set()),
    ],
)
def test_words_of_a_name(name: str, words: set[str]) -> None:
    assert name_words(name) == words


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("Id", ["7", "3", "9"], "identifier"),
        ("Agent_ID", ["7", "3", "", "9"], "identifier"),
        ("Id", ["7", "3", "3"], "number"),
        ("Id", ["7.5", "3", "9"], "number"),
        ("Unnamed: 0", ["0", "1", "2"], "identifier"),
        ("column_3", ["3", "2", "1"], "identifier"),
        ("", ["0", "1", "2"], "identifier"),
        ("", ["0", "2", "4"], "number"),
        ("", ["0", "1", ""], "number"),
        ("n", ["0", "1", "2"], "number"),
    ],
)
def test_numbers_that_are_identifiers(name: str, cells: list[str], kind: str) -> None:
    assert read(cells, name).type == kind


def test_row_numbers_need_two_rows_and_whole_numbers() -> None:
    assert not is_row_number("id", {5.0}, 1)
    assert not is_row_number("id", {5.0, 6.5}, 2)
    assert is_row_number("id", {5.0, 6.0}, 2)
    assert not is_row_number("id", {5.0, 6.0}, 3)
    assert is_row_number("id", {5.0, 6.0}, 3, n_values=2)


# ---------------------------------------------------------------- blanks and labels


def test_blanks_are_trimmed_before_the_type_is_decided_and_reported() -> None:
    reading = read([" 1", "2 ", "\u00a03", "4"])
    assert reading.type == "number"
    assert "blanks around 3 cells" in message(reading, "blanks_trimmed")


def test_blanks_around_labels_stay() -> None:
    cells = ["yes", "yes ", " no", "no", "nan ", " "]
    reading = read(cells, is_target=True)
    assert (reading.type, reading.distinct, reading.missing) == ("category", 4, 2)
    assert codes_of(reading) == ["missing_words", "levels_differ_by_case"]
    assert read(cells).type == "boolean"


def test_labels_with_blanks_may_be_numbers() -> None:
    assert read([" 1", "2", "3 "], is_target=True).type == "number"


def test_levels_that_differ_by_case_or_blanks_are_reported() -> None:
    reading = read(["Yes", "yes", "YES", "no", "no", "new  york", "New York"])
    assert message(reading, "levels_differ_by_case").count(" and ") == 3


# ---------------------------------------------------------------- categories and types of a person


def test_category_is_no_number_or_date() -> None:
    for cells in (["1", "2", "1"], ["2023-01-02", "2023-01-03", "2023-01-02"]):
        assert decide_text(column(cells)).type == "category"
    assert decide_text(column(["yes", "no"])).type == "boolean"
    assert decide_text(column(["a", None])).type == "constant"
    assert decide_text(column([None, None])).type == "empty"


@pytest.mark.parametrize(
    ("kind", "cells", "counts"),
    [
        ("number", ["1", "x", "na"], (1, 1, 1)),
        ("number", ["007", "12345678901234567890", ""], (2, 1, 0)),
        ("number", ["", "", ""], (0, 3, 0)),
        ("date", ["2018", "20230102", "5"], (2, 0, 1)),
        ("duration", ["90", "1:00:00", "x"], (2, 0, 1)),
        ("boolean", ["yes", "no", "1", "0", "maybe", "nan"], (4, 1, 1)),
        ("category", ["1", "na", "nan"], (2, 1, 0)),
        ("text", ["1", "2", ""], (2, 1, 0)),
        ("identifier", ["1", "1", ""], (2, 1, 0)),
    ],
)
def test_type_of_a_person(kind: str, cells: list[str], counts: tuple[int, int, int]) -> None:
    reading = read(cells, forced=kind)
    assert (reading.type, reading.set_by_person) == (kind, True)
    assert (reading.values, reading.missing, reading.unreadable) == counts
    assert len(reading.examples) == reading.unreadable
    assert ("unreadable" in codes_of(reading)) == bool(reading.unreadable)


def test_codes_that_a_person_calls_numbers_say_so() -> None:
    assert read(["007", "8"], forced="number").spelling["codes"] is True
    assert "codes" not in read(["7", "8"], forced="number").spelling


def test_boolean_of_a_person_has_two_words() -> None:
    assert read(["1", "0"], forced="boolean").spelling == {"true": "1", "false": "0"}
    assert read(["x"], forced="boolean").spelling == {"true": "true", "false": "false"}


def test_levels_of_a_person_are_in_order_and_others_unreadable() -> None:
    reading = read(["hi", "lo", "huge", "nan"], levels=("lo", "hi"))
    assert (reading.type, reading.spelling) == ("ordinal", {"levels": ["lo", "hi"]})
    assert (reading.values, reading.missing, reading.unreadable) == (2, 1, 1)


# ---------------------------------------------------------------- the decimal separator of a file


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        (["1,5", "2,25"], ","),
        (["1.5", "2.25"], "."),
        (["$1,200.50"], "."),
        (["1.234.567"], ","),
        (["1,234"], None),
        (["5", "6"], None),
        (["1.2.3", "10.0.0.1"], None),
        (["31.01.2023"], None),
        (["Berlin", "1,5"], None),
        (["1,5", "2.5"], None),
        (["1,5", "-", ""], ","),
        ([], None),
    ],
)
def test_decimal_separator_that_a_column_shows(cells: list[str], decimal: str | None) -> None:
    assert decimal_of(column(cells)) == decimal


# ---------------------------------------------------------------- whatever the column

_SPELLED = st.sampled_from(
    [
        *(
            "1",
            "-2.5",
            "1,234",
            "1.234",
            "1.234,5",
            "2,5",
            "$3",
            "4 %",
            "(5)",
            "<6",
            "007",
            "9" * 20,
            "1e5",
        ),
        *(
            "2023-01-02",
            "01/02/2023",
            "31.01.2023",
            "Jan 2018",
            "2018Q1",
            "20230102",
            "2018",
            "1:30:00",
        ),
        *(
            "2023-01-02T08:00:00+02:00",
            "9999-12-31T23:00:00-05:00",
            "2 days",
            "yes",
            "no",
            "true",
            "Yes ",
        ),
        *("None", "nan", "NA", "-", "", " ", "free text of five words", "x", "X"),
    ]
)
_CELLS = st.lists(st.none() | _SPELLED | st.text(max_size=5), max_size=25)


@settings(max_examples=300, deadline=None)
@given(
    _CELLS,
    st.none() | st.sampled_from(TYPES),
    st.builds(
        Hints,
        decimal=st.sampled_from([None, ".", ","]),
        day_first=st.booleans(),
        missing_words=st.sampled_from([None, frozenset({"x", "1"})]),
        date_format=st.sampled_from([None, None, "%d/%m/%Y"]),
        allow_year=st.booleans(),
        is_target=st.booleans(),
        keeps_identifier=st.booleans(),
        levels=st.sampled_from([None, None, ("x", "yes")]),
    ),
)
def test_no_cell_disappears(cells: list[str | None], kind: str | None, hints: Hints) -> None:
    texts = column(cells)
    reading = decide(texts, hints, kind)
    assert reading.values + reading.missing + reading.unreadable == len(cells)
    assert min(reading.values, reading.missing, reading.unreadable) >= 0
    assert len(reading.examples) <= 5
    assert bool(reading.examples) == bool(reading.unreadable)
    assert kind is None or reading.type == kind
    decide_text(texts, hints)


@settings(max_examples=100, deadline=None)
@given(st.lists(_SPELLED, min_size=1, max_size=20), st.randoms())
def test_order_of_rows_does_not_change_the_type(cells: list[str], shuffler: random.Random) -> None:
    shuffled = list(cells)
    shuffler.shuffle(shuffled)
    assert read(cells).to_json() == read(shuffled).to_json()


_NUMBERS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_NUMBERS, min_size=2, max_size=20, unique=True),
    st.sampled_from([",.", ".,", " ,", " .", "'.", "’.", "\u00a0,", "\u202f,"]),
    st.sampled_from(["{}", "${}", "{} €", "{}%", "{} kr", "USD {}"]),
)
def test_column_of_numbers_in_any_spelling_reads_back_exactly(
    numbers: list[Any], signs: str, around: str
) -> None:
    table = str.maketrans(",.", signs)
    texts = [around.format(f"{n:,.2f}".translate(table)) for n in numbers]
    reading = read(texts)
    assert (reading.type, reading.unreadable) == ("number", 0)
    for text, expected in zip(texts, numbers, strict=True):
        found = spellings.parse_number(text, reading.spelling["decimal"])
        assert found is not None
        assert found.value == float(expected)
