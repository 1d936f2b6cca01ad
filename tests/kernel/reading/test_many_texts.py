"""Columns of many distinct texts: read with arrays, they are read as text by text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading
from jupyter_pycaret_ops.kernel.reading import columns, many_texts
from jupyter_pycaret_ops.kernel.reading.columns import ReadingSettings, read_columns
from jupyter_pycaret_ops.kernel.reading.distinct_texts import distinct_texts
from jupyter_pycaret_ops.kernel.reading.many_texts import decide_many, decimal_of_many
from jupyter_pycaret_ops.kernel.reading.profiling import profile
from jupyter_pycaret_ops.kernel.reading.text_values import numbers_of, times_of

pa = pytest.importorskip("pyarrow")

# ---------------------------------------------------------------- texts of every spelling

_DIGITS = st.integers(0, 10**6).map(str)
_LONG = st.integers(10**14, 10**19).map(str)
_TWO = st.integers(0, 99).map("{:02}".format)
_YEARS = st.integers(1890, 2110).map(str)
_DECIMALS = st.decimals(-(10**7), 10**7, places=2, allow_nan=False, allow_infinity=False)


def _grouped(signs: str, around: str) -> st.SearchStrategy[str]:
    table = str.maketrans(",.", signs)
    return _DECIMALS.map(lambda n: around.format(f"{n:,.2f}".translate(table)))


def _joined(*parts: Any) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in parts)).map("".join)


#: one spelling each, and the odd ones
KINDS: dict[str, st.SearchStrategy[str]] = {
    "integers": _DIGITS,
    "signed": _joined(st.sampled_from(["+", "-", ""]), _DIGITS),
    "floats": st.floats(allow_nan=False, allow_infinity=False).map(repr),
    "short floats": _DECIMALS.map(str),
    "exponents": _joined(_DIGITS, st.sampled_from(["e", "E+", "e-"]), st.integers(0, 400).map(str)),
    "no whole part": _joined(st.sampled_from([".", ",", "0.", "0,", "00."]), _DIGITS),
    "no fraction": _joined(_DIGITS, st.sampled_from([".", ","])),
    "one comma": _joined(_DIGITS, ",", _DIGITS),
    "leading zeros": _joined("0", _DIGITS),
    "codes of one width": st.integers(0, 99999).map("{:05}".format),
    "beyond exact floats": st.integers(2**53 - 2, 2**53 + 4).map(str) | _LONG,
    "English": _grouped(",.", "{}"),
    "German": _grouped(".,", "{}"),
    "blanks": _grouped("\u00a0,", "{}") | _grouped(" ,", "{}") | _grouped("\u202f.", "{}"),
    "currency": _grouped(",.", "${}") | _grouped(".,", "{} €") | _grouped(",.", "USD {}"),
    "percent": _joined(_DIGITS, st.sampled_from(["%", " %", "\u00a0%"])),
    "bounds": _joined(st.sampled_from(["<", "> ", "≥"]), _DIGITS),
    "parentheses": _grouped(",.", "({})") | _grouped(",.", "$({})"),
    "groups only": _joined(st.integers(1, 999).map(str), st.sampled_from(",."), "500"),
    "India": st.sampled_from(["1,20,000", "12,34,567", "1,2,3", "1.2.3", "1,23"]),
    "other digits": st.sampled_from(["٣٤٥", "１２３", "१२", "٣,٥", "1٣", "٠٠٧"]),
    "ISO dates": _joined(_YEARS, "-", _TWO, "-", _TWO),
    "ISO times": _joined(
        _YEARS, "-", _TWO, "-", _TWO, st.sampled_from("T "), _TWO, ":", _TWO, ":", _TWO
    ),
    "offsets": _joined("2024-03-", _TWO, "T10:00:00", st.sampled_from(["Z", "+02:00", "-05:00"])),
    "midnights": st.sampled_from(["2024-02-29 24:00:00", "2023-02-29", "0000-01-01", "0999-01-01"]),
    "three numbers": _joined(_TWO, st.sampled_from("/.-"), _TWO, "/", _YEARS)
    | _joined(_TWO, ".", _TWO, ".", _YEARS)
    | _joined(_TWO, "/", _TWO, "/", _YEARS, " 08:15"),
    "compact": _joined(_YEARS, _TWO, _TWO),
    "months": st.sampled_from(["Jan 2018", "2018Q1", "2018-01", "3 May 2020", "May 3, 2020"]),
    "durations": _joined(_DIGITS, ":30:00") | _joined(_DIGITS, " days"),
    "missing": st.sampled_from(
        ["", "n/a", "NA", "NaN", "nan", "null", "None", "?", "-", "inf", "-Inf", "Infinity", "."]
    ),
    "booleans": st.sampled_from(["yes", "no", "true", "FALSE", "Y", "n"]),
    "levels": st.sampled_from(["a", "A", "b ", " b", "c\u00a0d", "c d", "straße", "STRASSE", "K"]),
    "identifiers": _joined("C", _LONG) | _joined("1e", _DIGITS, "f"),
    "free text": st.lists(
        st.sampled_from(["the", "large", "order", "no", "12", "Größe", "May", "is", "late"]),
        min_size=3,
        max_size=7,
    ).map(" ".join),
    "any": st.text(max_size=8),
}
_BLANKS = st.sampled_from(["", "", "", "", " ", "\t", "\u00a0", "\ufeff", "\u200b", "\x1c"])


@st.composite
def cells(draw: st.DrawFn) -> list[str | None]:
    """Return a column: mostly of one spelling, with some cells of others, and blanks around them."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    most = draw(st.lists(KINDS[kind], min_size=1, max_size=40))
    others = draw(
        st.lists(st.none() | st.one_of(*KINDS.values()), max_size=draw(st.integers(0, 4)))
    )
    found = most + others
    if draw(st.booleans()):
        found = [c if c is None else draw(_BLANKS) + c + draw(_BLANKS) for c in found]
    times = draw(st.sampled_from([1, 1, 3, 30]))
    return draw(st.permutations(found)) * times


SETTINGS = st.builds(
    ReadingSettings,
    types=st.sampled_from([{}, {}, {}, {}, {"x": "number"}, {"x": "date"}, {"x": "category"}]),
    missing_words=st.sampled_from([None, None, None, ("b", "-9", "12", "Größe ")]),
    kept=st.sampled_from([frozenset[str](), frozenset({"x"})]),
    decimal=st.sampled_from([None, None, ","]),
)


@contextlib.contextmanager
def text_by_text() -> Iterator[None]:
    """Read columns without arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "distinct_texts", lambda *_, **__: None)
        patch.setattr(columns, "cells_of_many", lambda *_: None)
        yield


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_texts, "MANY", 0)


def frame_of(name: str, values: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype="str")})


examples = settings(
    max_examples=200,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # several columns shrink for minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@examples
@given(cells(), SETTINGS, st.sampled_from(["x", "user_id", "order_date"]), st.booleans())
def test_column_is_read_as_text_by_text(
    values: list[str | None], how: ReadingSettings, name: str, is_target: bool
) -> None:
    frame = frame_of(name, values)
    target = name if is_target else None
    found = read_columns(frame, how, target=target)
    with text_by_text():
        assert found == read_columns(frame, how, target=target)


@examples
@given(st.lists(cells(), min_size=1, max_size=3), SETTINGS)
def test_profile_is_made_as_text_by_text(
    several: list[list[str | None]], how: ReadingSettings
) -> None:
    size = max(map(len, several))
    frame = pd.DataFrame(
        {name: (c * size)[:size] for name, c in zip("xyz", several, strict=False)}, dtype="str"
    )
    found = outcome(frame, how)
    with text_by_text():
        assert found == outcome(frame, how)


def outcome(frame: pd.DataFrame, how: ReadingSettings) -> Any:
    """Return the profile as JSON."""
    with np.errstate(all="ignore"):
        found = profile(frame, how)
    assert found["duplicates"] == int(frame.duplicated().sum())
    return json.dumps(found, allow_nan=False)


@examples
@given(
    st.lists(st.one_of(*KINDS.values()).map(spellings.trimmed), min_size=1, max_size=60),
    st.sampled_from([".", ",", "٫"]),
    st.booleans(),
)
def test_numbers_are_those_of_each_text(texts: list[str], decimal: str, codes: bool) -> None:
    spelling = {"decimal": decimal} | ({"codes": True} if codes else {})
    found = numbers_of(pa.array(texts, pa.large_string()), spelling)
    numbers = [spellings.number_of(text, spelling) for text in texts]
    expected = np.array([np.nan if n is None else n.value for n in numbers], dtype="float64")
    assert found.view("int64").tolist() == expected.view("int64").tolist()  # to the last bit


@examples
@given(
    st.lists(st.one_of(*KINDS.values()).map(spellings.trimmed), min_size=1, max_size=60),
    st.sampled_from([None, 0, 120]),
    st.sampled_from([None, "%Y-%m-%d"]),
)
def test_times_are_those_of_each_text(
    texts: list[str], offset: int | None, date_format: str | None
) -> None:
    spelling = {"offset": offset, "format": date_format}
    found = times_of(pa.array(texts, pa.large_string()), spelling)
    for text, time in zip(texts, found.tolist(), strict=True):
        date = spellings.date_of(text, spelling)
        assert time == (None if date is None else spellings.in_offset(date, offset)), text


# ---------------------------------------------------------------- which columns are read with arrays


def decided(values: list[Any]) -> ColumnReading | None:
    column = distinct_texts("x", pd.Series(values, dtype="str"))
    assert column is not None
    return decide_many(column, many_texts.Hints())


NUMBERS = np.random.default_rng(1).gamma(2, 900, 30_000)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number", [f"{x:.2f}" for x in NUMBERS] + ["n/a"] * 99),
        ("number", [repr(float(x)) for x in NUMBERS] + ["n/a"] * 99),
        ("number", [f"{x:.2f}".replace(".", ",") for x in NUMBERS]),
        ("number", [f"${x:,.2f}" for x in NUMBERS]),
        ("date", [f"2024-01-{1 + n % 31:02} {n % 24:02}:{n % 60:02}:{n % 59:02}" for n in range(30_000)]),
        ("identifier", [f"C{n:08}" for n in range(30_000)]),
        ("text", [f"order {n} was late again" for n in range(30_000)]),
        ("category", [f"Town {n % 9_000}" for n in range(30_000)]),
    ],
)  # fmt: skip
def test_usual_columns_of_many_texts_are_read_with_arrays(kind: str, values: list[str]) -> None:
    found = decided(values)
    assert found is not None
    assert found.type == kind
    with text_by_text():
        assert found == read_columns(frame_of("x", list(values)))["x"]


def test_texts_that_are_unreadable_are_counted_and_shown_as_text_by_text() -> None:
    values = (
        [f"{x:.2f}" for x in NUMBERS[:5_000]] + [f"about {n}" for n in range(100)] + ["1,5"] * 9
    )
    frame = frame_of("x", values[::-1])
    found = read_columns(frame)["x"]
    assert (found.type, found.unreadable) == ("number", 109)
    assert [item["row"] for item in found.examples] == [1, 10, 11, 12, 13]
    with text_by_text():
        assert found == read_columns(frame)["x"]


def test_decimal_separator_of_many_texts() -> None:
    for sign in ".,":
        texts = [f"{x:.1f}".replace(".", sign) for x in NUMBERS] + ["?"] * 9
        column = distinct_texts("x", pd.Series(texts, dtype="str"))
        assert column is not None
        assert decimal_of_many(column) == sign
