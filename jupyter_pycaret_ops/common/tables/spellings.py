"""How numbers, dates, durations and booleans are spelled in tables, and what such a text means.

The rules are those of the page "How your table is read". They are used where types are decided, where a run
reads its table, and where a deployment reads rows; stored pipelines contain this module (`kernel/engine/finalize`
pickles it by value). So it imports the standard library only, and pipelines depend on its names.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

#: missing in columns of numbers, dates and durations, in any case; the empty cell is missing everywhere
MISSING_WORDS = frozenset(
    {
        *("na", "n/a", "nan", "null", "none", "nil", "missing", "?", "-", "--", ".", "#n/a", "#na"),
        *("#value!", "#div/0!"),
    }
)
#: missing in columns of text, as they are written
MISSING_TEXTS = frozenset({"NaN", "nan", "null", "NULL", "#N/A"})
#: the pairs of words of a boolean column: (true, false)
BOOLEAN_WORDS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
#: integers beyond it have no exact float
LARGEST_INTEGER = 2**53

#: blanks in numbers and around cells: space, no-break space, thin space, narrow no-break space
BLANKS = " \t\u00a0\u2009\u202f"
_CURRENCY_CODES = frozenset(
    [
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "CNY",
        "INR",
        "CHF",
        "CAD",
        "AUD",
        "NZD",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "RON",
        "BGN",
        "TRY",
        "RUB",
        "UAH",
        "ILS",
        "ZAR",
        "BRL",
        "MXN",
        "ARS",
        "CLP",
        "COP",
        "KRW",
        "HKD",
        "SGD",
        "TWD",
        "THB",
        "IDR",
        "MYR",
        "PHP",
        "VND",
        "SAR",
        "AED",
        "EGP",
        "NGN",
        "KES",
        "Rs",
        "Rs.",
        "kr",
        "Kč",
        "zł",
        "Ft",
        "R$",
        "US$",
        "A$",
        "C$",
        "лв",
    ]
)
_CURRENCY_SIGNS = "$€£¥₹₩₽₺₪₫₴₦฿¢"
_NUMBER = re.compile(
    r"""(?P<bound>[<>≤≥]=?)?
    (?P<open>\()?
    (?P<sign>[-+−])?
    (?P<before>[^\d.,()<>≤≥+−-]{1,4})?
    (?P<inner>[-+−])?
    (?P<digits>(?:\d[\d.,'’ ]*|[.,]\d+))
    (?P<exponent>[eE][-+]?\d+)?
    (?P<after>%|[^\d.,()<>≤≥+−%-]{1,4})?
    (?P<close>\))?
    """,
    re.VERBOSE,
)
_MINUS = "-−"
_PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LEADING_ZERO = re.compile(r"[-+]?0\d+")
_INTEGER = re.compile(r"[-+]?\d+")
_GROUP_SEPARATORS = ",.'’ "


class Number:
    """A number and how it was written: `bound` is `<` or `>`, `is_percent`, `has_sign` of a currency."""

    __slots__ = ("bound", "has_currency", "is_negative_in_parentheses", "is_percent", "value")

    def __init__(
        self,
        value: float,
        bound: str = "",
        *,
        is_percent: bool = False,
        has_currency: bool = False,
        is_negative_in_parentheses: bool = False,
    ) -> None:
        self.value = value
        self.bound = bound
        self.is_percent = is_percent
        self.has_currency = has_currency
        self.is_negative_in_parentheses = is_negative_in_parentheses


def text_of(value: Any) -> str:
    """Return one value of a text column as text; `1`, `1.0` and `"1"` are the same category."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        if isinstance(value, (set, frozenset)):
            value = sorted(value, key=str)
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return str(value)


def trimmed(text: str) -> str:
    """Return a text without the blanks around it."""
    return text.strip(BLANKS + "\r\n\ufeff")


def is_code(text: str) -> bool:
    """Return whether a text of digits is a code and not a number: `007`, or an integer beyond 2⁵³."""
    if _LEADING_ZERO.fullmatch(text):
        return True
    return len(text) > 15 and bool(_INTEGER.fullmatch(text)) and abs(int(text)) > LARGEST_INTEGER


def with_ascii_digits(text: str) -> str:
    """Return a text with the digits of other scripts as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        str(int(sign)) if sign.isdecimal() and not sign.isascii() else sign for sign in text
    )


def digits_of(text: str) -> str | None:
    """Return the digits and separators of a number as text (`$1,200.50` → `1,200.50`), None for other texts."""
    match = _match_number(trimmed(text))
    return None if match is None else match["digits"].strip(BLANKS)


def parse_number(text: str, decimal: str = ".", thousands: str | None = None) -> Number | None:
    """Return the number that a text means, None where it means none; `text` has no blanks around it.

    `decimal` : the decimal separator, `.` or `,`. `thousands` : the separator of groups of three digits; None
    takes whichever is not the decimal separator.
    """
    if decimal == "." and _PLAIN.fullmatch(text) and not is_code(text):
        value = float(text)
        return Number(value) if math.isfinite(value) else None
    match = _match_number(text)
    if match is None:
        return None
    digits = match["digits"].strip(BLANKS)
    body = _without_groups(digits, decimal, thousands)
    if body is None or is_code(body):
        return None
    value = float(body + (match["exponent"] or ""))
    if not math.isfinite(value):
        return None
    in_parentheses = bool(match["open"])
    if in_parentheses or (match["sign"] or match["inner"] or "+") in _MINUS:
        value = -value
    around = {trimmed(match["before"] or ""), trimmed(match["after"] or "")} - {"", "%"}
    return Number(
        value,
        (match["bound"] or "")[:1].replace("≤", "<").replace("≥", ">"),
        is_percent=match["after"] is not None and trimmed(match["after"]) == "%",
        has_currency=bool(around),
        is_negative_in_parentheses=in_parentheses,
    )


def _match_number(text: str) -> re.Match[str] | None:
    """Return the parts of a text that may be a number: signs, currency, digits, percent."""
    text = with_ascii_digits(text)
    for blank in BLANKS[1:]:
        text = text.replace(blank, " ")
    match = _NUMBER.fullmatch(text.replace("% ", "%").replace(" %", "%"))
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    for part in (match["before"], match["after"]):
        word = trimmed(part or "")
        if word and word != "%" and word not in _CURRENCY_CODES and word not in _CURRENCY_SIGNS:
            return None
    if match["sign"] and match["inner"]:
        return None
    return match


def _without_groups(digits: str, decimal: str, thousands: str | None) -> str | None:
    """Return digits with `.` as decimal separator and without separators of groups; None if they are misplaced."""
    whole, point, fraction = digits.partition(decimal)
    if point and not (fraction.isdigit() or not fraction):
        return None
    separators = thousands if thousands else _GROUP_SEPARATORS.replace(decimal, "")
    used = {sign for sign in whole if not sign.isdigit()}
    if "’" in used and separators == "'":
        separators = "'’"
    if used:
        if len(used) > 1 or not used <= set(separators):
            return None
        groups = whole.split(used.pop())
        # groups of three; of two before the last one in India: 1,20,000
        if not (1 <= len(groups[0]) <= 3 and len(groups[-1]) == 3):
            return None
        if any(len(group) not in (2, 3) for group in groups[1:-1]) or "" in groups:
            return None
        whole = "".join(groups)
    return f"{whole or '0'}.{fraction}" if point else whole


def separators_of(digits: str) -> tuple[str | None, str | None, bool]:
    """Return decimal and thousands separator that a number shows, and whether its one separator may be either.

    `digits` is a result of `digits_of`: `1.200,50` → `(",", ".", False)`; `1,234` → `(None, None, True)`.
    """
    used = [sign for sign in digits if not sign.isdigit()]
    kinds = list(dict.fromkeys(used))
    if not used:
        return None, None, False
    if len(kinds) > 1:
        last = used[-1]
        if last in ",." and used.count(last) == 1:
            return last, kinds[0], False
        return None, None, False
    (sign,) = kinds
    if sign not in ",.":
        return None, sign, False
    if len(used) > 1:
        return "." if sign == "," else ",", sign, False
    whole, _, fraction = digits.partition(sign)
    if len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
        return None, None, True
    return sign, None, False


# ---------------------------------------------------------------- dates

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_CLOCK = (
    r"(?:(?:[T ]|, ?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>[.,]\d{1,9})?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}))?"
)
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
#: regular expressions of dates: what is fixed in a spelling, by its name
_DATES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ISO 8601", re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}}){_CLOCK}")),
    (
        "year first",
        re.compile(
            rf"(?P<year>\d{{4}})(?P<sep>[/.])(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}}){_CLOCK}"
        ),
    ),
    (
        "numbers",
        re.compile(
            rf"(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d{{2}}){_CLOCK}"
        ),
    ),
    (
        "day month year",
        re.compile(rf"(?P<day>\d{{1,2}})[- ]{_NAME},?[- ](?P<year>\d{{4}}|\d{{2}}){_CLOCK}"),
    ),
    (
        "month day, year",
        re.compile(rf"{_NAME}[- ](?P<day>\d{{1,2}}),?[- ](?P<year>\d{{4}}){_CLOCK}"),
    ),
    ("year-month", re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})")),
    ("month year", re.compile(rf"{_NAME}[- ](?P<year>\d{{4}})")),
    ("quarter", re.compile(r"(?P<year>\d{4})[- ]?[Qq](?P<quarter>[1-4])")),
    ("quarter", re.compile(r"[Qq](?P<quarter>[1-4])[- /]?(?P<year>\d{4})")),
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")
_YEAR = re.compile(r"(?P<year>[12]\d{3})")
_RFC_2822 = re.compile(r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})? .+")
_EPOCH = datetime(1970, 1, 1)


class Date:
    """A date: wall time without a zone, the offset from UTC in minutes (None without one), and the spelling."""

    __slots__ = ("offset", "spelling", "time")

    def __init__(self, time: datetime, offset: int | None, spelling: str) -> None:
        self.time = time
        self.offset = offset
        self.spelling = spelling


def day_and_month(text: str) -> tuple[int, int, str] | None:
    """Return the two numbers before the year of `31/01/2023`, and their separator; None for other texts."""
    match = _DATES[2][1].fullmatch(text)
    return None if match is None else (int(match["a"]), int(match["b"]), match["sep"])


def parse_date(
    text: str,
    *,
    day_first: bool = False,
    allow_compact: bool = False,
    allow_year: bool = False,
    format: str | None = None,  # noqa: A002 - as in strptime
) -> Date | None:
    """Return the date that a text means, None where it means none; `text` has no blanks around it.

    `day_first` : how `01/02/2023` is read; a number over 12 decides for itself. `allow_compact` : take `20230102`.
    `allow_year` : take `2018`. `format` : for `strptime`, tried before all others.
    """
    if format:
        try:
            return _of_time(datetime.strptime(text, format), format)
        except ValueError:
            pass
    for spelling, pattern in _DATES:
        match = pattern.fullmatch(text)
        if match is not None:
            found = _of_match(match, spelling, day_first=day_first)
            if found is not None:
                return found
    if allow_compact and (match := _COMPACT.fullmatch(text)):
        return _of_match(match, "YYYYMMDD")
    if allow_year and (match := _YEAR.fullmatch(text)):
        return _of_match(match, "year")
    if _RFC_2822.fullmatch(text):
        try:
            return _of_time(parsedate_to_datetime(text), "RFC 2822")
        except (ValueError, TypeError):
            return None
    return None


def _of_match(match: re.Match[str], spelling: str, *, day_first: bool = False) -> Date | None:
    parts = match.groupdict()
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < 69 else 1900  # as `%y` of strptime
    month, day = int(parts.get("month") or 1), int(parts.get("day") or 1)
    if "a" in parts:
        first, second = int(parts["a"]), int(parts["b"])
        is_day_first = first > 12 or (day_first and second <= 12)
        day, month = (first, second) if is_day_first else (second, first)
        spelling = f"{'day' if is_day_first else 'month'} first, {parts['sep']}"
    elif parts.get("name"):
        number = _MONTHS.get(parts["name"].lower())
        if number is None:
            return None
        month = number
    elif parts.get("quarter"):
        month = 3 * int(parts["quarter"]) - 2
    hour, minute, second = (int(parts.get(part) or 0) for part in ("hour", "minute", "second"))
    if parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"] in "Pp" else 0)
    micros = int(((parts.get("fraction") or ".0")[1:7]).ljust(6, "0"))
    try:
        time = datetime(year, month, day, hour, minute, second, micros)
    except ValueError:
        return None
    zone = parts.get("zone")
    return Date(time, None if zone is None else _offset_of(zone), spelling)


def _offset_of(zone: str) -> int:
    if zone in ("Z", "UTC", "GMT"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (60 * int(digits[:2]) + int(digits[2:]))


def _of_time(time: datetime, spelling: str) -> Date:
    offset = time.utcoffset()
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    return Date(time.replace(tzinfo=None), minutes, spelling)


def in_offset(found: Date, offset: int | None) -> datetime:
    """Return the wall time of a date in the column's offset; a date without its own is in it already."""
    if found.offset is None or offset is None or found.offset == offset:
        return found.time
    return found.time + timedelta(minutes=offset - found.offset)


def with_offset(time: datetime, offset: int | None) -> str:
    """Return a wall time as ISO 8601 text with the column's offset, if it has one."""
    if offset is None:
        return time.isoformat()
    zone = UTC if offset == 0 else timezone(timedelta(minutes=offset))
    return time.replace(tzinfo=zone).isoformat()


def date_of_value(value: Any) -> Date | None:
    """Return the date of a datetime, date or Timestamp; None for other values."""
    if isinstance(value, datetime):
        return _of_time(value, "value")
    if isinstance(value, date):
        return Date(datetime(value.year, value.month, value.day), None, "value")
    return None


# ---------------------------------------------------------------- durations, booleans, missing

_DURATION = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+) ?(?:d|days?)(?:,? )?)?"
    r"(?:(?P<hours>\d+):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d+)?)))?"
)


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration: `1:30:00`, `2 days`, `1 days 02:00:00`; None for other texts."""
    match = _DURATION.fullmatch(text)
    if match is None or not (match["days"] or match["hours"]):
        return None
    seconds = 86_400.0 * int(match["days"] or 0) + 3_600.0 * int(match["hours"] or 0)
    seconds += 60.0 * int(match["minutes"] or 0) + float(match["seconds"] or 0)
    return -seconds if match["sign"] else seconds


def boolean_words(texts: set[str]) -> dict[str, bool] | None:
    """Return what the two spellings of a boolean column mean, None where `texts` are no such pair."""
    if len(texts) != 2:
        return None
    by_word = {text.lower(): text for text in texts}
    for true, false in BOOLEAN_WORDS:
        if set(by_word) == {true, false}:
            return {by_word[true]: True, by_word[false]: False}
    return None


def parse_boolean(text: str) -> bool | None:
    """Return the boolean that a word means, None for other texts."""
    word = text.lower()
    for true, false in BOOLEAN_WORDS:
        if word in (true, false):
            return word == true
    return None


def is_missing_word(text: str, *, is_text: bool, words: frozenset[str] | None = None) -> bool:
    """Return whether a cell means a missing value; `text` has no blanks around it.

    `is_text` : the column holds text or labels. `words` : the user's own, in place of the rules.
    """
    if not text:
        return True
    if words is not None:
        return text in words
    return text in MISSING_TEXTS if is_text else text.lower() in MISSING_WORDS
