"""Workbooks of Excel for tests."""

from __future__ import annotations

import io
from typing import Any

import openpyxl


def workbook(**sheets: list[list[Any]]) -> bytes:
    """Return a workbook with these sheets, each a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()
