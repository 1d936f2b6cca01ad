"""Code that reads the table of the run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ...common.tables import workbook
from ...common.tables.dialect import Dialect
from .cells import assignments, call
from .descriptions import quoted
from .run_facts import TableFacts

#: inline rows up to these limits are in the notebook, more are read from a file
MOST_ROWS = 200
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Text and code for one kind of source."""

    #: Markdown text: what the user has to provide
    requirements: str
    #: assignments of the first code cell
    names: str
    imports: str
    reading: str


def source_of(table: TableFacts) -> Source:
    """Return text and code for the source of a table."""
    return _KINDS.get(str(table.data["kind"]), _frame)(table)


def _csv(table: TableFacts) -> Source:
    options = table.data.get("options") or {}
    delimited = _delimited(table)
    if delimited is not None:
        return _file(table, "data.csv", "import pandas as pd", delimited)
    reading = call(
        "table = pd.read_csv",
        {
            "filepath_or_buffer": "DATA",
            "encoding": repr(options.get("encoding") or "utf-8-sig"),
            "sep": repr(options.get("delimiter") or ","),
            "low_memory": "False",
        },
    )
    return _file(table, "data.csv", "import pandas as pd", reading)


def _delimited(table: TableFacts, storage_options: str | None = None) -> str | None:
    """Return the code that reads a text file as the run did; None for a run that has no dialect.

    Lines above the header are read away: `skiprows` takes a quotation mark in them for the beginning of a cell.
    """
    raw = table.recorded.get("dialect")
    if raw is None:
        return None
    dialect = Dialect.from_json(raw)
    texts = table.recorded.get("text_columns") or []
    options = dialect.pandas_options(table.recorded["data_columns"], texts)
    read = {name: repr(value) for name, value in options.items()}
    if texts:
        read["dtype"] = f"dict.fromkeys({texts!r}, str)"
    skipped = dialect.lines_to_skip
    if not skipped and not dialect.bare_returns:
        if storage_options is not None:
            read["storage_options"] = storage_options
        return call("table = pd.read_csv", {"filepath_or_buffer": "DATA", **read})
    encoding = read.pop("encoding")
    opened = f"open(DATA, encoding={encoding}, newline={dialect.newline!r})"
    if storage_options is not None:
        opened = f'fsspec.open(DATA, "rt", encoding={encoding}, newline={dialect.newline!r}, **{storage_options})'
    lines = [f"with {opened} as file:"]
    if skipped:
        lines += [f"    for _ in range({skipped}):", "        file.readline()  # above the header"]
    parsed = call("table = pd.read_csv", {"filepath_or_buffer": "file", **read})
    return "\n".join([*lines, textwrap.indent(parsed, "    ")])


def _parquet(table: TableFacts) -> Source:
    reading = """\
table = pq.read_table(DATA).to_pandas(ignore_metadata=True)
# an index that pandas has stored is not part of the table
table = table.loc[:, ~table.columns.str.fullmatch(r"__index_level_\\d+__")]"""
    imports = "import pandas as pd\nimport pyarrow.parquet as pq"
    return _file(table, "data.parquet", imports, reading)


def _workbook(table: TableFacts) -> Source:
    options = workbook.pandas_options(table.recorded["dialect"], table.recorded["data_columns"])
    read = {name: "object" if name == "dtype" else repr(value) for name, value in options.items()}
    parsed = call("table = pd.read_excel", {"io": "DATA", **read})
    reading = f"""\
{parsed}
table = table.dropna(how="all").reset_index(drop=True).infer_objects()"""
    return _file(table, "data.xlsx", "import pandas as pd", reading)


def _file(table: TableFacts, default_name: str, imports: str, reading: str) -> Source:
    name = table.filename or default_name
    requirements = f"The file that was uploaded as {quoted(name)}: set `DATA` to its path."
    names = {"DATA": repr(name)}
    sha256 = table.recorded.get("data_sha256")
    if sha256:
        names["SHA256"] = repr(sha256)
        imports = f"import hashlib\nfrom pathlib import Path\n\n{imports}"
        reading = f"""\
if hashlib.sha256(Path(DATA).read_bytes()).hexdigest() != SHA256:
    print("This is not the file of the run; the scores will differ.")
{reading}"""
    return Source(requirements, assignments(names), imports, reading)


def _sklearn(table: TableFacts) -> Source:
    name = str(table.data["options"]["name"])
    loader = f"load_{name}"
    return Source(
        requirements=f"Nothing: the data set `{name}` is part of scikit-learn.",
        names="",
        imports=f"from sklearn.datasets import {loader}",
        reading=f"table = {loader}(as_frame=True).frame",
    )


def _inline(table: TableFacts) -> Source:
    imports = "import pandas as pd"
    rows = table.rows or []
    if rows and len(rows) <= MOST_ROWS and len(msgspec.json.encode(rows)) <= MOST_BYTES:
        listed = "".join(f"    {row!r},\n" for row in rows)
        return Source(
            requirements="Nothing: the rows of the run are below.",
            names=f"ROWS = [\n{listed}]",
            imports=imports,
            reading="table = pd.DataFrame.from_records(ROWS)",
        )
    return Source(
        requirements="The rows of the submission (`data_inline`), as a JSON array in a file: "
        "set `DATA` to its path.",
        names=assignments({"DATA": repr("rows.json")}),
        imports=f"import json\nfrom pathlib import Path\n\n{imports}",
        reading="table = pd.DataFrame.from_records(json.loads(Path(DATA).read_text()))",
    )


def _s3(table: TableFacts) -> Source:
    options = table.data["options"]
    reader = "read_parquet" if _is_parquet(options) else "read_csv"
    client: dict[str, str] = {}
    if options.get("region"):
        client["region_name"] = options["region"]
    storage = {"anon": not table.has_secret} | ({"client_kwargs": client} if client else {})
    if options.get("endpoint_url"):
        storage["endpoint_url"] = options["endpoint_url"]
    arguments = {"storage_options": repr(storage)}
    delimited = _delimited(table, repr(storage))
    if reader == "read_csv":
        arguments["low_memory"] = "False"
    return Source(
        requirements="The object in S3 of the data source. The notebook has no credentials: set "
        "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` in the environment. "
        "Install `s3fs`."
        + (
            ""
            if delimited is not None or reader != "read_csv"
            else " If the file is not a comma-separated table in UTF-8, set `sep` and `encoding` in "
            "`read_csv`."
        ),
        names=assignments({"DATA": repr(f"s3://{options['bucket']}/{options['key']}")}),
        imports="import fsspec\nimport pandas as pd"
        if "fsspec.open" in (delimited or "")
        else "import pandas as pd",
        reading=delimited
        or call(
            f"table = pd.{reader}",
            {"filepath_or_buffer" if reader == "read_csv" else "path": "DATA", **arguments},
        ),
    )


def _is_parquet(options: dict[str, str]) -> bool:
    form = options.get("format")
    return form == "parquet" or (
        form is None and options["key"].lower().endswith((".parquet", ".pq"))
    )


def _postgres(table: TableFacts) -> Source:
    options = table.data["options"]
    connection = {
        "host": options["host"],
        "port": options.get("port") or 5432,
        "dbname": options["database"],
        "user": options["user"],
    }
    if options.get("sslmode"):
        connection["sslmode"] = options["sslmode"]
    if options.get("query"):
        query = repr(options["query"])
    else:
        parts = [part for part in (options.get("schema"), options["table"]) if part]
        name = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
        query = repr(f"SELECT * FROM {name}")  # noqa: S608 - every name is quoted
    return Source(
        requirements="The table in PostgreSQL of the data source. The notebook has no password: set "
        "`PGPASSWORD` in the environment. Install `psycopg[binary]`.",
        names=assignments({"DATABASE": repr(connection), "QUERY": query}),
        imports="import pandas as pd\nimport psycopg",
        reading="""\
with psycopg.connect(**DATABASE) as connection:
    cursor = connection.execute(QUERY)
    names = [column.name for column in cursor.description]
    table = pd.DataFrame(cursor.fetchall(), columns=names)""",
    )


def _frame(table: TableFacts) -> Source:
    name = (table.data.get("options") or {}).get("name") or "df"
    return Source(
        requirements=f"The DataFrame {quoted(name)} of the run, as a file: write it with `to_pickle`, and set "
        "`DATA` to its path.",
        names=assignments({"DATA": repr("frame.pkl")}),
        imports="import pandas as pd",
        reading="table = pd.read_pickle(DATA)",
    )


_KINDS: dict[str, Callable[[TableFacts], Source]] = {
    "csv_upload": _csv,
    "parquet_upload": _parquet,
    "excel_upload": _workbook,
    "sklearn": _sklearn,
    "inline": _inline,
    "s3": _s3,
    "postgres": _postgres,
}
