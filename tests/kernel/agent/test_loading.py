"""The DataFrame of a run: uploads with a stored dialect, and uploads from before there were dialects."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec
from jupyter_pycaret_ops.common.tables.csv_scan import CsvScan
from jupyter_pycaret_ops.kernel.agent.loading import DataUnreadable, load


def loaded(content: bytes, options: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    return load(DataSpec("csv_upload", options), lambda: content, lambda: None)


def stored(content: bytes, **fields: Any) -> dict[str, Any]:
    """Return the options of a run on an upload."""
    scan = CsvScan()
    scan.feed(content)
    config = scan.facts(fields).config()
    return {"dialect": config["dialect"], "columns": [item["name"] for item in config["columns"]]}


def test_upload_is_read_with_its_stored_dialect_and_names() -> None:
    content = "Preise in €\n\nname;name;wert\nÄhre;x;NA\nÖl;y;\n".encode("cp1252")
    options = stored(content)
    frame, facts = loaded(content, options)
    assert list(frame.columns) == ["name", "name.1", "wert"]
    assert frame["name"].tolist() == ["Ähre", "Öl"]
    # which words mean missing is decided with the types of the columns
    assert frame["wert"].iloc[0] == "NA"
    assert frame["wert"].isna().tolist() == [False, True]
    assert facts == {
        "dialect": options["dialect"],
        "data_columns": options["columns"],
        "text_columns": options["columns"],
    }


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("latin-1", ";"), ("utf-8-sig", "\t"), (None, None)]
)
def test_upload_from_before_dialects_is_read_as_it_was_then(
    encoding: str | None, delimiter: str | None
) -> None:
    sep = delimiter or ","
    text = f"größe{sep}{sep}größe\n1{sep}NA{sep}None\n2{sep}x{sep}3,5\n".replace(
        "3,5", '"3,5"' if sep == "," else "3,5"
    )
    content = text.encode(encoding or "utf-8")
    frame, facts = loaded(content, {"encoding": encoding, "delimiter": delimiter})
    expected = pd.read_csv(
        io.BytesIO(content), encoding=encoding or "utf-8-sig", sep=sep, low_memory=False
    )
    pd.testing.assert_frame_equal(frame, expected)
    assert list(frame.columns) == ["größe", "Unnamed: 1", "größe.1"]
    assert facts == {}


def test_file_that_is_not_the_one_that_was_uploaded_is_refused() -> None:
    options = stored("größe,b\n1,2\n".encode())
    with pytest.raises(DataUnreadable, match="could not be read as a table"):
        loaded("größe,b\n1,2\n".encode("cp1252"), options)
