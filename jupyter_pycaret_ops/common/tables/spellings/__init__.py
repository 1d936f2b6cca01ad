"""How numbers, dates, durations and booleans are spelled in tables, and what such a text means.

The rules are those of the page "How your table is read". They are used where types are decided, where a run
reads its table, and where a deployment reads rows; stored pipelines contain this package (`kernel/engine/finalize`
pickles it by value). So it imports the standard library only, and pipelines depend on its names.
"""

from __future__ import annotations

from .date_spelling import (
    DATE_PARTS,
    Date,
    date_of,
    date_of_value,
    day_and_month,
    in_offset,
    parse_date,
    with_offset,
)
from .duration_spelling import (
    parse_duration,
    seconds_of,
)
from .number_spelling import (
    LARGEST_INTEGER,
    NUMBER,
    PLAIN_NUMBER,
    SHORT_NUMBER,
    Number,
    digits_of,
    is_code,
    number_of,
    number_text,
    parse_number,
    separators_of,
)
from .texts import (
    BLANKS,
    UNSEEN,
    folded,
    text_of,
    trimmed,
    with_ascii_digits,
)
from .words import (
    BOOLEAN_WORDS,
    INFINITE_WORDS,
    MISSING_TEXTS,
    MISSING_WORDS,
    boolean_words,
    is_missing_word,
    parse_boolean,
)

__all__ = [
    "BLANKS",
    "BOOLEAN_WORDS",
    "DATE_PARTS",
    "INFINITE_WORDS",
    "LARGEST_INTEGER",
    "MISSING_TEXTS",
    "MISSING_WORDS",
    "NUMBER",
    "PLAIN_NUMBER",
    "SHORT_NUMBER",
    "UNSEEN",
    "Date",
    "Number",
    "boolean_words",
    "date_of",
    "date_of_value",
    "day_and_month",
    "digits_of",
    "folded",
    "in_offset",
    "is_code",
    "is_missing_word",
    "number_of",
    "number_text",
    "parse_boolean",
    "parse_date",
    "parse_duration",
    "parse_number",
    "seconds_of",
    "separators_of",
    "text_of",
    "trimmed",
    "with_ascii_digits",
    "with_offset",
]
