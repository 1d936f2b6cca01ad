"""How numbers are spelled, and what such a text means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from .texts import BLANKS, text_of, trimmed, with_ascii_digits

#: integers beyond it have no exact float
LARGEST_INTEGER = 2**53
#: a number as programs write it, which is no code: needs no look at the column's separators
PLAIN_NUMBER = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?"
)

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
NUMBER = re.compile(
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
SHORT_NUMBER = re.compile(r"([-+]?)([$€£¥]?)([0-9][0-9.,]*)(?: ?([%$€£¥]))?")
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


def number_text(text: str) -> str:
    """Return a plain number as the text of its value, `4.0` as `4`; other texts as they are."""
    if not PLAIN_NUMBER.fullmatch(text) or is_code(text):
        return text
    return text_of(float(text))


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


def digits_of(text: str) -> str | None:
    """Return the digits and separators of a number as text (`$1,200.50` → `1,200.50`), None for other texts."""
    text = trimmed(text)
    if (match := SHORT_NUMBER.fullmatch(text)) and not (match[2] and match[4]):
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
    if (match := SHORT_NUMBER.fullmatch(text)) and not (match[2] and match[4]):
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
    match = NUMBER.fullmatch(text)
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


def number_of(text: str, spelling: Mapping[str, Any]) -> Number | None:
    """Return the number that a cell means in the spelling of its column, None where it means none."""
    return parse_number(
        text, spelling.get("decimal") or ".", allow_codes=bool(spelling.get("codes"))
    )
