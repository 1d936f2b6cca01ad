"""How the notebook gets the table that the run was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from .cells import assigned, call
from .descriptions import quoted
from .run_facts import Facts

#: more rows than one wants to scroll past are read from a file
MOST_ROWS = 200
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Text and code about one kind of source."""

    #: for people: what has to be at hand
    wanted: str
    #: assignments that stand on top
    names: str
    imports: str
    reading: str


def source_of(facts: Facts) -> Source:
    """Text and code about the run's own source."""
    return _KINDS.get(str(facts.run.data["kind"]), _frame)(facts)


def _csv(facts: Facts) -> Source:
    options = facts.run.data.get("options") or {}
    reading = call(
        "table = pd.read_csv",
        {
            "filepath_or_buffer": "DATA",
            "encoding": repr(options.get("encoding") or "utf-8-sig"),
            "sep": repr(options.get("delimiter") or ","),
            "low_memory": "False",
        },
    )
    return _file(facts, "data.csv", "import pandas as pd", reading)


def _parquet(facts: Facts) -> Source:
    reading = """\
table = pq.read_table(DATA).to_pandas(ignore_metadata=True)
# what pandas noted of its index is no part of the table
table = table.loc[:, ~table.columns.str.fullmatch(r"__index_level_\\d+__")]"""
    imports = "import pandas as pd\nimport pyarrow.parquet as pq"
    return _file(facts, "data.parquet", imports, reading)


def _file(facts: Facts, unnamed: str, imports: str, reading: str) -> Source:
    name = facts.filename or unnamed
    wanted = f"The file that was uploaded as {quoted(name)}: put its path into `DATA`."
    names = {"DATA": repr(name)}
    sha256 = facts.snapshot.get("data_sha256")
    if sha256:
        names["SHA256"] = repr(sha256)
        imports = f"import hashlib\nfrom pathlib import Path\n\n{imports}"
        reading = f"""\
if hashlib.sha256(Path(DATA).read_bytes()).hexdigest() != SHA256:
    print("This is not the file that the run was given; the scores will differ.")
{reading}"""
    return Source(wanted, assigned(names), imports, reading)


def _sklearn(facts: Facts) -> Source:
    name = str(facts.run.data["options"]["name"])
    loader = f"load_{name}"
    return Source(
        wanted=f"Nothing: the table `{name}` comes with scikit-learn.",
        names="",
        imports=f"from sklearn.datasets import {loader}",
        reading=f"table = {loader}(as_frame=True).frame",
    )


def _inline(facts: Facts) -> Source:
    imports = "import pandas as pd"
    rows = facts.rows or []
    if rows and len(rows) <= MOST_ROWS and len(msgspec.json.encode(rows)) <= MOST_BYTES:
        listed = "".join(f"    {row!r},\n" for row in rows)
        return Source(
            wanted="Nothing: the rows that the run was given stand below.",
            names=f"ROWS = [\n{listed}]",
            imports=imports,
            reading="table = pd.DataFrame.from_records(ROWS)",
        )
    return Source(
        wanted="The rows that came with the submission (`data_inline`), as a JSON array in a file: "
        "put its path into `DATA`.",
        names=assigned({"DATA": repr("rows.json")}),
        imports=f"import json\nfrom pathlib import Path\n\n{imports}",
        reading="table = pd.DataFrame.from_records(json.loads(Path(DATA).read_text()))",
    )


def _s3(facts: Facts) -> Source:
    options = facts.run.data["options"]
    reader = "read_parquet" if _is_parquet(options) else "read_csv"
    client: dict[str, str] = {}
    if options.get("region"):
        client["region_name"] = options["region"]
    storage = {"anon": not facts.has_secret} | ({"client_kwargs": client} if client else {})
    if options.get("endpoint_url"):
        storage["endpoint_url"] = options["endpoint_url"]
    arguments = {"storage_options": repr(storage)}
    if reader == "read_csv":
        arguments["low_memory"] = "False"
    return Source(
        wanted="The object in S3 that the source named. Credentials are not part of a notebook: set "
        "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` in the environment. "
        "`pip install s3fs` reads from S3. Should the file not be a comma-separated table in UTF-8, say "
        "so in `read_csv` (`sep=`, `encoding=`).",
        names=assigned({"DATA": repr(f"s3://{options['bucket']}/{options['key']}")}),
        imports="import pandas as pd",
        reading=call(
            f"table = pd.{reader}",
            {"filepath_or_buffer" if reader == "read_csv" else "path": "DATA", **arguments},
        ),
    )


def _is_parquet(options: dict[str, str]) -> bool:
    form = options.get("format")
    return form == "parquet" or (
        form is None and options["key"].lower().endswith((".parquet", ".pq"))
    )


def _postgres(facts: Facts) -> Source:
    options = facts.run.data["options"]
    where = {
        "host": options["host"],
        "port": options.get("port") or 5432,
        "dbname": options["database"],
        "user": options["user"],
    }
    if options.get("sslmode"):
        where["sslmode"] = options["sslmode"]
    if options.get("query"):
        query = repr(options["query"])
    else:
        parts = [part for part in (options.get("schema"), options["table"]) if part]
        named = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
        query = repr(f"SELECT * FROM {named}")  # noqa: S608 - every name is quoted
    return Source(
        wanted="The table in PostgreSQL that the source named. The password is not part of a notebook: "
        "set `PGPASSWORD` in the environment. `pip install 'psycopg[binary]'` connects.",
        names=assigned({"DATABASE": repr(where), "QUERY": query}),
        imports="import pandas as pd\nimport psycopg",
        reading="""\
with psycopg.connect(**DATABASE) as connection:
    cursor = connection.execute(QUERY)
    names = [column.name for column in cursor.description]
    table = pd.DataFrame(cursor.fetchall(), columns=names)""",
    )


def _frame(facts: Facts) -> Source:
    name = (facts.run.data.get("options") or {}).get("name") or "df"
    return Source(
        wanted=f"The DataFrame {quoted(name)} that the run was given, in a file: its method "
        "`to_pickle(DATA)` writes it, and `DATA` is its path.",
        names=assigned({"DATA": repr("frame.pkl")}),
        imports="import pandas as pd",
        reading="table = pd.read_pickle(DATA)",
    )


_KINDS: dict[str, Callable[[Facts], Source]] = {
    "csv_upload": _csv,
    "parquet_upload": _parquet,
    "sklearn": _sklearn,
    "inline": _inline,
    "s3": _s3,
    "postgres": _postgres,
}
