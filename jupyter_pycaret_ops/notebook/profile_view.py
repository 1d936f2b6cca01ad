"""The profile of a data source in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..client import records

if TYPE_CHECKING:
    import pandas as pd


class Profile:
    """How a data source is read; `columns` is a DataFrame, `reported` are sentences about what was changed."""

    def __init__(self, name: str, record: records.Profile) -> None:
        self.name = name
        self.record = record

    @property
    def columns(self) -> pd.DataFrame:
        """The columns, DataFrame of shape (n_columns, 9 or 10) with the names of the columns as index.

        With a target there is also the association of each with it, from 0 to 1.
        """
        import pandas as pd

        listed = [
            {
                "type": column["type"],
                "values": column["values"],
                "missing": column["missing"],
                "unreadable": column["unreadable"]["count"],
                "distinct": column["distinct"],
                "min": column["min"],
                "mean": column["mean"],
                "max": column["max"],
                "most frequent": ", ".join(str(item["value"]) for item in column["top"][:3]),
            }
            for column in self.record["columns"]
        ]
        associations = [column["association"] for column in self.record["columns"]]
        if any(association is not None for association in associations):
            for row, association in zip(listed, associations, strict=True):
                row["association"] = association
        names = [column["name"] for column in self.record["columns"]]
        return pd.DataFrame(listed, index=pd.Index(names, name="column"))

    @property
    def reported(self) -> list[str]:
        """What was read in another way than it stands in the file, and what to do if that is wrong."""
        return [str(item["message"]) for item in self.record["reported"]]

    @property
    def notices(self) -> list[str]:
        """What should be decided before a run, with the parameters that decide it."""
        return [
            f"{item['message']} setup: {item['setup_params']}" for item in self.record["notices"]
        ]

    def __repr__(self) -> str:
        return f"<profile of {self.name}, {self.record['rows']} rows, {len(self.record['columns'])} columns>"

    def _repr_html_(self) -> str:
        sentences = [*self.notices, *self.reported]
        listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
        return (
            f"<p><b>{escape(self.name)}</b> · {self.record['rows'] or 0:,} rows</p>"
            f"{self.columns.to_html(na_rep='', float_format='{:g}'.format)}"
            f"{f'<ul>{listed}</ul>' if listed else ''}"
        )
