"""Files as a kernel reads them."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_pycaret_ops.kernel import reading


def parquet_file() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(5000)), "b": ["x", "y"] * 2500}), stream)
    return stream.getvalue()


@pytest.mark.parametrize("how", ["values that are missing", "damaged values"])
def test_parquet_with_a_whole_footer_and_damaged_values_is_refused(how: str) -> None:
    content = parquet_file()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    if how == "damaged values":
        content = content[:200] + bytes(50) + content[250:]
    else:
        content = content[:4] + content[-footer:]
    with pytest.raises(reading.SourceUnreadable, match="damaged"):
        reading.parquet_frame(content)
