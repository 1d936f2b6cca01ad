"""Keep the texts of columns that pandas has read as numbers too soon: codes such as `007`, and `60.000`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jupyter_pycaret_ops.common.tables.spellings import is_code, trimmed


def with_codes(
    frame: Any,
    content: bytes | None,
    delimiter: str,
    read_texts: Callable[[list[Any]], Any],
    *,
    decimal: str | None = None,
) -> Any:
    """Return `frame` with columns of codes as texts.

    Where the file's decimal separator is a comma, so are columns with a point in their numbers: their types are
    decided from the texts.

    `frame` : DataFrame of shape (n_rows, n_columns) that `pandas.read_csv` has made of `content`, None where
    its characters have several bytes; `read_texts` : reads columns of it again, as texts.
    """
    import pandas as pd

    names = [
        name
        for place, name in enumerate(frame.columns)
        if pd.api.types.is_integer_dtype(frame.dtypes.iloc[place])
        or pd.api.types.is_float_dtype(frame.dtypes.iloc[place])
    ]
    is_comma = decimal == ","
    if not names or not (is_comma or _may_have_codes(content, delimiter)):
        return frame
    texts = read_texts(names)
    for name in names:
        if is_comma and texts[name].str.contains(".", regex=False, na=False).any():
            frame[name] = texts[name].astype(object).where(texts[name].notna(), None)
            continue
        distinct = texts[name].value_counts()
        codes = sum(count for text, count in distinct.items() if is_code(trimmed(str(text))))
        if codes:  # how many make the column one of codes is decided with its type
            frame[name] = texts[name].astype(object).where(texts[name].notna(), None)
    return frame


def _may_have_codes(content: bytes | None, delimiter: str) -> bool:
    """Return whether a cell may begin with a zero before another digit, or have more than 15 digits."""
    if content is None:
        return True
    before = re.escape(delimiter.encode()) + rb'"\r\n \t+-'
    return re.search(rb"(?:^|[" + before + rb"])0\d|\d{16}", content) is not None
