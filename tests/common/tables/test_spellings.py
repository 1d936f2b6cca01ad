"""What the texts of numbers, dates, durations, booleans and missing values mean."""

from __future__ import annotations

import pickle
import re
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.spellings import (
    BOOLEAN_WORDS,
    MISSING_TEXTS,
    MISSING_WORDS,
    boolean_words,
    date_of_value,
    day_and_month,
    digits_of,
    in_offset,
    is_code,
    is_missing_word,
    parse_boolean,
    parse_date,
    parse_duration,
    parse_number,
    separators_of,
    text_of,
    trimmed,
    with_ascii_digits,
    with_offset,
)


def number(text: str, decimal: str = ".", **how: Any) -> float | None:
    found = parse_number(text, decimal, **how)
    return None if found is None else found.value


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("-7.5", -7.5),
        ("+7", 7),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("2.5E-3", 0.0025),
        ("1,200", 1200),
        ("1,234,567.5", 1234567.5),
        ("1'200", 1200),
        ("1’200.5", 1200.5),
        ("1 200", 1200),
        ("1\u00a0200", 1200),
        ("1\u202f200 000", 1200000),
        ("1\u2009200", 1200),
        ("12,34,567", 1234567),  # India
        ("$1,200.50", 1200.5),
        ("$ 5", 5),
        ("5 $", 5),
        ("€5", 5),
        ("5€", 5),
        ("US$5", 5),
        ("R$ 5", 5),
        ("EUR 5", 5),
        ("5 USD", 5),
        ("usd 5", 5),
        ("CHF 1'200", 1200),
        ("Rs. 500", 500),
        ("500 kr.", 500),
        ("5 Kč", 5),
        ("¥500", 500),
        ("500円", 500),
        ("15%", 15),
        ("15 %", 15),
        ("%15", 15),
        ("-15.5%", -15.5),
        ("(1,200)", -1200),
        ("(15%)", -15),
        ("($1,200.50)", -1200.5),
        ("$(1,200)", -1200),
        ("(1,200) €", -1200),
        ("-$5", -5),
        ("$-5", -5),
        ("- 5", -5),
        ("−5", -5),
        ("<0.5", 0.5),
        ("< 0.5", 0.5),
        (">100", 100),
        ("≤5", 5),
        (">= 5", 5),
        ("<$5", 5),
        ("١٢٣", 123),
        ("१२.५", 12.5),
        ("12.5", 12.5),
        ("15٪", 15),
        ("9007199254740992", 2**53),
    ],
)
def test_number_with_decimal_point(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("62,50", 62.5),
        ("7", 7),
        ("1.200", 1200),
        ("1.234.567,5", 1234567.5),
        ("1 200,5", 1200.5),
        ("1'200,5", 1200.5),
        ("1,234", 1.234),
        ("12,5 %", 12.5),
        ("1.200,50 €", 1200.5),
        ("(1.200,50)", -1200.5),
        ("<0,5", 0.5),
        ("2,5e3", 2500),
        (",5", 0.5),
    ],
)
def test_number_with_decimal_comma(text: str, value: float) -> None:
    assert number(text, ",") == value


def test_number_with_signs_of_arabic() -> None:
    assert number("١٬٢٣٤٫٥", "٫") == 1234.5
    assert separators_of("1٬234٫5") == ("٫", "٬", False)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "-",
            "+",
            ".",
            ",",
            "%",
            "$",
            "()",
            "(",
            "x",
            "five",
            "1x",
            "x1",
            "1 x",
            "1 2",
            "1  200",
        ),
        *(
            "1,2",
            "12,34",
            "1,2345",
            "1234,567",
            ",123,456",
            "1,,200",
            "1,200,",
            "1.2.3",
            "192.168.1.1",
        ),
        *(
            "--5",
            "+-5",
            "(5",
            "5)",
            "5-",
            "1-2",
            "1/2",
            "1:30",
            "2023-01-02",
            "0x1F",
            "1_000",
            "1e",
            "e5",
        ),
        *(
            "$5%",
            "5%%",
            "% 5 %",
            "5 kg",
            "5 m",
            "12a",
            "A12",
            "rs123",
            "1e999",
            "inf",
            "nan",
            "Infinity",
        ),
        *(
            "007",
            "-05",
            "0049",
            "0,123",
            "٠٠٧",
            "9007199254740993",
            "12345678901234567890",
            "9" * 5000,
        ),
        *("$007", "9,007,199,254,740,993", "1,20,00", "1,23,456,789", "½", "²", "Ⅷ"),
    ],
)
def test_text_that_is_no_number_with_decimal_point(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize("text", ["1.5", "1,200,000", "1.200.00", "1,200.5", "1.2,3.4"])
def test_text_that_is_no_number_with_decimal_comma(text: str) -> None:
    assert parse_number(text, ",") is None


def test_number_says_how_it_was_written() -> None:
    def marks(text: str) -> tuple[str, bool, bool, bool]:
        found = parse_number(text)
        assert found is not None
        return (
            found.bound,
            found.is_percent,
            found.has_currency,
            found.is_negative_in_parentheses,
        )

    assert marks("5") == ("", False, False, False)
    assert marks("≤5") == ("<", False, False, False)
    assert marks(">=5") == (">", False, False, False)
    assert marks("5 %") == ("", True, False, False)
    assert marks("5 EUR") == ("", False, True, False)
    assert marks("($5)") == ("", False, True, True)


def test_only_named_separators_of_thousands_are_taken() -> None:
    assert number("1'200", thousands="'") == 1200
    assert number("1 200", thousands="'") is None
    assert number("1,200", thousands="'") is None
    assert number("1,200", thousands=",'") == 1200


def test_codes_are_numbers_only_on_request() -> None:
    assert number("007", allow_codes=True) == 7
    assert number("12345678901234567890", allow_codes=True) == 12345678901234567890.0
    assert number("9" * 5000, allow_codes=True) is None


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("007", True),
        ("00", True),
        ("+0049", True),
        ("-05", True),
        ("٠٠٧", True),
        ("0", False),
        ("7", False),
        ("0.5", False),
        ("00.5", False),
        ("9007199254740992", False),
        ("9007199254740993", True),
        ("-9007199254740993", True),
        ("89410000000000000000", True),
        ("9" * 5000, True),
        ("1e20", False),
        ("", False),
    ],
)
def test_code_is_an_integer_with_leading_zeros_or_without_exact_float(
    text: str, is_it: bool
) -> None:
    assert is_code(text) is is_it


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1200", (None, None, False)),
        ("12.5", (".", None, False)),
        ("12,5", (",", None, False)),
        ("0,123", (",", None, False)),
        ("0.123", (".", None, False)),
        ("1234,567", (",", None, False)),
        ("1,234", (None, None, True)),
        ("1.234", (None, None, True)),
        ("1,234.5", (".", ",", False)),
        ("1.234,5", (",", ".", False)),
        ("1,234,567", (".", ",", False)),
        ("1.234.567", (",", ".", False)),
        ("1 234", (None, " ", False)),
        ("1 234,5", (",", " ", False)),
        ("1'234.5", (".", "'", False)),
        ("1.2.3", (None, None, False)),
        ("31.01.2023", (None, None, False)),
        ("192.168.1.1", (None, None, False)),
        ("1.23,4", (None, None, False)),
        ("1 2", (None, None, False)),
        ("1 200,500.5", (None, None, False)),
    ],
)
def test_separators_that_a_number_shows(text: str, shown: tuple[Any, ...]) -> None:
    assert separators_of(text) == shown


def test_digits_are_what_is_left_without_signs_and_currency() -> None:
    assert digits_of(" ($1,200.50) ") == "1,200.50"
    assert digits_of("١٢٫٥ %") == "12٫5"
    assert digits_of("1 200 kr") == "1 200"
    assert digits_of("twelve") is None


# writing a number in every spelling of the page
_WHOLE = st.integers(0, 10**12)
_FRACTION = st.text("0123456789", max_size=2)
_GROUPS = {".": [",", " ", "\u00a0", "'", "’", "\u202f", ""], ",": [".", " ", "\u00a0", "'", ""]}
_AROUND = [
    ("", ""),
    ("$", ""),
    ("€ ", ""),
    ("", " €"),
    ("", "€"),
    ("EUR ", ""),
    ("", " USD"),
    ("", "%"),
    ("", " %"),
    ("<", ""),
    (">", ""),
    ("+", ""),
    ("-", ""),
    ("−", ""),
    ("-$", ""),
    ("(", ")"),
    ("($", ")"),
]
_SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "0123456789"]


@settings(max_examples=300, deadline=None)
@given(
    _WHOLE,
    _FRACTION,
    st.sampled_from(".,"),
    st.data(),
    st.sampled_from(_AROUND),
    st.sampled_from(_SCRIPTS),
)
def test_number_in_any_spelling_reads_back_exactly(
    whole: int, fraction: str, decimal: str, data: Any, around: tuple[str, str], script: str
) -> None:
    group = data.draw(st.sampled_from(_GROUPS[decimal]))
    digits = f"{whole:,}".replace(",", group) + (decimal + fraction if fraction else "")
    before, after = around
    text = before + digits.translate(str.maketrans("0123456789", script)) + after
    expected = float(f"{whole}.{fraction or 0}")
    is_negative = set(before) & set("-−(")
    assert number(text, decimal) == (-expected if is_negative else expected)


@settings(max_examples=200, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float_as_python_writes_it_reads_back_exactly(value: float) -> None:
    assert number(repr(value)) == value


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12) | st.text("0123456789.,'- $€%()<>+eE/:TZ٫٬", max_size=12))
def test_any_text_is_read_without_a_failure(text: str) -> None:
    text = trimmed(text)
    for decimal in (".", ",", "٫"):
        found = parse_number(text, decimal)
        assert found is None or np.isfinite(found.value)
    digits = digits_of(text)
    if digits is not None:
        separators_of(digits)
    date_ = parse_date(text, allow_compact=True, allow_year=True, day_first="./")
    if date_ is not None:
        with_offset(in_offset(date_, 90), date_.offset)
    parse_duration(text)
    parse_boolean(text)
    is_code(text)


# ---------------------------------------------------------------- dates


def when(text: str, **how: Any) -> datetime | None:
    found = parse_date(text, **how)
    return None if found is None else found.time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2023-01-02", "2023-01-02"),
        ("2023-1-2", "2023-01-02"),
        ("2023-01-02 08:30", "2023-01-02 08:30"),
        ("2023-01-02T08:30:15", "2023-01-02 08:30:15"),
        ("2023-01-02 08:30:15.25", "2023-01-02 08:30:15.25"),
        ("2023-01-02T08:30:15.123456789", "2023-01-02 08:30:15.123456"),
        ("2023-01-02 24:00", "2023-01-03"),
        ("20230102T083015", "2023-01-02 08:30:15"),
        ("2023-W05", "2023-01-30"),
        ("2023-W05-3", "2023-02-01"),
        ("2023/01/02", "2023-01-02"),
        ("2023.01.02", "2023-01-02"),
        ("01/31/2023", "2023-01-31"),
        ("31/01/2023", "2023-01-31"),
        ("31.01.2023", "2023-01-31"),
        ("31.01.23", "2023-01-31"),
        ("31-01-2023", "2023-01-31"),
        ("02-JAN-23", "2023-01-02"),
        ("02-Jan-2023", "2023-01-02"),
        ("02JAN2023", "2023-01-02"),
        ("Jan 02, 2023", "2023-01-02"),
        ("January 2, 2023", "2023-01-02"),
        ("Sept 2 2023", "2023-09-02"),
        ("2 January 2023", "2023-01-02"),
        ("2. January 2023", "2023-01-02"),
        ("1/2/2023 8:00:00 AM", "2023-01-02 08:00"),
        ("1/2/2023 8:00:00 PM", "2023-01-02 20:00"),
        ("1/2/2023 12:30 a.m.", "2023-01-02 00:30"),
        ("1/2/2023 12:30 PM", "2023-01-02 12:30"),
        ("01/02/2023, 08:30", "2023-01-02 08:30"),
        ("Mon, 02 Jan 2023 08:30:00 +0100", "2023-01-02 08:30"),
        ("Monday, January 2, 2023", "2023-01-02"),
        ("2018-01", "2018-01-01"),
        ("2018/01", "2018-01-01"),
        ("2018M01", "2018-01-01"),
        ("01/2018", "2018-01-01"),
        ("Jan 2018", "2018-01-01"),
        ("January 2018", "2018-01-01"),
        ("2018Q2", "2018-04-01"),
        ("2018-Q2", "2018-04-01"),
        ("Q2 2018", "2018-04-01"),
        ("2023-01-02 UTC", "2023-01-02"),
        ("2023-01-02 08:30:15 UTC", "2023-01-02 08:30:15"),
        ("9999-12-31", "9999-12-31"),
        ("0001-01-01", "0001-01-01"),
        ("٢٠٢٣-٠١-٠٢", "2023-01-02"),
    ],
)
def test_date_in_each_spelling(text: str, time: str) -> None:
    assert when(text) == datetime.fromisoformat(time)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "date",
            "today",
            "2018",
            "20230102",
            "2023-13-01",
            "2023-02-30",
            "31/31/2023",
            "32.01.2023",
        ),
        *(
            "2023-01-02 25:00",
            "2023-01-02 24:01",
            "2023-01-02 08:61",
            "1/2/2023 13:00 PM",
            "1/2/2023 0:30 AM",
        ),
        *(
            "2023-01-02T08:00:00+99:00",
            "2023-01-02T08:00:00+05:75",
            "1/2.2023",
            "1/2/203",
            "2018-13",
            "13/2018",
            "1/1000",
        ),
        *(
            "Foo 2018",
            "Foo 2, 2018",
            "2 Foo 2018",
            "2018Q5",
            "2023-W54",
            "Mon, 99 Jan 2023 08:00:00 +0000",
        ),
        *(
            "Jan",
            "Jan 2",
            "Mon",
            "12",
            "1.5",
            "1:30:00",
            "2023-01-02 later",
            "0000-01-01",
            "9999-12-31 24:00",
        ),
    ],
)
def test_text_that_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "day_first", "day", "month"),
    [
        ("01/02/2023", False, 2, 1),
        ("01/02/2023", True, 1, 2),
        ("13/02/2023", False, 13, 2),
        ("02/13/2023", True, 13, 2),
        ("01/02/2023", ".", 2, 1),
        ("01.02.2023", ".", 1, 2),
        ("01-02-2023", "-./", 1, 2),
    ],
)
def test_day_or_month_first(text: str, day_first: bool | str, day: int, month: int) -> None:
    assert when(text, day_first=day_first) == datetime(2023, month, day)


@pytest.mark.parametrize(
    ("short", "year"), [("00", 2000), ("68", 2068), ("69", 1969), ("99", 1999)]
)
def test_year_of_two_digits_is_read_as_by_strptime(short: str, year: int) -> None:
    assert when(f"31.01.{short}") == datetime(year, 1, 31)
    assert when(f"31-JAN-{short}") == datetime.strptime(f"31-JAN-{short}", "%d-%b-%y")


def test_years_and_dates_of_eight_digits_are_read_on_request() -> None:
    assert when("20230102", allow_compact=True) == datetime(2023, 1, 2)
    assert when("20231302", allow_compact=True) is None
    assert when("99999999", allow_compact=True) is None
    assert when("2018", allow_year=True) == datetime(2018, 1, 1)
    assert when("0018", allow_year=True) is None


def test_format_of_a_person_comes_first_and_iso_is_read_beside_it() -> None:
    assert when("02/01/2023", format="%d/%m/%Y") == datetime(2023, 1, 2)
    assert when("2023-01-02", format="%d/%m/%Y") == datetime(2023, 1, 2)
    assert when("01/31/2023", format="%d/%m/%Y") is None
    found = parse_date("2023 02 01 +0200", format="%Y %d %m %z")
    assert found is not None
    assert (found.time, found.offset) == (datetime(2023, 1, 2), 120)


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        *(
            ("Z", 0),
            (" UTC", 0),
            (" GMT", 0),
            ("+00:00", 0),
            ("+02:00", 120),
            (" +0200", 120),
            ("+02", 120),
        ),
        *(("-05:30", -330), (" UTC+02:00", 120), ("", None)),
    ],
)
def test_offset_of_a_date(zone: str, offset: int | None) -> None:
    found = parse_date(f"2023-01-02T08:30:00{zone}")
    assert found is not None
    assert (found.time, found.offset) == (datetime(2023, 1, 2, 8, 30), offset)


def test_zone_name_of_rfc_2822_is_read() -> None:
    found = parse_date("Mon, 02 Jan 2023 08:30:00 EST")
    assert found is not None
    assert (found.offset, found.spelling) == (-300, "RFC 2822")


def test_date_in_the_offset_of_its_column() -> None:
    found = parse_date("2023-01-02T08:30:00-05:00")
    assert found is not None
    assert in_offset(found, -300) == datetime(2023, 1, 2, 8, 30)
    assert in_offset(found, 0) == datetime(2023, 1, 2, 13, 30)
    assert in_offset(found, None) == datetime(2023, 1, 2, 8, 30)
    last = parse_date("9999-12-31T23:59:59-05:00")
    assert last is not None
    assert in_offset(last, 0) == datetime(9999, 12, 31, 23, 59, 59)


def test_wall_time_is_written_with_the_offset() -> None:
    time = datetime(2023, 1, 2, 8)
    assert with_offset(time, None) == "2023-01-02T08:00:00"
    assert with_offset(time, 0) == "2023-01-02T08:00:00+00:00"
    assert with_offset(time, -330) == "2023-01-02T08:00:00-05:30"


def test_two_numbers_before_the_year() -> None:
    assert day_and_month("31/01/2023 08:00") == (31, 1, "/")
    assert day_and_month("1.2.23") == (1, 2, ".")
    assert day_and_month("2023-01-02") is None


@pytest.mark.parametrize(
    ("value", "time", "offset"),
    [
        (datetime(2023, 1, 2, 8), datetime(2023, 1, 2, 8), None),
        (date(2023, 1, 2), datetime(2023, 1, 2), None),
        (pd.Timestamp("2023-01-02 08:00+02:00"), datetime(2023, 1, 2, 8), 120),
        (np.datetime64("2023-01-02T08:00:00.000000000"), datetime(2023, 1, 2, 8), None),
        (pd.Period("2023-02", "M"), datetime(2023, 2, 1), None),
    ],
)
def test_date_of_a_value(value: Any, time: datetime, offset: int | None) -> None:
    found = date_of_value(value)
    assert found is not None
    assert (found.time, found.offset) == (time, offset)


@pytest.mark.parametrize(
    "value", [None, pd.NaT, np.datetime64("NaT"), float("nan"), 5, "2023-01-02"]
)
def test_other_values_are_no_dates(value: Any) -> None:
    assert date_of_value(value) is None


_DATE_FORMATS = [
    *("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M", "%Y/%m/%d"),
    *("%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y"),
    *(
        "%d %B %Y",
        "%d %b %Y",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S UTC",
    ),
    *("%Y-%m", "%b %Y", "%B %Y", "%Y%m%d", "%Y", "%A, %B %d, %Y"),
]
_DAY_FIRST_FORMATS = ["%d/%m/%Y", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%d/%m/%Y %H:%M:%S"]


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
    st.sampled_from(_DATE_FORMATS + _DAY_FIRST_FORMATS),
)
def test_date_in_any_form_reads_back(time: datetime, form: str) -> None:
    text = time.strftime(form)
    is_zoned = form.endswith(("Z", "UTC", "+0000"))
    expected = datetime.strptime(text, form).replace(tzinfo=None)
    found = parse_date(
        text, day_first=form in _DAY_FIRST_FORMATS, allow_compact=True, allow_year=True
    )
    assert found is not None
    assert (found.time, found.offset) == (expected, 0 if is_zoned else None)


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-1439, 1439))
def test_wall_time_with_offset_reads_back(time: datetime, offset: int) -> None:
    found = parse_date(with_offset(time, offset))
    assert found is not None
    assert (found.time, found.offset) == (time, offset)
    zone = timezone(timedelta(minutes=offset))
    assert in_offset(found, 0) == (time - timedelta(minutes=offset))
    assert time.replace(tzinfo=zone).utcoffset() == timedelta(minutes=found.offset or 0)


# ---------------------------------------------------------------- durations, booleans, missing


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:30:00", 5_400),
        ("100:00:00", 360_000),
        ("0:00:01.5", 1.5),
        ("-1:00:00", -3_600),
        ("2 days", 172_800),
        ("1 day", 86_400),
        ("1 days 02:00:00", 93_600),
        ("1d 02:00:00", 93_600),
        ("1 day, 2:00:00", 93_600),
        ("-1 day, 23:00:00", -3_600),
        ("-1 days +23:00:00", -3_600),
        ("-1 days 02:00:00", -93_600),
        ("-2 days", -172_800),
        ("2 hours 30 minutes", 9_000),
        ("1.5 hours", 5_400),
        ("2 weeks", 1_209_600),
        ("90 sec", 90),
        ("PT1H30M", 5_400),
        ("P1DT2H", 93_600),
    ],
)
def test_duration_in_each_spelling(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "1:30",
        "1:60:00",
        "1:00:60",
        "2d",
        "days",
        "2 days later",
        "P",
        "PT",
        "2 months",
        "2D",
    ],
)
def test_text_that_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@settings(max_examples=150, deadline=None)
@given(st.timedeltas(timedelta(days=-9_999), timedelta(days=9_999)))
def test_duration_as_python_and_pandas_write_it_reads_back(value: timedelta) -> None:
    for text in (str(value), str(pd.Timedelta(value))):
        assert parse_duration(text) == pytest.approx(value.total_seconds(), abs=1e-6)


@pytest.mark.parametrize(("true", "false"), BOOLEAN_WORDS)
def test_booleans_are_two_words_of_one_pair(true: str, false: str) -> None:
    assert boolean_words({true, false}) == {true: True, false: False}
    assert boolean_words({true.upper(), false.title()}) == {
        true.upper(): True,
        false.title(): False,
    }
    assert parse_boolean(true.title()) is True
    assert parse_boolean(false.upper()) is False


def test_other_words_are_no_booleans() -> None:
    for texts in (
        {"yes"},
        {"yes", "false"},
        {"yes", "no", "No"},
        {"yes", "Yes"},
        {"1", "0"},
        set[str](),
    ):
        assert boolean_words(texts) is None
    assert parse_boolean("maybe") is None
    assert (parse_boolean("1"), parse_boolean("0")) == (True, False)


@pytest.mark.parametrize("word", sorted(MISSING_WORDS))
def test_word_is_missing_among_numbers_in_any_case(word: str) -> None:
    for text in (word, word.upper(), word.title()):
        assert is_missing_word(text, is_text=False)


def test_words_for_missing_values_are_those_of_the_page() -> None:
    page = "na n/a nan null none nil missing ? - -- . #n/a #na #value! #div/0!"
    assert set(page.split()) == MISSING_WORDS
    assert {"NaN", "nan", "null", "NULL", "#N/A"} == MISSING_TEXTS


def test_only_a_few_words_are_missing_among_texts() -> None:
    for text in ("", *MISSING_TEXTS):
        assert is_missing_word(text, is_text=True)
    for text in ("None", "NA", "none", "-", "?", "Null", "NAN", "#n/a", "missing"):
        assert not is_missing_word(text, is_text=True)


def test_words_of_a_person_are_in_place_of_the_rules() -> None:
    words = frozenset({"unknown"})
    for is_text in (True, False):
        assert is_missing_word("unknown", is_text=is_text, words=words)
        assert is_missing_word("", is_text=is_text, words=words)
        assert not is_missing_word("nan", is_text=is_text, words=words)


# ---------------------------------------------------------------- the page for analysts

_PAGE = Path(__file__).parents[3] / "docs" / "reading.md"


def spellings_of_page(heading: str) -> list[str]:
    """Return the texts in code quotes in the first column of the table below a heading."""
    section = _PAGE.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2]
    rows = re.findall(r"^\| (.+?) \|", section.partition("\n#")[0], re.MULTILINE)
    return [text for row in rows for text in re.findall(r"`([^`]+)`", row)]


def test_spellings_of_the_page_are_read() -> None:
    for heading, n_texts, parse in (
        ("Numbers", 15, lambda text: parse_number(text) or parse_number(text, ",")),
        ("Dates", 20, lambda text: parse_date(text, allow_compact=True, allow_year=True)),
        ("Durations", 6, parse_duration),
    ):
        texts = spellings_of_page(heading)
        assert len(texts) >= n_texts
        zones = {"date", "day"}  # names of columns
        assert [t for t in texts if t not in zones and parse(t) is None] == []


# ---------------------------------------------------------------- texts


def test_blanks_and_unseen_signs_around_a_text_are_trimmed() -> None:
    assert trimmed("\ufeff \t\u00a0a b\u3000\u202f\r\n\u200b") == "a b"


def test_digits_of_other_scripts_become_ascii() -> None:
    assert with_ascii_digits("٠١٢x९") == "012x9"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(
            (1, "1"),
            (1.0, "1"),
            (1.5, "1.5"),
            (np.float64(2.0), "2"),
            (np.int64(3), "3"),
            (True, "True"),
        ),
        *(
            (b"ab", "ab"),
            ([1, "é"], '[1, "é"]'),
            ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
            ((1, 2), "[1, 2]"),
        ),
        *((np.array([1, 2]), "[1, 2]"), ({2, 1}, "[1, 2]"), (Decimal("1.50"), "1.50")),
        (np.datetime64("2024-01-02", "ns"), "2024-01-02T00:00:00.000000000"),
        (np.str_("a"), "a"),
        (float("inf"), "inf"),
    ],
)
def test_value_as_text(value: Any, text: str) -> None:
    assert text_of(value) == text
    assert type(text_of(value)) is str


def test_module_is_pickled_by_value_and_needs_the_standard_library_only() -> None:
    import cloudpickle

    cloudpickle.register_pickle_by_value(spellings)
    try:
        content = cloudpickle.dumps([parse_number, parse_date, parse_duration])
    finally:
        cloudpickle.unregister_pickle_by_value(spellings)
    read_number, read_date, _ = pickle.loads(content)
    assert read_number("$1,200").value == 1200
    assert read_date("31.01.2023").time == datetime(2023, 1, 31)
    imported = {
        getattr(value, "__module__", "").partition(".")[0]
        for value in vars(spellings).values()
        if not isinstance(value, (str, type(None)))
    }
    assert imported - {""} <= sys.stdlib_module_names | {"jupyter_pycaret_ops"}
