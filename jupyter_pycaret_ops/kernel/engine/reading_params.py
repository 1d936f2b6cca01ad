"""Set-up parameters that say how the columns of the data are read, and `ReadingSettings` from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_cells import SETTABLE_TYPES
from jupyter_pycaret_ops.common.tables.named_columns import column_faults

from ..reading.columns import NO_SETTINGS, ReadingSettings
from .interfaces import PlanFailed
from .parameters import Param
from .settings import IGNORE_FEATURES

_NAMES: JSON = {"type": "array", "items": {"type": "string"}}
_WORDS: JSON = {"type": "array", "items": {"type": "string"}}
#: lists of columns of PyCaret 3 → the type of these columns
_LISTS = {
    "numeric_features": ("number", "Columns to read as numbers."),
    "categorical_features": ("category", "Columns to read as categories."),
    "text_features": ("text", "Columns to read as free text."),
}

READING_PARAMS = [
    IGNORE_FEATURES,
    Param(
        "column_types",
        {
            "type": "object",
            "additionalProperties": {"type": "string", "enum": list(SETTABLE_TYPES)},
        },
        {},
        f"Types of columns, by name, in place of those found: {', '.join(SETTABLE_TYPES)}.",
    ),
    *(Param(name, _NAMES, [], description) for name, (_, description) in _LISTS.items()),
    Param(
        "ordinal_features",
        {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
        {},
        "Levels of ordered categories, by column, from the lowest to the highest.",
    ),
    Param(
        "date_features",
        {"type": "object", "additionalProperties": {"type": "string"}},
        {},
        "Formats of dates, by column, such as %d/%m/%Y.",
    ),
    Param("keep_features", _NAMES, [], "Columns to use although they look like identifiers."),
    Param(
        "missing_values",
        {
            "type": ["array", "object", "null"],
            "items": {"type": "string"},
            "additionalProperties": _WORDS,
        },
        None,
        "Words that mean a missing value, for all columns or by column, in place of the usual ones.",
    ),
]
MERGE_LEVELS = Param(
    "merge_levels",
    {"type": "boolean"},
    False,
    "Join classes that differ by case or blanks only, under the most frequent spelling.",
)
POSITIVE_CLASS = Param(
    "positive_class",
    {"anyOf": [{"type": ["string", "null"]}, {"type": ["number", "boolean"]}]},
    None,
    "The label that precision, recall and the like are about, of two; by default yes, true, 1 or positive, else the "
    "rarer one.",
)
DROP_RARE_CLASSES = Param(
    "drop_rare_classes",
    {"type": "boolean"},
    False,
    "Leave out the rows of classes that have one row only.",
)
#: what is said of labels
LABEL_PARAMS = [MERGE_LEVELS, DROP_RARE_CLASSES, POSITIVE_CLASS]
READING_NAMES = frozenset(param.name for param in [*READING_PARAMS, *LABEL_PARAMS])


def reading_settings(
    settings: JSON, columns: Iterable[str], *, file: ReadingSettings = NO_SETTINGS
) -> ReadingSettings:
    """Return how the columns are to be read, from the set-up parameters of a run.

    `columns` : the names of the data; `file` : what the file says. Raises `PlanFailed` for a column that the
    data do not have, or that is named twice.
    """
    for fault in column_faults(settings, list(columns)):
        raise PlanFailed("user", fault.message)
    types: dict[str, str] = dict(settings["column_types"])
    for param, (kind, _) in _LISTS.items():
        types |= dict.fromkeys(settings[param], kind)
    types |= dict.fromkeys(settings["date_features"], "date")
    words: Any = settings["missing_values"]
    if isinstance(words, dict):
        words = {name: tuple(given) for name, given in words.items()}
    elif words is not None:
        words = tuple(words)
    return replace(
        file,
        types=types,
        date_formats=settings["date_features"],
        levels=settings["ordinal_features"],
        missing_words=words,
        kept=frozenset(settings["keep_features"]),
    )
