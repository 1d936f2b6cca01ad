"""How numbers, dates, durations and booleans are spelled in tables, and what such a text means.

The rules are those of the page "How your table is read". They are used where types are decided, where a run
reads its table, and where a deployment reads rows; stored pipelines contain this module (`kernel/engine/finalize`
pickles it by value). So it imports the standard library only, and pipelines depend on its names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
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
#: numbers that no model takes, as programs write them: missing, too
INFINITE_WORDS = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
#: missing in columns of text, as they are written
MISSING_TEXTS = frozenset({"NaN", "nan", "null", "NULL", "#N/A"})
#: the pairs of words of a boolean column: (true, false)
BOOLEAN_WORDS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
#: integers beyond it have no exact float
LARGEST_INTEGER = 2**53
#: a number as programs write it, which is no code: needs no look at the column's separators
PLAIN_NUMBER = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?"
)

#: blanks in numbers and around cells: space, no-break, figure, thin, narrow no-break, ideographic space
BLANKS = " \t\u00a0\u2007\u2009\u202f\u3000"
#: other signs around cells that are not seen: line ends, byte-order mark, zero-width space
_UNSEEN = BLANKS + "\r\n\v\f\ufeff\u200b"
#: ISO 4217 codes
_CURRENCY_CODES = (
    *("USD", "EUR", "GBP", "JPY", "CNY", "RMB", "INR", "CHF", "CAD", "AUD", "NZD", "SEK"),
    *("NOK", "DKK", "ISK", "PLN", "CZK", "HUF", "RON", "BGN", "RSD", "TRY", "RUB", "UAH"),
    *("KZT", "GEL", "ILS", "ZAR", "BRL", "MXN", "ARS", "CLP", "COP", "PEN", "UYU", "CRC"),
    *("DOP", "KRW", "HKD", "SGD", "TWD", "THB", "IDR", "MYR", "PHP", "VND", "PKR", "BDT"),
    *("LKR", "SAR", "AED", "QAR", "KWD", "BHD", "OMR", "JOD", "EGP", "MAD", "TND", "DZD"),
    *("NGN", "KES", "GHS", "TZS", "UGX", "ETB", "XOF", "XAF"),
)
#: words around numbers: codes in capitals or small letters, and others as they are written
_CURRENCY_WORDS = frozenset(
    (
        *_CURRENCY_CODES,
        *map(str.lower, _CURRENCY_CODES),
        *(
            "Rs.",
            "Rs",
            "kr.",
            "kr",
            "Kč",
            "zł",
            "Ft",
            "лв.",
            "лв",
            "руб.",
            "руб",
            "₽.",
            "грн",
            "lei",
        ),
        "%",
    )
)
#: US$, R$, €
_CURRENCY_SIGN = re.compile("[A-Z]{0,3}[$¢£¤¥֏؋৳฿៛₠-₿﷼﹩$¢£¥₩元円원]")
_AROUND = r"(?:Rs|kr|лв|руб|₽)\.|[^0-9.,'()<>≤≥=+−\- ٫٬]{1,4}"
_NUMBER = re.compile(
    rf"""(?:(?P<bound>[<>≤≥]=?)[ ]*)?
    (?:(?P<sign>[-+−])[ ]*)?
    (?:(?P<outer>{_AROUND})[ ]*)?
    (?:(?P<open>\()[ ]*)?
    (?:(?P<inside>[-+−])[ ]*)?
    (?:(?P<before>{_AROUND})[ ]*)?
    (?:(?P<inner>[-+−])[ ]*)?
    (?P<digits>[0-9](?:[0-9.,'٫٬ ]*[0-9.,٫])?|[.,٫][0-9]+)
    (?P<exponent>[eE][-+]?[0-9]+)?
    (?:[ ]*(?P<after>{_AROUND}))?
    (?:[ ]*(?P<close>\)))?
    (?:[ ]*(?P<end>{_AROUND}))?
    """,
    re.VERBOSE,
)
#: signs that are written in several ways → the one that the rules know
_SAME_SIGNS = str.maketrans(
    {
        **dict.fromkeys(BLANKS[1:], " "),
        "’": "'",
        "٪": "%",
        "%": "%",
        "．": ".",
        "，": ",",
        "－": "-",
    }
)
_DECIMAL_SIGNS = ".,٫"
_GROUP_SIGNS = ",.' ٬"
#: most numbers that are not plain: `1,200.50`, `$5`, `15 %`
_SHORT = re.compile(r"([-+]?)([$€£¥]?)([0-9][0-9.,]*)(?: ?([%$€£¥]))?")
#: the usual groups of three: `1,200.50` and `1.200,50`
_IN_ENGLISH = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_IN_GERMAN = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_INTEGER = re.compile(r"[-+]?[0-9]+")


class Number:
    """A number and how it was written.

    `bound` : `<` or `>` before it; `currency` : its sign or word (`$`, `EUR`), empty without one.
    """

    __slots__ = ("bound", "currency", "is_negative_in_parentheses", "is_percent", "value")

    def __init__(
        self,
        value: float,
        bound: str = "",
        *,
        is_percent: bool = False,
        currency: str = "",
        is_negative_in_parentheses: bool = False,
    ) -> None:
        self.value = value
        self.bound = bound
        self.is_percent = is_percent
        self.currency = currency
        self.is_negative_in_parentheses = is_negative_in_parentheses

    @property
    def has_currency(self) -> bool:
        """Whether a currency stands beside the number."""
        return bool(self.currency)


def text_of(value: Any) -> str:
    """Return one value of a text column as text; `1`, `1.0` and `"1"` are the same category."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "tolist") and getattr(getattr(value, "dtype", None), "kind", "") not in "mM":
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


def number_text(text: str) -> str:
    """Return a plain number as the text of its value, `4.0` as `4`; other texts as they are."""
    if not PLAIN_NUMBER.fullmatch(text) or is_code(text):
        return text
    return text_of(float(text))


def trimmed(text: str) -> str:
    """Return a text without the blanks around it."""
    return text.strip(_UNSEEN)


def is_code(text: str) -> bool:
    """Return whether a text of digits is a code and not a number: `007`, or an integer beyond 2⁵³."""
    if not text[-1:].isdecimal():
        return False
    text = with_ascii_digits(text)
    if _LEADING_ZERO.fullmatch(text):
        return True
    if len(text) <= 15 or not _INTEGER.fullmatch(text):
        return False
    return len(text) > 17 or abs(int(text)) > LARGEST_INTEGER  # int refuses thousands of digits


def with_ascii_digits(text: str) -> str:
    """Return a text with the digits of other scripts as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        str(int(sign)) if sign.isdecimal() and not sign.isascii() else sign for sign in text
    )


def digits_of(text: str) -> str | None:
    """Return the digits and separators of a number as text (`$1,200.50` → `1,200.50`), None for other texts."""
    text = trimmed(text)
    if (match := _SHORT.fullmatch(text)) and not (match[2] and match[4]):
        return match[3]
    match = _match_number(text)
    return None if match is None else match["digits"]


def parse_number(
    text: str, decimal: str = ".", thousands: str | None = None, *, allow_codes: bool = False
) -> Number | None:
    """Return the number that a text means, None where it means none; `text` has no blanks around it.

    `decimal` : the decimal separator, `.`, `,` or `٫`. `thousands` : the separators of groups of digits; None takes
    all but the decimal separator. `allow_codes` : take `007` and integers beyond 2⁵³ as numbers.
    """
    if decimal == "." and PLAIN_NUMBER.fullmatch(text):
        return Number(float(text))
    if (match := _SHORT.fullmatch(text)) and not (match[2] and match[4]):
        sign, before, digits, after = match.groups()
        body = _without_groups(digits, decimal, thousands)
        if body is None or (not allow_codes and is_code(body)):
            return None
        value = float(body)
        if not math.isfinite(value):
            return None
        return Number(
            -value if sign == "-" else value,
            is_percent=after == "%",
            currency=before or ("" if after in ("%", None) else after),
        )
    match = _match_number(text)
    if match is None:
        return None
    body = _without_groups(match["digits"], decimal, thousands)
    if body is None or (not allow_codes and is_code(body)):
        return None
    value = float(body + (match["exponent"] or ""))
    if not math.isfinite(value):
        return None
    bound, sign, outer, opened, inside, before, inner, _, _, after, _, end = match.groups()
    if opened or (sign or inside or inner or "+") in "-−":
        value = -value
    around = [word for word in (outer, before, after, end) if word is not None]
    return Number(
        value,
        "" if bound is None else "<" if bound[0] in "<≤" else ">",
        is_percent="%" in around,
        currency=" ".join(word for word in around if word != "%"),
        is_negative_in_parentheses=bool(opened),
    )


def _match_number(text: str) -> re.Match[str] | None:
    """Return the parts of a text that may be a number: bound, signs, currency, digits, percent."""
    if not text.isascii():
        text = with_ascii_digits(text).translate(_SAME_SIGNS)
    elif "\t" in text:
        text = text.replace("\t", " ")
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    _, sign, outer, opened, inside, before, inner, _, _, after, closed, end = match.groups()
    if (opened is None) != (closed is None):
        return None
    around = [word for word in (outer, before, after, end) if word is not None]
    if len(around) > 1 and "%" in around:
        return None
    for word in around:
        if word not in _CURRENCY_WORDS and _CURRENCY_SIGN.fullmatch(word) is None:
            return None
    if (sign, inside, inner).count(None) < 2:
        return None
    return match


def _without_groups(digits: str, decimal: str, thousands: str | None) -> str | None:
    """Return digits with `.` as decimal separator and without separators of groups; None if they are misplaced."""
    if decimal == "." and thousands in (None, ",") and _IN_ENGLISH.fullmatch(digits):
        return digits.replace(",", "")
    if decimal == "," and thousands in (None, ".") and _IN_GERMAN.fullmatch(digits):
        return digits.replace(".", "").replace(",", ".")
    whole, point, fraction = digits.partition(decimal)
    if fraction and not fraction.isdigit():
        return None
    if not whole.isdigit() and whole:
        used = {sign for sign in whole if not sign.isdigit()}
        separators = thousands or _GROUP_SIGNS
        if len(used) > 1 or not used <= set(separators) or decimal in used:
            return None
        groups = whole.split(used.pop())
        if not _are_groups(groups):
            return None
        whole = "".join(groups)
    return f"{whole or '0'}.{fraction}" if point else whole


def _are_groups(groups: list[str]) -> bool:
    """Return whether digits are grouped by three, or as in India: three at the end, two before (`1,20,000`)."""
    if not 1 <= len(groups[0]) <= 3 or len(groups[-1]) != 3:
        return False
    middle = {len(group) for group in groups[1:-1]}
    return middle <= {3} or (middle == {2} and len(groups[0]) <= 2)


def separators_of(digits: str) -> tuple[str | None, str | None, bool]:
    """Return decimal and thousands separator that a number shows, and whether its one separator may be either.

    `digits` is a result of `digits_of`: `1.200,50` → `(",", ".", False)`; `1,234` → `(None, None, True)`; what is
    no number in any spelling (`1.2.3`) shows none.
    """
    nothing = (None, None, False)
    if digits.isdigit():
        return nothing
    for pattern, shown in ((_IN_ENGLISH, (".", ",", False)), (_IN_GERMAN, (",", ".", False))):
        if "," in digits and "." in digits and pattern.fullmatch(digits):
            return shown
    used = [sign for sign in digits if not sign.isdigit()]
    kinds = list(dict.fromkeys(used))
    sign, last = kinds[0], used[-1]
    if len(kinds) > 1:
        if len(kinds) > 2 or last not in _DECIMAL_SIGNS or used.count(last) > 1:
            return nothing
        return (
            (last, sign, False) if _are_groups(digits.partition(last)[0].split(sign)) else nothing
        )
    if len(used) > 1 or sign not in _DECIMAL_SIGNS:
        if not _are_groups(digits.split(sign)) or sign == "٫":
            return nothing
        return {",": ".", ".": ","}.get(sign), sign, False
    whole, _, fraction = digits.partition(sign)
    if sign != "٫" and len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
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
_ZONE = r"(?: ?(?P<zone>[Zz]|(?:UTC|GMT)?[+-]\d{2}:?\d{2}|[+-]\d{2}|UTC|GMT))?"
_CLOCK = (
    r"(?:(?:[Tt]|,? {1,2})(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>[.,]\d{1,9})?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?" + _ZONE
)
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_THREE_NUMBERS = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d{{2}}){_CLOCK}"
)
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}}){_CLOCK}")
#: what is fixed in a spelling, and its regular expression, by what the text begins with
_YEAR_FIRST: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ISO 8601", _ISO),
    (
        "year first",
        re.compile(
            rf"(?P<year>\d{{4}})(?P<sep>[/.])(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}}){_CLOCK}"
        ),
    ),
    ("year-month", re.compile(r"(?P<year>[12]\d{3})[-/Mm](?P<month>\d{1,2})")),
    ("quarter", re.compile(r"(?P<year>\d{4})[- ]?[Qq](?P<quarter>[1-4])")),
    (
        "ISO 8601",
        re.compile(
            r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T"
            rf"(?P<hour>\d{{2}})(?P<minute>\d{{2}})(?P<second>\d{{2}})?(?P<fraction>[.,]\d{{1,9}})?{_ZONE}"
        ),
    ),
    ("ISO week", re.compile(r"(?P<year>\d{4})-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?")),
)
_DAY_FIRST: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("numbers", _THREE_NUMBERS),
    (
        "day month year",
        re.compile(
            rf"(?P<day>\d{{1,2}})(?:[-/ ]|\. ?)?{_NAME},?[-/ ]?(?P<year>\d{{4}}|\d{{2}}){_CLOCK}"
        ),
    ),
    ("month/year", re.compile(r"(?P<month>\d{1,2})[-/](?P<year>(?:19|20)\d{2})")),
)
_NAME_FIRST: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "month day, year",
        re.compile(rf"{_NAME}[-/ ](?P<day>\d{{1,2}})(?:, ?|[-/ ])(?P<year>\d{{4}}){_CLOCK}"),
    ),
    ("month year", re.compile(rf"{_NAME},?[-/ ](?P<year>\d{{4}})")),
    ("quarter", re.compile(r"[Qq](?P<quarter>[1-4])[- /]?(?P<year>\d{4})")),
)
_WEEKDAY = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +", re.IGNORECASE
)
_COMPACT = re.compile(r"(?P<year>1[5-9]\d{2}|2[0-2]\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_YEAR = re.compile(r"(?P<year>1[5-9]\d{2}|2[0-2]\d{2})")
_RFC_2822 = re.compile(r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})? .+")


class Date:
    """A date: wall time without a zone, the offset from UTC in minutes (None without one), and the spelling."""

    __slots__ = ("offset", "spelling", "time")

    def __init__(self, time: datetime, offset: int | None, spelling: str) -> None:
        self.time = time
        self.offset = offset
        self.spelling = spelling


def day_and_month(text: str) -> tuple[int, int, str] | None:
    """Return the two numbers before the year of `31/01/2023`, and their separator; None for other texts."""
    match = _THREE_NUMBERS.fullmatch(text)
    return None if match is None else (int(match["a"]), int(match["b"]), match["sep"])


def parse_date(
    text: str,
    *,
    day_first: bool | str = False,
    allow_compact: bool = False,
    allow_year: bool = False,
    format: str | None = None,  # noqa: A002 - as in strptime
) -> Date | None:
    """Return the date that a text means, None where it means none; `text` has no blanks around it.

    `day_first` : how `01/02/2023` is read; a text is the separators (of `/`, `.` and `-`) with which the day stands
    first; a number over 12 decides for itself. `allow_compact` : take `20230102`. `allow_year` : take `2018`.
    `format` : for `strptime`; beside it ISO 8601 is read, in which answers are written.
    """
    if format:
        try:
            return _of_time(datetime.strptime(text, format), format)
        except (ValueError, re.error):
            match = _ISO.fullmatch(text)
            return None if match is None else _of_match(match, "ISO 8601")
    start = text[:4]
    if start.isdigit():
        if len(text) in (10, 19) and (found := _of_iso(text)) is not None:
            return found
        patterns = _YEAR_FIRST
        if allow_compact and (match := _COMPACT.fullmatch(text)):
            return _of_match(match, "YYYYMMDD")
        if allow_year and (match := _YEAR.fullmatch(text)):
            return _of_match(match, "year")
    elif start[:1].isdigit():
        patterns = _DAY_FIRST
    elif start[:1].isalpha():
        if weekday := _WEEKDAY.match(text):
            return _of_weekday(text, weekday.end())
        patterns = _NAME_FIRST
    else:
        return None
    return _of_patterns(text, patterns, day_first)


def _of_patterns(
    text: str, patterns: tuple[tuple[str, re.Pattern[str]], ...], day_first: bool | str = False
) -> Date | None:
    for spelling, pattern in patterns:
        match = pattern.fullmatch(text)
        if match is not None:
            return _of_match(match, spelling, day_first=day_first)
    return None


def _of_iso(text: str) -> Date | None:
    """Return the date of `2023-01-02` or `2023-01-02 08:00:00`, the spellings of most files; None for others."""
    if text[4] != "-" or text[7] != "-" or not text.isascii():
        return None
    if len(text) == 19 and (text[10] not in "T " or text[13] != ":" or text[16] != ":"):
        return None
    try:
        return Date(datetime.fromisoformat(text), None, "ISO 8601")
    except ValueError:
        return None


def _of_weekday(text: str, begin: int) -> Date | None:
    """Return the date of a text with a day of the week before `begin`."""
    if _RFC_2822.fullmatch(text):
        try:
            return _of_time(parsedate_to_datetime(text), "RFC 2822")
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    rest = text[begin:]
    found = _of_patterns(rest, _DAY_FIRST[1:2] if rest[:1].isdigit() else _NAME_FIRST[:1])
    return None if found is None else Date(found.time, found.offset, f"weekday, {found.spelling}")


def _of_match(match: re.Match[str], spelling: str, *, day_first: bool | str = False) -> Date | None:
    parts = match.groupdict()
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < 69 else 1900  # as `%y` of strptime
    month, day = int(parts.get("month") or 1), int(parts.get("day") or 1)
    if "a" in parts:
        first, second, sep = int(parts["a"]), int(parts["b"]), parts["sep"]
        wants = day_first if isinstance(day_first, bool) else sep in day_first
        is_day_first = first > 12 or (wants and second <= 12)
        day, month = (first, second) if is_day_first else (second, first)
        spelling = f"{'day' if is_day_first else 'month'} first, {sep}"
    elif parts.get("name"):
        month = _MONTHS.get(parts["name"].lower(), 0)
    elif parts.get("quarter"):
        month = 3 * int(parts["quarter"]) - 2
    hour, minute, second = (int(parts.get(part) or 0) for part in ("hour", "minute", "second"))
    if parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"] in "Pp" else 0)
    micros = int(((parts.get("fraction") or ".0")[1:7]).ljust(6, "0"))
    is_midnight = hour == 24 and not (minute or second or micros)  # the end of a day
    try:
        if parts.get("week"):
            time = datetime.fromisocalendar(year, int(parts["week"]), int(parts["weekday"] or 1))
        else:
            time = datetime(year, month, day, 0 if is_midnight else hour, minute, second, micros)
        if is_midnight:
            time += timedelta(days=1)
        return Date(time, _offset_of(parts.get("zone")), spelling)
    except (ValueError, OverflowError):
        return None


def _offset_of(zone: str | None) -> int | None:
    """Return the minutes of an offset from UTC: `+02:00` → 120; ValueError for one that cannot be."""
    if zone is None:
        return None
    digits = zone.removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if digits in ("", "Z", "z"):
        return 0
    hours, minutes = int(digits[1:3]), int(digits[3:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no offset from UTC")
    return (-1 if digits[0] == "-" else 1) * (60 * hours + minutes)


def _of_time(time: datetime, spelling: str) -> Date:
    offset = time.utcoffset()
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    return Date(time.replace(tzinfo=None), minutes, spelling)


def in_offset(found: Date, offset: int | None) -> datetime:
    """Return the wall time of a date in the column's offset; a date without its own is in it already."""
    if found.offset is None or offset is None or found.offset == offset:
        return found.time
    try:
        return found.time + timedelta(minutes=offset - found.offset)
    except OverflowError:  # 9999-12-31 and the like, which mean "for ever"
        return found.time


def with_offset(time: datetime, offset: int | None) -> str:
    """Return a wall time as ISO 8601 text with the column's offset, if it has one."""
    if offset is None:
        return time.isoformat()
    zone = UTC if offset == 0 else timezone(timedelta(minutes=offset))
    return time.replace(tzinfo=zone).isoformat()


def date_of_value(value: Any) -> Date | None:
    """Return the date of a datetime, date, Timestamp, datetime64 or Period; None for other values and NaT."""
    if value is None or value != value:  # NaT
        return None
    if hasattr(value, "start_time"):  # a Period
        value = value.start_time
    elif getattr(getattr(value, "dtype", None), "kind", "") == "M":
        value = value.astype("datetime64[us]").tolist()
    if isinstance(value, datetime):
        return _of_time(value, "value")
    if isinstance(value, date):
        return Date(datetime(value.year, value.month, value.day), None, "value")
    return None


# ---------------------------------------------------------------- durations, booleans, missing

_HOURS_MINUTES_SECONDS = (
    r"(?P<hours>\d{1,6}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:[.,]\d{1,9})?)"
)
_CLOCK_DURATION = re.compile(
    rf"(?P<sign>[-+])?(?:(?P<days>\d{{1,8}}) ?d(?:ays?)?(?P<join>, ?| \+| ))?{_HOURS_MINUTES_SECONDS}"
)
_WORD_DURATION = re.compile(
    r"(?P<sign>[-+])?(?:\d{1,8}(?:\.\d{1,9})? ?"
    r"(?:weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?)\b\.?(?:,? (?:and )?(?=\d)|$))+"
)
_WORDS_OF_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(w|d|h|m|s)")
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_ISO_DURATION = re.compile(
    r"P(?=[\dT])(?:(\d{1,8})D)?(?:T(?=\d)(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?)?"
)


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration, None for other texts.

    `1:30:00`, `2 days`, `1 days 02:00:00`, `2 hours 30 minutes`, `PT1H30M`; as Python and pandas write negative
    ones, `-1 day, 23:00:00` and `-1 days +23:00:00` are an hour before nothing.
    """
    if match := _CLOCK_DURATION.fullmatch(text):
        days = 86_400.0 * int(match["days"] or 0)
        clock = 3_600.0 * int(match["hours"]) + 60.0 * int(match["minutes"])
        clock += float(match["seconds"].replace(",", "."))
        if match["sign"] != "-":
            return days + clock
        return clock - days if (match["join"] or " ") != " " else -(days + clock)
    if match := _WORD_DURATION.fullmatch(text):
        seconds = sum(
            float(number) * _SECONDS[unit] for number, unit in _WORDS_OF_DURATION.findall(text)
        )
        return -seconds if match["sign"] == "-" else seconds
    if match := _ISO_DURATION.fullmatch(text):
        parts = zip(match.groups(), (86_400.0, 3_600.0, 60.0, 1.0), strict=True)
        return sum(float(number or 0) * unit for number, unit in parts)
    return None


# ---------------------------------------------------------------- cells of a column
#
# `spelling` is that of the column (see `ColumnReading`), `text` has no blanks around it.


def number_of(text: str, spelling: Mapping[str, Any]) -> Number | None:
    """Return the number that a cell means in the spelling of its column, None where it means none."""
    return parse_number(
        text, spelling.get("decimal") or ".", allow_codes=bool(spelling.get("codes"))
    )


def date_of(text: str, spelling: Mapping[str, Any]) -> Date | None:
    """Return the date that a cell means in the spelling of its column, None where it means none."""
    return parse_date(
        text,
        day_first=spelling.get("day_first") or False,
        allow_compact=bool(spelling.get("compact")),
        allow_year=bool(spelling.get("year")),
        format=spelling.get("format"),
    )


def seconds_of(text: str) -> float | None:
    """Return the seconds of a duration or of a plain number of them, None for other texts."""
    found = parse_duration(text)
    if found is None and (number := parse_number(text)) is not None:
        return number.value
    return found


def boolean_words(texts: set[str]) -> dict[str, bool] | None:
    """Return what the two spellings of a boolean column mean, None where `texts` are no such pair.

    Of `true` and `false`, which parsers of CSV know in any case, there may be several spellings.
    """
    folded = {text.lower() for text in texts}
    if folded == {"true", "false"}:
        return {text: text.lower() == "true" for text in texts}
    if len(texts) != 2:
        return None
    by_word = {text.lower(): text for text in texts}
    for true, false in BOOLEAN_WORDS:
        if set(by_word) == {true, false}:
            return {by_word[true]: True, by_word[false]: False}
    return None


def parse_boolean(text: str) -> bool | None:
    """Return the boolean that a word, `1` or `0` means, None for other texts."""
    word = text.lower()
    for true, false in (*BOOLEAN_WORDS, ("1", "0")):
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
    if is_text:
        return text in MISSING_TEXTS
    word = text.lower()
    return word in MISSING_WORDS or word in INFINITE_WORDS
