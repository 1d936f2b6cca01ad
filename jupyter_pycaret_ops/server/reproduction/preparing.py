"""Code for the changes of the data by the engine, in pandas."""

from __future__ import annotations

from .cells import assignments
from .run_facts import Facts

_TEXT = '''\
def text(value):
    """Return a value of a text column as text; 1, 1.0 and "1" are the same."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return str(value)
'''
_SAFE = '''\
def safe(name, taken):
    """Return a name that all models accept and that is not taken."""
    base = re.sub(r"[^\\w.\\-]+", "_", name) or "column"
    made, number = base, 2
    while made in taken:
        made, number = f"{base}_{number}", number + 1
    taken.add(made)
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
#: sources whose text columns have only text
_PLAIN_TEXT = {"csv_upload", "sklearn"}


def code_of(facts: Facts) -> str:
    """Return the code that computes `data` from `table`: features and target."""
    parts = [imports(facts), _constants(facts), *_helpers(facts), _rows(facts), _loop(facts)]
    target = f"{_target(facts)}\n" if facts.has_target else ""
    parts.append(f"{target}data.head()")
    return "\n\n".join(part.strip("\n") for part in parts if part)


def columns_of(facts: Facts) -> list[str]:
    """Return the parts of the code that computes `data` from all columns of `table` except the target."""
    return [_constants(facts), *_helpers(facts), _loop(facts)]


def _takes_any_text(facts: Facts) -> bool:
    changed = facts.changed("mixed_to_text") or facts.changed("nested_to_text")
    return (
        bool(changed or facts.changed("target_to_text"))
        or facts.run.data["kind"] not in _PLAIN_TEXT
    )


def imports(facts: Facts) -> str:
    """Return the imports of the cell."""
    names = ["json"] if _takes_any_text(facts) else []
    names += ["re"] if facts.changed("names_made_safe") else []
    standard = "".join(f"import {name}\n" for name in names)
    return f"{standard}\nimport numpy as np\nimport pandas as pd"


def _constants(facts: Facts) -> str:
    names = {"NUMBERS": repr(sorted(_NUMBERS))}
    dates, blanks = facts.changed("dates_expanded"), facts.changed("blanks_to_missing")
    if dates:
        listed = "".join(f"    {name!r}: {form!r},\n" for name, form in dates["dates"].items())
        names["DATES"] = f"{{\n{listed}}}"
    if blanks:
        names["BLANKS"] = repr(blanks["blanks"])
    if facts.changed("durations_to_seconds"):
        names["DURATIONS"] = repr(facts.columns("durations_to_seconds"))
    return assignments(names)


def _helpers(facts: Facts) -> list[str]:
    return [
        *([_UNIQUE] if facts.changed("columns_renamed") else []),
        *([_SAFE] if facts.changed("names_made_safe") else []),
        *([_TEXT] if _takes_any_text(facts) else []),
    ]


def _rows(facts: Facts) -> str:
    lines = []
    if facts.run.data["kind"] == "frame":
        lines.append("table = table.reset_index(drop=True)")
    if facts.changed("columns_renamed"):
        lines.append("table.columns = unique(table.columns)")
    if facts.changed("rows_without_target_dropped"):
        lines.append("known = table[TARGET].replace([np.inf, -np.inf], np.nan).notna()")
        lines.append("table = table[known].reset_index(drop=True)")
    dropped = facts.columns("columns_ignored") + facts.columns("empty_columns_dropped")
    if dropped:
        lines.append(f"table = table.drop(columns={dropped!r})")
    return "\n".join(lines)


def _loop(facts: Facts) -> str:
    """Return the loop over the columns, in the order of the engine."""
    is_made_safe = facts.changed("names_made_safe") is not None
    key = "key" if is_made_safe else "name"
    branches: list[tuple[str, list[str]]] = []
    if facts.changed("dates_expanded"):
        branches.append(("name in DATES", _dates(key, facts.run.data["kind"])))
    if facts.changed("durations_to_seconds"):
        seconds = "pd.to_timedelta(column).dt.total_seconds()"
        branches.append(("name in DURATIONS", [f"columns[{key}] = {seconds}"]))
    if facts.changed("blanks_to_missing"):
        numbers = 'pd.to_numeric(column.mask(column.isin(BLANKS[name]))).astype("float64")'
        branches.append(("name in BLANKS", [f"columns[{key}] = {numbers}"]))
    numbers = 'column.astype("float64").replace([np.inf, -np.inf], np.nan)'
    is_number = "pd.api.types.infer_dtype(column, skipna=True) in NUMBERS"
    branches.append((is_number, [f"columns[{key}] = {numbers}"]))
    mapped = '.map(text, na_action="ignore")' if _takes_any_text(facts) else ""
    names = "table.columns.drop(TARGET)" if facts.has_target else "table.columns"
    lines = ["columns = {}", f"for name in {names}:", "    column = table[name]"]
    if is_made_safe:
        lines.insert(0, "taken = {TARGET}" if facts.has_target else "taken = set()")
        lines.append("    key = safe(name, taken)")
    for position, (condition, body) in enumerate(branches):
        lines.append(f"    {'elif' if position else 'if'} {condition}:")
        lines += [f"        {line}" for line in body]
    lines += [
        "    else:",
        f"        columns[{key}] = column{mapped}.astype(object).where(column.notna(), np.nan)",
        "data = pd.DataFrame(columns)",
    ]
    return "\n".join(lines)


def _dates(key: str, kind: str) -> list[str]:
    months = [
        "if isinstance(column.dtype, pd.PeriodDtype):",
        "    column = column.dt.to_timestamp()",
    ]
    return [
        *(months if kind == "frame" else []),
        'dates = pd.to_datetime(column, format=DATES[name]["form"], utc=True).dt.tz_localize(None)',
        'for part in DATES[name]["parts"]:',
        '    if part == "days":',
        "        values = (dates - pd.Timestamp(0)) // pd.Timedelta(days=1)",
        "    else:",
        "        values = getattr(dates.dt, part)",
        f'    columns[f"{{{key}}}__{{part}}"] = values.astype("float64")',
    ]


def _target(facts: Facts) -> str:
    if facts.kind.answers == "numbers":
        return 'data[TARGET] = pd.to_numeric(table[TARGET]).astype("float64")'
    target = "table[TARGET]"
    if facts.changed("target_to_text"):
        target = "table[TARGET].astype(object).map(text)"
    return f"""\
# labels are encoded as 0, 1, 2, … in their order
target = {target}
LABELS = sorted(target.unique())
data[TARGET] = target.map({{label: code for code, label in enumerate(LABELS)}}).astype("int64")"""
