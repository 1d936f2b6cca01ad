"""Numbers in the documentation equal the constants in the code.

The defaults of traits in the table of configuration.md are compared in `test_docs`.
"""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import pytest

from jupyter_pycaret_ops.cli.commands import RunsCommand
from jupyter_pycaret_ops.common.task_types import REGRESSION
from jupyter_pycaret_ops.kernel.engine.plans.base import N_SELECT
from jupyter_pycaret_ops.server.api import schemas
from jupyter_pycaret_ops.server.app import PyCaretOpsApp
from jupyter_pycaret_ops.server.serving.row_validation import RowValidator
from jupyter_pycaret_ops.server.store.session import parse_url

from ..live import ROOT
from .test_docs import DOCS, FENCE, page

KIB, MIB, GIB, MINUTE = 2**10, 2**20, 2**30, 60
WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
WORD = "|".join(WORDS)
#: stands for `#` in the sentences below
NUMBER = rf"(\d[\d,]*(?:\.\d+)?|{WORD})"
UNITS = (
    "s|seconds|minutes|hours|KiB|MiB|GiB|MB|bytes|rows|levels|characters|columns|values|million values"
    "|connections|answered requests|runs|attempts"
)
STATED = re.compile(rf"(?<![\w.`-])(?:{NUMBER[1:-1]}) (?:{UNITS})\b")

Source = str | Callable[[], float]


@dataclass(frozen=True)
class Limit:
    """A sentence of a page with one number, written `#`, and where the code has it.

    `source` names a constant as `module:NAME`, below the package; a trait by its name alone; or computes
    the value. The number on the page, times `unit`, equals it.
    """

    page: str
    sentence: str
    source: Source
    unit: float = 1

    def pattern(self) -> re.Pattern[str]:
        """Return the sentence as a regular expression with the number as its one group."""
        return re.compile(re.escape(self.sentence).replace(r"\#", NUMBER))

    def __str__(self) -> str:
        return f"{self.page}: {self.sentence}"


def constant(source: Source) -> float:
    """Return the value that a source names."""
    if callable(source):
        return source()
    module, colon, name = source.partition(":")
    if not colon:
        return float(PyCaretOpsApp.class_traits()[source].default_value)
    if module.endswith((".ts", ".tsx")):
        text = (ROOT / "labextension" / "src" / module).read_text(encoding="utf-8")
        found = re.search(rf"^(?:export )?const {name} = (\d+);", text, re.M)
        assert found is not None, f"{module} has no constant {name}"
        return float(found[1])
    return float(getattr(importlib.import_module(f"jupyter_pycaret_ops.{module}"), name))


def bound(struct: type, field: str, which: str) -> Callable[[], float]:
    """Return a source: a bound of a field of a body or query, `ge` or `le`."""

    def read() -> float:
        hint = get_type_hints(struct, include_extras=True)[field]
        return float(next(getattr(meta, which) for meta in get_args(hint)[1:]))

    return read


def default(struct: Any, field: str) -> Callable[[], float]:
    """Return a source: the default of a field of a query."""
    return lambda: float(getattr(struct(), field))


def longest_name() -> float:
    return float(next(n for n in range(1, 10_000) if not _is_name("x" * (n + 1))))


def _is_name(text: str) -> bool:
    try:
        return schemas.clean_name(text) == text
    except ValueError:
        return False


def listed_categories() -> float:
    """Return how many known categories a schema of a row lists."""
    column = {"name": "c", "type": "string", "categories": [str(n) for n in range(100)]}
    schema = RowValidator({"task": REGRESSION.id, "columns": [column]}).json_schema()
    return float(len(schema["properties"]["c"]["examples"]))


def listed_runs() -> float:
    parser = argparse.ArgumentParser()
    RunsCommand.add_arguments(RunsCommand(), parser)
    return float(parser.get_default("limit"))


def connect_timeout_s() -> float:
    return float(str(parse_url("postgresql://host/name").query["connect_timeout"]))


def whole_file_s() -> float:
    store = "server.files.file_store:"
    return constant(store + "FILE_WITHIN_S") * constant(store + "WHOLE_FILE_TIMES")


def retry_s(name: str, field: str) -> Callable[[], float]:
    """Return a source: for how many seconds the agent retries a request."""
    attempt = importlib.import_module("jupyter_pycaret_ops.kernel.agent.attempt")
    return lambda: float(getattr(getattr(attempt, name), field))


LIMITS = (
    # http-api.md
    Limit(
        "runs.md",
        "(`time_limit`, # minutes by default",
        "kernel.engine.plans.automl:DEFAULT_TIME_LIMIT",
        MINUTE,
    ),
    Limit(
        "runs.md",
        "whose last # settings improved nothing",
        "kernel.engine.search.searching:PATIENCE",
    ),
    Limit("http-api.md", "deeper than # levels", "server.api.json_body:DEEPEST_JSON_LEVELS"),
    Limit("http-api.md", "have 1 to # characters", longest_name),
    Limit("http-api.md", "(default #, at most 1000)", default(schemas.PageQuery, "limit")),
    Limit("http-api.md", "(default 100, at most #)", bound(schemas.PageQuery, "limit", "le")),
    Limit("http-api.md", "a JSON body over # MiB", "server.api.request_body:LARGEST_JSON_BYTES", MIB),
    Limit("http-api.md", "(# MiB for a `public` deployment)", "public_body_bytes", MIB),
    Limit("http-api.md", "or over # rows", "server.serving.endpoint:MOST_ROWS"),
    Limit("http-api.md", "the first rows (# to 1000)", bound(schemas.PreviewQuery, "rows", "ge")),
    Limit("http-api.md", "the first rows (1 to #)", bound(schemas.PreviewQuery, "rows", "le")),
    Limit("http-api.md", "the time is up (# to 300 s)", bound(schemas.WaitQuery, "timeout_s", "ge")),
    Limit("http-api.md", "the time is up (0 to # s)", bound(schemas.WaitQuery, "timeout_s", "le")),
    Limit("http-api.md", "closed with # when the caller", "server.api.runs:FORBIDDEN"),
    # serving.md
    Limit("serving.md", "wait up to # seconds for that", "server.serving.endpoints:PRELOAD_WITHIN_S"),
    Limit("serving.md", "within # seconds on others that share", "server.serving.endpoints:FRESH_S"),
    Limit("serving.md", "within # seconds on others.", "server.api.identity:KEY_FRESH_S"),
    Limit("serving.md", "More than # rows, or", "server.serving.endpoint:MOST_ROWS"),
    Limit("serving.md", "or more than # MiB: 413", "server.api.request_body:LARGEST_JSON_BYTES", MIB),
    Limit("serving.md", "`public_body_bytes` (# MiB)", "public_body_bytes", MIB),
    Limit("serving.md", "may take # MiB together", "server.wiring:PUBLIC_BUFFERED_BYTES", MIB),
    Limit("serving.md", "| # rows in a request", "server.serving.endpoint:MOST_ROWS"),
    Limit("serving.md", "| # rows waiting for", "server.serving.batcher:LONGEST_QUEUE_ROWS"),
    Limit("serving.md", "| # seconds for a request", "server.serving.batcher:DEADLINE_S"),
    Limit("serving.md", "the last # answered requests", "server.store.deployments:KEPT_LATENCIES"),
    # configuration.md
    Limit("configuration.md", "(# MiB) | For larger files", "upload_cap_bytes", MIB),
    Limit("configuration.md", "(# MiB) | Raise it for larger", "connector_cap_bytes", MIB),
    Limit("configuration.md", "at least # GiB", "server.executors.kernel.memory:LEAST_BYTES", GIB),
    Limit("configuration.md", "for each # of them", "server.serving.kernel_link:ROWS_PER_LIMIT"),
    Limit("configuration.md", "refused for # minutes", "server.serving.quarantine:REFUSED_S", MINUTE),
    Limit("configuration.md", "(# MiB) | Largest body", "public_body_bytes", MIB),
    Limit("configuration.md", "one more for each # KiB", "server.serving.endpoint:RATED_BYTES", KIB),
    Limit("configuration.md", "where # seconds are too short", connect_timeout_s),
    Limit("configuration.md", "the others within # seconds", "server.serving.endpoints:FRESH_S"),
    Limit("configuration.md", "within about # seconds", "server.runs.supervisor:POLL_EVERY_S"),
    # data.md
    Limit("data.md", "more than # columns", "common.tables.csv_scan:MAX_COLUMNS"),
    Limit("data.md", "or # million values", "common.tables.parquet:MAX_VALUES", 1e6),
    Limit("data.md", "more than # GiB", "common.tables.parquet:MAX_UNPACKED_BYTES", GIB),
    Limit("data.md", "over # GiB", "common.tables.workbook:MAX_UNPACKED_BYTES", GIB),
    Limit("data.md", "`port` defaults to `#`", "kernel.reading.postgres:DEFAULT_PORT"),
    Limit("data.md", "first rows (up to #)", "common.tables.preview:EXAMINED_ROWS"),
    Limit("data.md", "which has # seconds", "server.data_sources.inspection:SOURCE_WITHIN_S"),
    Limit("data.md", "`connector_cap_rows` | # |", "connector_cap_rows"),
    Limit("data.md", "`connector_cap_bytes` | # MiB |", "connector_cap_bytes", MIB),
    Limit("data.md", "`connector_timeout_s` | # s |", "connector_timeout_s"),
    # runs.md
    Limit("runs.md", "`n_select` (# to 20)", lambda: N_SELECT.schema["minimum"]),
    Limit("runs.md", "`n_select` (1 to #)", lambda: N_SELECT.schema["maximum"]),
    Limit("runs.md", "`lease_s` (# s)", "lease_s"),
    Limit("runs.md", "`cancel_grace_s` (# s)", "cancel_grace_s"),
    Limit("runs.md", "up to # attempts by default", "run_attempts"),
    Limit("design/kernel-reading.md", "reads a file # rows at a time", "kernel.reading.csv_parts:N_ROWS"),
    # security.md
    Limit("security.md", "valid here for # more seconds", "server.api.identity:KEY_FRESH_S"),
    Limit("security.md", "shorter than # bytes", "server.vault:KEY_BYTES"),
    Limit("security.md", "(up to # in a schema)", listed_categories),
    # troubleshooting.md
    Limit("troubleshooting.md", "after # minutes it fails", retry_s("WRITE_DEADLINE", "retry_later_s"), MINUTE),
    Limit("troubleshooting.md", "a preview has # seconds", "server.data_sources.inspection:SOURCE_WITHIN_S"),
    Limit("troubleshooting.md", "longer than # seconds", "server.serving.batcher:DEADLINE_S"),
    # client.md, command-line.md, magic.md, jupyterlab.md
    Limit("client.md", "less than # minutes", "client.resources.runs:PATIENCE_S", MINUTE),
    Limit("client.md", "`limit` (default #;", default(schemas.PageQuery, "limit")),
    Limit("command-line.md", "the newest # runs", listed_runs),
    Limit("magic.md", "silent for # seconds", "lease_s"),
    Limit("jupyterlab.md", "more than # rows", "sidePanel/region.tsx:FIRST"),
    # design
    Limit("design/api.md", "more than # levels", "server.api.json_body:DEEPEST_JSON_LEVELS"),
    Limit("design/api.md", "every # s whether", "server.api.runs:RECHECK_S"),
    Limit("design/data-sources.md", "after # seconds", "server.data_sources.inspection:INSPECTION_WITHIN_S"),
    Limit("design/data-sources.md", "# inspections run at once", "server.data_sources.inspection:MAX_INSPECTIONS"),
    Limit("design/data-sources.md", "at most # of one user", "server.data_sources.inspection:MAX_INSPECTIONS_PER_USER"),
    Limit("design/files.md", "within # s (600 s", "server.files.file_store:FILE_WITHIN_S"),
    Limit("design/files.md", "(# s for whole files)", whole_file_s),
    Limit("design/kernel-agent.md", "retries for # minutes", retry_s("WRITE_DEADLINE", "retry_later_s"), MINUTE),
    Limit("design/kernel-agent.md", "for # minutes. Then", retry_s("WRITE_DEADLINE", "unreachable_s"), MINUTE),
    Limit("design/kernel-agent.md", "within # seconds or not at all", "kernel.agent.attempt:FINAL_REQUEST_TIMEOUT_S"),
    Limit("design/kernel-predictor.md", "# bytes of length", lambda: _header_bytes()),
    Limit("design/kernel-reading.md", "up to # times as many", "kernel.reading.postgres:BATCH_GROWTH"),
    Limit("design/kernel-reading.md", "at most # rows", "kernel.reading.postgres:MAX_BATCH_ROWS"),
    Limit("design/kernel-reading.md", "about # MiB", "kernel.reading.postgres:BATCH_BYTES", MIB),
    Limit("design/labextension.md", "every # seconds while runs", "sidePanel/model.ts:BUSY", 1000),
    Limit("design/labextension.md", "else every #,", "sidePanel/model.ts:IDLE", 1000),
    Limit("design/labextension.md", "up to # when the server", "sidePanel/model.ts:LONGEST", 1000),
    Limit("design/labextension.md", "open within # seconds", "runView/stream.ts:PATIENCE", 1000),
    Limit("design/labextension.md", "after # and then every", "runView/stream.ts:FIRST_SILENCE", 1000),
    Limit("design/labextension.md", "then every # seconds", "runView/stream.ts:SILENCE", 1000),
    Limit("design/labextension.md", "every # to 5 seconds", "runView/stream.ts:POLL", 1000),
    Limit("design/labextension.md", "every 1 to # seconds", "runView/stream.ts:LONGEST_POLL", 1000),
    Limit("design/labextension.md", "(at most #)", "watch/lines.ts:MOST_LINES"),
    Limit("design/labextension.md", "begins with # rows", "sidePanel/region.tsx:FIRST"),
    Limit("design/notebook.md", "Tab waits # s at most", "notebook.completion_cache:TIMEOUT_S"),
    Limit("design/runs.md", "only after # times as long", "server.runs.watchdog:BUSY_LEASES"),
    Limit("design/runs.md", "polling every # seconds", "server.runs.fanout:POLL_S"),
    Limit("design/serving.md", "over # KiB", "server.threads:IN_THREAD_BYTES", KIB),
    Limit("design/serving.md", "quarantine for # minutes", "server.serving.quarantine:REFUSED_S", MINUTE),
    Limit("design/serving.md", "within # seconds", "server.serving.endpoints:FRESH_S"),
    Limit("design/store.md", "(`LockBudget`), # s together", "server.store.session:BUSY_TIMEOUT_MS", 1000),
    Limit("design/store.md", "polls it every # s", "server.runs.fanout:POLL_S"),
    Limit("design/store.md", "checks every # s for cancels", "server.runs.supervisor:POLL_EVERY_S"),
    Limit("design/store.md", "last # latencies", "server.store.deployments:KEPT_LATENCIES"),
)  # fmt: skip

#: measured, or examples: no constant has them
MEASURED = {
    "configuration.md": ("about 240 MB", "5 to 10 s later", "up to ten connections"),
    "troubleshooting.md": ("5 to 10 seconds longer", "used 5.2 GiB of memory"),
    "reading.md": ("`2 hours 30 minutes`", "`90 sec`"),
    "magic.md": ("at most 60 seconds",),
    "design/client.md": ("costs 0.2 seconds",),
    "design/executors.md": ("5 to 10 seconds", "about 240 MB"),
    "design/kernel-engine.md": ("about 250 MB",),
    "design/kernel-predictor.md": ("about 170 MB",),
    "design/serving.md": ("2 GiB use 3 MiB",),
}


def _header_bytes() -> float:
    from jupyter_pycaret_ops.common.wire import HEADER

    return float(HEADER.size)


def as_number(text: str) -> float:
    return float(WORDS.index(text.lower()) if text.lower() in WORDS else text.replace(",", ""))


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_number_on_the_page_equals_the_constant(limit: Limit) -> None:
    stated = re.compile(limit.pattern().pattern, re.IGNORECASE).findall(page(limit.page))
    assert stated, f"{limit.page} has no sentence like “{limit.sentence}”"
    expected = pytest.approx(constant(limit.source))
    assert [as_number(number) * limit.unit for number in stated] == [expected] * len(stated)


@pytest.mark.parametrize("name", sorted(str(file.relative_to(DOCS)) for file in DOCS.rglob("*.md")))
def test_every_stated_number_with_a_unit_is_compared_or_known_as_measured(name: str) -> None:
    """A new limit in the documentation needs a row in `LIMITS`."""
    text = FENCE.sub("", page(name))
    known = [
        match.span()
        for limit in LIMITS
        if limit.page == name
        for match in re.finditer(limit.pattern().pattern, text, re.IGNORECASE)
    ]
    for phrase in MEASURED.get(name, ()):
        assert phrase in text, f"{name} no longer says “{phrase}”"
        known += [match.span() for match in re.finditer(re.escape(phrase), text)]
    unknown = [
        text[max(0, match.start() - 40) : match.end() + 20]
        for match in STATED.finditer(text)
        if not any(begin <= match.start() < end for begin, end in known)
    ]
    assert unknown == []
