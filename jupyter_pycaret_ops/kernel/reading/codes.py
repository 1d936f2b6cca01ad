"""Keep the texts of columns that pandas has read as numbers too soon: codes such as `007`, and `60.000`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jupyter_pycaret_ops.common.tables.spellings import LARGEST_INTEGER, is_code, trimmed

#: digits that begin with a zero, or have too many for an exact float
_MAY_BE_CODE = r"[ \t\v\f]*[-+]?(?:0[0-9]+|[0-9]{16,})[ \t\v\f]*"


def with_codes(
    frame: Any,
    blocks: Iterable[bytes],
    delimiter: str,
    read_texts: Callable[[list[Any]], Any],
    *,
    decimal: str | None = None,
) -> Any:
    """Return `frame` with columns of codes as texts.

    Where the file's decimal separator is a comma, so are columns with a point in their numbers: their types are
    decided from the texts.

    `frame` : DataFrame of shape (n_rows, n_columns) that `pandas.read_csv` has made of a file; `blocks` : the file, in
    an encoding like ASCII; `read_texts` : reads columns of it again, as texts.
    """
    import pandas as pd

    names = [
        name
        for place, name in enumerate(frame.columns)
        if pd.api.types.is_integer_dtype(frame.dtypes.iloc[place])
        or pd.api.types.is_float_dtype(frame.dtypes.iloc[place])
    ]
    is_comma = decimal == ","
    if not names or not (
        is_comma
        or any(_has_large_numbers(frame[name]) for name in names)
        or _may_have_leading_zeros(blocks, delimiter)
    ):
        return frame
    texts = read_texts(names)
    for name in names:
        has_points = is_comma and texts[name].str.contains(".", regex=False, na=False).any()
        # how many codes make the column one of codes is decided with its type
        if has_points or _has_codes(texts[name]):
            frame[name] = texts[name].astype(object).where(texts[name].notna(), None)
    return frame


def _has_large_numbers(numbers: Any) -> bool:
    """Return whether a number has no exact float, as codes of many digits have none."""
    return bool((numbers >= LARGEST_INTEGER).any() or (numbers <= -LARGEST_INTEGER).any())


def _has_codes(texts: Any) -> bool:
    """Return whether a cell of a column of texts, all of which pandas reads as numbers, is a code."""
    may_be = texts[texts.str.fullmatch(_MAY_BE_CODE, na=False)]
    return any(is_code(trimmed(str(text))) for text in may_be.unique())


def _may_have_leading_zeros(blocks: Iterable[bytes], delimiter: str) -> bool:
    """Return whether a cell may be a zero and other digits: `007`.

    A cell is looked for that stands whole between delimiters, or whole in quotes: dates and the groups of
    `"1,006"` are none, for which all columns of numbers would be read again.
    """
    sign = "".join(rf"\x{byte:02x}" for byte in delimiter.encode())
    blank, quote, end = r"[ \t\v\f]*", "[\"']", rf"[{sign}\r\n]"
    code = rf"{blank}[+-]?0[0-9]+{blank}"
    in_parts = rf"{quote}[0-9+-]*{quote}[0-9\"']+"  # pandas joins "0"07
    pattern = rf"(?:^|{end})(?:{code}|{quote}{code}{quote}|{in_parts})(?:{end}|$)"
    return any(_has_match(part, pattern) for part in _whole_lines(blocks))


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a file in parts that end with a line."""
    rest = b""
    for block in blocks:
        found = rest + block
        end = max(found.rfind(b"\n"), found.rfind(b"\r")) + 1
        rest = found[end:]
        if end:
            yield found[:end]
    yield rest


def _has_match(content: bytes, pattern: str) -> bool:
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
    except ImportError:
        return re.search(pattern.encode(), content) is not None
    # one cell of all bytes, without a copy: its regular expressions are ten times as fast
    offsets = pa.array([0, len(content)], pa.int64()).buffers()[1]
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(content)])
    return bool(pc.match_substring_regex(whole, pattern)[0].as_py())
