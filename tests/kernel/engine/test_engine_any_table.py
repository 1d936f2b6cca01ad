"""Tables of every type and spelling: types are equal everywhere, no cell disappears, and each row of the file predicts.

These are the invariants 1, 2 and 4 of how a table is read; the last tests break each of them on purpose.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import RowsInvalid
from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.common.tables.csv_scan import CsvScan
from jupyter_pycaret_ops.kernel import engine, reading
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame
from jupyter_pycaret_ops.kernel.reading import files
from jupyter_pycaret_ops.kernel.reading.columns import file_settings
from jupyter_pycaret_ops.kernel.reading.profiling import profile
from jupyter_pycaret_ops.server.serving.row_validation import RowValidator

N_ROWS = 40
#: cells of a column that may be unreadable: a twentieth
N_UNREADABLE = 2


@dataclass(frozen=True)
class Kind:
    """A way to write the values of a column."""

    type: str
    #: the n-th value as it stands in the file, and as JSON has it
    write: Callable[[int], tuple[str, Any]]
    missing: tuple[str, ...] = ("",)
    unreadable: tuple[str, ...] = ()


def grouped(number: float, decimal: str, thousands: str) -> str:
    whole, _, part = f"{number:,.2f}".partition(".")
    return f"{whole.replace(',', thousands)}{decimal}{part}"


def day(n: int) -> dt.date:
    return dt.date(2023, 1, 25) + dt.timedelta(days=n * 3 % 97)


NUMBER = ("", "n/a", "-", "N/A", "NaN")
TEXT = ("", "NaN", "NULL")
KINDS = {
    "whole": Kind("number", lambda n: (str(n * 7 % 23), n * 7 % 23), NUMBER, ("err", "Total")),
    "plain": Kind("number", lambda n: (f"{n * 1.25:.3f}", n * 1.25), NUMBER, ("err",)),
    "decimal comma": Kind(
        "number", lambda n: (grouped(n * 731.5, ",", "."), n * 731.5), NUMBER, ("k.A.",)
    ),
    "blanks in thousands": Kind(
        "number", lambda n: (grouped(n * 731.5, ",", "\u202f"), n * 731.5), NUMBER, ("?!",)
    ),
    "euro": Kind("number", lambda n: (f"€ {n * 2.5:.2f}", n * 2.5), NUMBER, ("free",)),
    "percent": Kind("number", lambda n: (f"{n % 9} %", float(n % 9)), NUMBER),
    "accounting": Kind(
        "number",
        lambda n: (f"({n + 0.5})", -(n + 0.5)) if n % 2 else (f"+{n + 0.25}", n + 0.25),
        NUMBER,
    ),
    "bounds": Kind(
        "number", lambda n: ("<0.5", 0.5) if n % 5 == 0 else (f"{n / 4}", n / 4), NUMBER
    ),
    "yes": Kind("boolean", lambda n: ("yes", True) if n % 3 else ("no", False), TEXT),
    "true": Kind("boolean", lambda n: ("TRUE", True) if n % 3 else ("FALSE", False), TEXT),
    "ISO": Kind("date", lambda n: (day(n).isoformat(), day(n).isoformat()), NUMBER, ("soon",)),
    "US": Kind("date", lambda n: (f"{day(n):%m/%d/%Y}", day(n).isoformat()), NUMBER, ("soon",)),
    "German": Kind("date", lambda n: (f"{day(n):%d.%m.%Y}", day(n).isoformat()), NUMBER),
    "AM/PM": Kind(
        "date",
        lambda n: (
            f"{day(n):%m/%d/%Y} {n % 12 + 1}:05:00 PM",
            f"{day(n)}T{(n % 12 + 1) % 12 + 12:02}:05:00",
        ),
        NUMBER,
    ),
    "words": Kind("date", lambda n: (f"{day(n):%d-%b-%Y}".upper(), day(n).isoformat()), NUMBER),
    "duration": Kind(
        "duration", lambda n: (f"{n % 5}:{n:02}:00", n % 5 * 3600.0 + n * 60.0), NUMBER, ("late",)
    ),
    "days": Kind("duration", lambda n: (f"{n + 1} days", (n + 1) * 86400.0), NUMBER),
    "levels": Kind("category", lambda n: (("Gent", "None", "NA", "Lier")[n % 4],) * 2, TEXT),
    "codes": Kind("category", lambda n: (f"{n % 6:03}",) * 2, TEXT),
    "quoted": Kind(
        "category", lambda n: ((' "a", b', "c;d", "é\u00a0f")[n % 3].strip(),) * 2, TEXT
    ),
}


@dataclass(frozen=True)
class Cell:
    """A cell as it stands in the file, and as JSON; `unreadable` ones are neither a value nor missing."""

    text: str
    native: Any
    state: str = "value"


@st.composite
def columns(draw: st.DrawFn, kind: Kind) -> list[Cell]:
    order = draw(st.permutations(range(N_ROWS)))
    cells = [Cell(*kind.write(n)) for n in order]
    for place in draw(st.sets(st.integers(0, N_ROWS - 1), max_size=6)):
        cells[place] = Cell(draw(st.sampled_from(kind.missing)), None, "missing")
    readable = [place for place, cell in enumerate(cells) if cell.state == "value"]
    if kind.unreadable and draw(st.booleans()) and len(readable) >= N_ROWS - 2:
        place = draw(st.sampled_from(readable))
        cells[place] = Cell(draw(st.sampled_from(kind.unreadable)), None, "unreadable")
    return cells


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Cell]]:
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=5, unique=True))
    table = {name: draw(columns(KINDS[name])) for name in names}
    target = [Cell(f"{n * 37 % 101}.5", n * 37 % 101 + 0.5) for n in range(N_ROWS)]
    return {**table, "target of all": target}


def file_of(table: dict[str, list[Cell]]) -> bytes:
    def written(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in '";\n') else text

    lines = [";".join(table)]
    rows = zip(*table.values(), strict=True)
    lines += [";".join(written(cell.text) for cell in row) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def check(table: dict[str, list[Cell]], recorder: Any) -> None:
    """Read, train and serve a table, and hold the invariants."""
    recorder = type(recorder)()
    content = file_of(table)
    scan = CsvScan()
    scan.feed(content)
    config = scan.facts().config()
    names = [column["name"] for column in config["columns"]]
    assert names == list(table)
    spec = DataSpec("csv_upload", {**config, "columns": names})
    frame = reading.delimited_frame(content, config["dialect"], names)
    result = engine.run_plan(
        RunSpec(
            run_id="r",
            attempt=1,
            task="regression",
            plan="create",
            data=spec,
            target="target of all",
            model_id="dt",
            setup_params={"session_id": 1, "fold": 2},
            plan_params={},
        ),
        frame.copy(),
        recorder,
    )
    made = profile(frame, file_settings(spec), config["dialect"])
    _types_are_equal(table, config, made, result.snapshot["reading"], recorder.schema)
    _no_cell_disappears(table, made)
    _rows_predict(table, frame, recorder)


def _types_are_equal(
    table: dict[str, list[Cell]],
    config: dict[str, Any],
    made: dict[str, Any],
    of_run: dict[str, Any],
    schema: dict[str, Any],
) -> None:
    uploaded = {column["name"]: column["type"] for column in config["columns"]}
    profiled = {column["name"]: column["type"] for column in made["columns"]}
    trained = {name: found["type"] for name, found in of_run.items()}
    served = {column["name"]: column["column_type"] for column in schema["columns"]}
    for name in table:
        expected = KINDS[name].type if name in KINDS else "number"
        assert {profiled[name], trained[name], uploaded[name]} == {expected}, name
        assert served.get(name, expected) == expected, name


def _no_cell_disappears(table: dict[str, list[Cell]], made: dict[str, Any]) -> None:
    for column in made["columns"]:
        states = [cell.state for cell in table[column["name"]]]
        found = (column["values"], column["missing"], column["unreadable"]["count"])
        assert sum(found) == made["rows"] == N_ROWS
        wanted = tuple(states.count(state) for state in ("value", "missing", "unreadable"))
        assert found == wanted, column["name"]


def _rows_predict(table: dict[str, list[Cell]], frame: Any, recorder: Any) -> None:
    schema, pipeline = recorder.schema, recorder.pipeline("dt")
    validator = RowValidator(schema)

    def predict(row: dict[str, Any]) -> Any:
        rows, _ = validator.check([row], ignore_extra=False)
        return pipeline.predict(to_frame(schema, rows))[0]

    predict(schema["example"])
    used = {column["name"] for column in schema["columns"]}
    is_unreadable = [
        any(column[place].state == "unreadable" for name, column in table.items() if name in used)
        for place in range(N_ROWS)
    ]
    readable = [place for place in range(N_ROWS) if not is_unreadable[place]]
    downloaded = dict(zip(readable, pipeline.predict(frame.iloc[readable]), strict=True))
    for place in range(N_ROWS):
        cells = {name: column[place] for name, column in table.items()}
        as_written = {name: cell.text for name, cell in cells.items()}
        as_json = {name: cell.native for name, cell in cells.items() if name in used}
        if is_unreadable[place]:
            with pytest.raises(RowsInvalid):
                predict(as_written)
            with pytest.raises(ValueError, match="is no"):
                pipeline.predict(frame.iloc[[place]])
            continue
        expected = pytest.approx(downloaded[place], rel=1e-9)
        assert predict(as_written) == expected, as_written
        assert predict(as_json) == expected, as_json


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a failing table says enough
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(table=tables())
def test_any_table_is_read_trained_on_and_served_alike(
    table: dict[str, list[Cell]], recorder: Any
) -> None:
    check(table, recorder)


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_alone(name: str, recorder: Any) -> None:
    kind = KINDS[name]
    cells = [Cell(*kind.write(n)) for n in range(N_ROWS)]
    for place, word in enumerate(kind.missing):
        cells[2 * place + 1] = Cell(word, None, "missing")
    if kind.unreadable:
        cells[20] = Cell(kind.unreadable[0], None, "unreadable")
    target = [Cell(f"{n * 37 % 101}.5", n * 37 % 101 + 0.5) for n in range(N_ROWS)]
    other = [Cell(*KINDS["whole"].write(n)) for n in range(N_ROWS)]
    check(
        {name: cells, **({} if name == "whole" else {"whole": other}), "target of all": target},
        recorder,
    )


# ---------------------------------------------------------------- what breaks an invariant is noticed


@contextmanager
def reading_that(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> Iterator[None]:
    """Change the frame that is read from a file, as a fault in the reader would."""
    right = files.read_delimited
    with monkeypatch.context() as patched:
        patched.setattr(files, "read_delimited", lambda *given: change(right(*given)))
        yield


def shift_a_column(frame: Any) -> Any:
    return frame.assign(whole=frame["whole"].shift(1))


def drop_a_cell(frame: Any) -> Any:
    return frame.assign(whole=frame["whole"].where(frame.index != 5))


def drop_a_row(frame: Any) -> Any:
    return frame.drop(index=7).reset_index(drop=True)


def change_a_type(frame: Any) -> Any:
    return frame.assign(levels=pd.factorize(frame["levels"])[0])


@pytest.mark.parametrize("change", [shift_a_column, drop_a_cell, drop_a_row, change_a_type])
def test_fault_of_the_reader_is_noticed(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], recorder: Any
) -> None:
    table = {
        name: [Cell(*KINDS[name].write(n)) for n in range(N_ROWS)] for name in ("whole", "levels")
    }
    # the target follows the column, so that a value in another row predicts another number
    table["target of all"] = [
        Cell(f"{cell.native}.5", cell.native + 0.5) for cell in table["whole"]
    ]
    check(table, recorder)
    with reading_that(monkeypatch, change), pytest.raises(AssertionError):
        check(table, recorder)
