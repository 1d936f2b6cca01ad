"""Code for the changes of the data by the engine, in pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...common.tables.spellings import DATE_PARTS, MISSING_TEXTS
from . import preparation, splitting
from .cells import assignments
from .run_facts import Facts

_TEXT = '''\
def text(value):
    """Return a value of a text column as text; 1, 1.0 and "1" are the same."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return str(value).strip()
'''
_PLAIN_TEXT = '''\
def text(value):
    """Return a value of a text column as text, without blanks around it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
'''
_NUMBERS_OF = '''\
def numbers(column, decimal="."):
    """Return the numbers that texts mean: with groups of thousands, currency, percent or a bound; else NaN."""
    text = column.map(str).astype(object)
    for blank in "\\u00a0\\u2009\\u202f":
        text = text.str.replace(blank, " ", regex=False)
    text = text.str.strip()
    parts = text.str.extract(
        r"^[<>≤≥]?=?\\s*(\\()?\\s*([-−+])?[^\\d.,()−+-]{0,4}([-−+])?((?:\\d[\\d.,'’ ]*|[.,]\\d+))"
        r"([eE][-+]?\\d+)?[^\\d.,()−+-]{0,4}\\)?$"
    )
    digits = parts[3].str.replace(rf"[^\\d{decimal}]", "", regex=True).str.replace(decimal, ".", regex=False)
    values = pd.to_numeric(digits + parts[4].fillna(""), errors="coerce").astype("float64")
    is_negative = parts[0].notna() | parts[[1, 2]].isin(["-", "−"]).any(axis=1)
    return values.where(~is_negative, -values).mask(digits.str.match(r"0\\d") == True)  # noqa: E712
'''
DATES_OF = '''\
def dates(column, format=None, day_first="", offset=None):
    """Return times without a zone, in the offset from UTC of the column, in minutes.

    `day_first`: separators with which the day stands before the month.
    """
    read = pd.to_datetime(column, format=format or "ISO8601", errors="coerce", utc=True)
    others = column.where(read.isna())
    is_first = others.map(lambda text: any(sign in str(text) for sign in day_first))
    for value in (True, False):
        part = others.where(is_first == value)
        read = read.fillna(
            pd.to_datetime(part, format="mixed", dayfirst=value, errors="coerce", utc=True)
        )
    return read.dt.tz_localize(None) + pd.Timedelta(minutes=offset or 0)
'''
_SAFE = '''\
def safe(name, taken):
    """Return a name that all models accept and that is not taken."""
    base = re.sub(r"[^\\w.\\-]+", "_", name) or "column"
    made, number = base, 2
    while made in taken:
        made, number = f"{base}_{number}", number + 1
    taken.add(made)
    taken.update(f"{made}_{part}" for part in DATE_PARTS)
    return made
'''
_UNIQUE = '''\
def unique(names):
    """Return the names as unique texts."""
    texts = ["_".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in names]
    made = []
    for text in texts:
        name, number = text, 2
        while name in made or (name != text and name in texts):
            name, number = f"{text}_{number}", number + 1
        made.append(name)
    return made
'''
#: results of `infer_dtype` that are numbers for models
_NUMBERS = {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}
#: changes that leave columns out
_DROPPED = (
    "columns_ignored",
    "empty_columns_dropped",
    "constant_columns_dropped",
    "identifiers_dropped",
)
#: sources whose text columns have only text
_TEXT_SOURCES = {"csv_upload", "sklearn"}


def code_of(facts: Facts) -> str:
    """Return the code that computes `data` from `table`: features and target."""
    parts = [imports(facts), _constants(facts), *_helpers(facts), _rows(facts), _loop(facts)]
    target = f"{_target(facts)}\n" if facts.has_target else ""
    parts.append(f"{target}data.head()")
    return "\n\n".join(part.strip("\n") for part in parts if part)


def columns_of(facts: Facts) -> list[str]:
    """Return the parts of the code that computes `data` from all columns of `table` except the target."""
    return [_constants(facts), *_helpers(facts), _loop(facts)]


def _needs_json(facts: Facts) -> bool:
    changed = facts.changed("mixed_to_text") or facts.changed("nested_to_text")
    return (
        bool(changed or facts.changed("target_to_text"))
        or facts.run.data["kind"] not in _TEXT_SOURCES
    )


def _setting(facts: Facts, name: str) -> Any:
    return (facts.snapshot.get("setup_params") or {}).get(name)


def _text_columns(facts: Facts) -> list[str]:
    """Return the columns that the user wants to be read as text, whatever pandas makes of them."""
    types = _setting(facts, "column_types") or {}
    listed = [
        *(_setting(facts, "categorical_features") or []),
        *(_setting(facts, "text_features") or []),
    ]
    return [*(n for n, t in types.items() if t in ("category", "text", "identifier")), *listed]


def _makes_safe(facts: Facts) -> bool:
    """Return whether columns get the names that models have: always where the preparation names them."""
    return facts.changed("names_made_safe") is not None or preparation.is_auto(facts)


def _reads_numbers(facts: Facts) -> bool:
    return bool(
        facts.changed("texts_to_numbers")
        or facts.changed("target_to_numbers")
        or any(spelling["type"] == "number" for spelling in splitting.spellings(facts))
    )


def _reads_dates(facts: Facts) -> bool:
    return bool(
        facts.changed("dates_expanded")
        or any(spelling["type"] == "date" for spelling in splitting.spellings(facts))
    )


def imports(facts: Facts) -> str:
    """Return the imports of the cell."""
    names = ["json"] if _needs_json(facts) else []
    names += ["re"] if _makes_safe(facts) else []
    standard = "".join(f"import {name}\n" for name in names)
    return f"{standard}\nimport numpy as np\nimport pandas as pd"


def _constants(facts: Facts) -> str:
    names = {"NUMBERS": repr(sorted(_NUMBERS))}
    dates, blanks = facts.changed("dates_expanded"), facts.changed("blanks_to_missing")
    if dates:
        names["DATES"] = _listed(dates["dates"])
    if blanks:
        names["BLANKS"] = repr(blanks["blanks"])
    spelled = facts.changed("texts_to_numbers")
    if spelled:
        names["SPELLINGS"] = _listed(spelled["spellings"])
    levels = _setting(facts, "ordinal_features")
    if levels:
        names["LEVELS"] = _listed(levels)
    names["MISSING"] = repr(sorted(MISSING_TEXTS | {""}))
    words = _setting(facts, "missing_values")
    if words is not None:
        names["WORDS"] = repr(words)
    if _text_columns(facts):
        names["TEXTS"] = repr(_text_columns(facts))
    if _makes_safe(facts):
        names["DATE_PARTS"] = repr(DATE_PARTS)
    if facts.changed("durations_to_seconds"):
        names["DURATIONS"] = repr(facts.columns("durations_to_seconds"))
    return assignments(names)


def _listed(items: Mapping[str, Any]) -> str:
    listed = "".join(f"    {name!r}: {value!r},\n" for name, value in items.items())
    return f"{{\n{listed}}}"


def _helpers(facts: Facts) -> list[str]:
    return [
        *([_UNIQUE] if facts.changed("columns_renamed") else []),
        *([_SAFE] if _makes_safe(facts) else []),
        _TEXT if _needs_json(facts) else _PLAIN_TEXT,
        *([_NUMBERS_OF] if _reads_numbers(facts) else []),
        *([DATES_OF] if _reads_dates(facts) else []),
    ]


def _rows(facts: Facts) -> str:
    lines = []
    if facts.run.data["kind"] == "frame":
        lines.append("table = table.reset_index(drop=True)")
    if facts.changed("columns_renamed"):
        lines.append("table.columns = unique(table.columns)")
    is_held_out = splitting.is_held_out(facts)
    if is_held_out:
        lines.append("is_held = np.arange(len(table)) >= n_rows")
    if facts.changed("rows_without_target_dropped"):
        known = "table[TARGET].replace([np.inf, -np.inf], np.nan).notna()"
        if facts.changed("target_to_numbers"):
            known = f"{_target_numbers(facts)}.notna()"
        elif facts.kind.answers == "labels":
            known += " & ~table[TARGET].map(text, na_action='ignore').isin(MISSING)"
        lines.append(f"known = {known}")
        lines.append("table = table[known].reset_index(drop=True)")
        lines += ["is_held = is_held[known.to_numpy()]"] if is_held_out else []
    rare = facts.changed("rare_classes_dropped")
    if rare:
        lines.append(f"is_rare = table[TARGET].map(text).isin({rare['classes']!r})")
        lines.append("table = table[~is_rare].reset_index(drop=True)")
        lines += ["is_held = is_held[~is_rare.to_numpy()]"] if is_held_out else []
    split_by = splitting.columns(facts)
    if split_by:
        lines.append(f"split_by = table[{split_by!r}]")
    dropped = [name for code in _DROPPED for name in facts.columns(code)]
    if dropped:
        lines.append(f"table = table.drop(columns={dropped!r})")
    return "\n".join(lines)


def _loop(facts: Facts) -> str:
    """Return the loop over the columns, in the order of the engine."""
    is_made_safe = _makes_safe(facts)
    key = "key" if is_made_safe else "name"
    separator = "_" if preparation.is_auto(facts) else "__"
    branches: list[tuple[str, list[str]]] = []
    if facts.changed("dates_expanded"):
        branches.append(("name in DATES", _dates(key, facts.run.data["kind"], separator)))
    if _setting(facts, "ordinal_features"):
        codes = "column.map(text, na_action='ignore').map({str(v): i for i, v in enumerate(LEVELS[name])})"
        branches.append(("name in LEVELS", [f'columns[{key}] = {codes}.astype("float64")']))
    if _text_columns(facts):
        branches.append(("name in TEXTS", [_AS_TEXT.format(key=key)]))
    if facts.changed("texts_to_numbers"):
        branches.append(
            (
                '"true" in SPELLINGS.get(name, {})',
                [
                    'words = {SPELLINGS[name]["true"].lower(): 1.0, SPELLINGS[name]["false"].lower(): 0.0}',
                    f"columns[{key}] = column.astype(str).str.strip().str.lower().map(words)",
                ],
            )
        )
        branches.append(
            (
                "name in SPELLINGS",
                [f'columns[{key}] = numbers(column, SPELLINGS[name].get("decimal") or ".")'],
            )
        )
    if facts.changed("durations_to_seconds"):
        seconds = 'pd.to_timedelta(column, errors="coerce").dt.total_seconds()'
        branches.append(("name in DURATIONS", [f"columns[{key}] = {seconds}"]))
    if facts.changed("blanks_to_missing"):
        numbers = 'pd.to_numeric(column.mask(column.isin(BLANKS[name]))).astype("float64")'
        branches.append(("name in BLANKS", [f"columns[{key}] = {numbers}"]))
    numbers = 'column.astype("float64").replace([np.inf, -np.inf], np.nan)'
    is_number = "pd.api.types.infer_dtype(column, skipna=True) in NUMBERS"
    branches.append((is_number, [f"columns[{key}] = {numbers}"]))
    names = "table.columns.drop(TARGET)" if facts.has_target else "table.columns"
    lines = ["columns = {}", f"for name in {names}:", "    column = table[name]"]
    if is_made_safe:
        lines.insert(0, "taken = {TARGET}" if facts.has_target else "taken = set()")
        lines.append("    key = safe(name, taken)")
    if _setting(facts, "missing_values") is not None:
        words = (
            "WORDS.get(name, [])"
            if isinstance(_setting(facts, "missing_values"), dict)
            else "WORDS"
        )
        lines.append(
            f"    column = column.mask(column.map(text, na_action='ignore').isin({words}))"
        )
    for position, (condition, body) in enumerate(branches):
        lines.append(f"    {'elif' if position else 'if'} {condition}:")
        lines += [f"        {line}" for line in body]
    lines += [
        "    else:",
        f"        {_AS_TEXT.format(key=key)}",
        "data = pd.DataFrame(columns)",
    ]
    return "\n".join(lines)


#: a column of text, without blanks around it
_AS_TEXT = """\
texts = column.map(text, na_action="ignore").astype(object)
        columns[{key}] = texts.where(column.notna() & ~texts.isin(MISSING), np.nan)"""


def _dates(key: str, kind: str, separator: str) -> list[str]:
    months = [
        "if isinstance(column.dtype, pd.PeriodDtype):",
        "    column = column.dt.to_timestamp()",
    ]
    return [
        *(months if kind == "frame" else []),
        "spelling = DATES[name]",
        "times = dates(",
        "    column,",
        '    spelling.get("form") or spelling.get("format"),',
        '    "/.-" if spelling.get("day_first") is True else spelling.get("day_first") or "",',
        '    spelling.get("offset"),',
        ")",
        'for part in spelling["parts"]:',
        '    if part == "days":',
        "        values = (times - pd.Timestamp(0)) // pd.Timedelta(days=1)",
        "    else:",
        "        values = getattr(times.dt, part)",
        f'    columns[f"{{{key}}}{separator}{{part}}"] = values.astype("float64")',
    ]


def _target_numbers(facts: Facts) -> str:
    changed = facts.changed("target_to_numbers") or {}
    spelling = changed.get("spelling") or {}
    return f"numbers(table[TARGET], {spelling.get('decimal') or '.'!r})"


def _positive_last(facts: Facts) -> str:
    """Return the line that puts the positive label of two last, as metrics expect it."""
    positive = facts.snapshot.get("positive_class")
    return "" if positive is None else f"\nLABELS.sort(key=lambda label: label == {positive!r})"


def _target(facts: Facts) -> str:
    if facts.kind.answers == "numbers":
        if facts.changed("target_to_numbers"):
            return f"data[TARGET] = {_target_numbers(facts)}"
        return 'data[TARGET] = pd.to_numeric(table[TARGET]).astype("float64")'
    target = "table[TARGET]"
    merged = facts.changed("levels_merged")
    if merged:
        target = f"table[TARGET].astype(object).replace({merged['merged']!r})"
    elif facts.changed("target_to_text"):
        target = "table[TARGET].astype(object).map(text)"
    return f"""\
# labels are encoded as 0, 1, 2, … in their order
target = {target}
LABELS = sorted(target.unique()){_positive_last(facts)}
data[TARGET] = target.map({{label: code for code, label in enumerate(LABELS)}}).astype("int64")"""
