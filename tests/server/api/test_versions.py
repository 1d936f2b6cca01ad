"""Versions of data sources over HTTP: new files, other readings, types, and the file back."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any, get_args

import pytest

from jupyter_pycaret_ops.common.tables.column_cells import SETTABLE_TYPES
from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.api.schemas import SettableType
from jupyter_pycaret_ops.server.store import data_sources

from ...fakes.records import World
from ...fakes.workbooks import workbook
from .conftest import Api
from .test_profiles import CONTENT, FakeKernel, ended, kernel
from .test_uploads import END, KIND, NAME, Files, no_files, part, path

__all__ = ["kernel"]

FIRST = b"town,price\nGent,1\nLier,2\n"
SECOND = b"town;price;rooms\nGent;1,5;2\nLier;2,5;3\nAalst;3,5;4\n"


async def upload(api: Api, world: World, content: bytes = FIRST, *fields: bytes) -> Any:
    body = NAME + b"".join(fields) + part("file", content, "towns.csv") + END
    return (await api.call("POST", path(world), 201, raw=body, headers=KIND)).json


def file_of(world: World, services: Services, source_id: str) -> Path:
    table = world.store.read_now(data_sources.read_table, world.ada, source_id)
    stored = services.artifacts.local_path(str(table.storage_key))
    assert stored is not None
    return stored


async def add(api: Api, source_id: str, content: bytes, expect: int = 201, *fields: bytes) -> Any:
    body = b"".join(fields) + part("file", content, "new.csv") + END
    url = f"/data-sources/{source_id}/versions"
    return (await api.call("POST", url, expect, raw=body, headers=KIND)).json


async def test_new_version_says_what_it_changes_and_both_files_can_be_downloaded(
    api: Api, world: World
) -> None:
    source = await upload(api, world)
    assert (source["version"], source["versions"], source["types"]) == (1, 1, {})
    row = await add(api, source["id"], SECOND)
    assert (row["id"], row["name"], row["version"], row["versions"]) == (
        source["id"],
        "fruit",
        2,
        2,
    )
    assert row["config"]["rows"] == 3
    changes = {"rows": 1, "added": ["rooms"], "removed": [], "types": [], "levels": []}
    assert row["changes"] == changes
    versions = await api.get(f"/data-sources/{source['id']}/versions")
    assert [(item["version"], item["filename"]) for item in versions] == [
        (2, "new.csv"),
        (1, "towns.csv"),
    ]
    assert (versions[0]["changes"], versions[1]["changes"]) == (changes, None)
    assert versions[0]["dialect"]["delimiter"] == ";"
    for query, content, name in (
        ("", SECOND, "new.csv"),
        ("?version=1", FIRST, "towns.csv"),
        ("?version=2", SECOND, "new.csv"),
    ):
        answer = await api.call("GET", f"/data-sources/{source['id']}/download{query}", 200)
        assert answer.body == content
        assert name in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"].startswith("text/csv")
    missing = await api.get(f"/data-sources/{source['id']}/download?version=3", 404)
    assert "no version 3" in missing["message"]


async def test_changed_type_is_one_of_the_changes(api: Api, world: World) -> None:
    source = await upload(api, world)
    row = await add(api, source["id"], b"price\nlow\nlow\nhigh\nhigh\n")
    assert row["changes"]["removed"] == ["town"]
    assert row["changes"]["types"] == [{"column": "price", "before": "number", "after": "category"}]


async def test_refused_version_leaves_nothing(api: Api, world: World, services: Services) -> None:
    source = await upload(api, world)
    await add(api, source["id"], b"town\n", 400)
    named = await add(api, source["id"], SECOND, 400, part("name", b"other"))
    assert "PATCH" in named["message"]
    assert (await api.get(f"/data-sources/{source['id']}"))["version"] == 1
    stored = file_of(world, services, source["id"])
    assert list(stored.parent.iterdir()) == [stored]


async def test_connector_has_neither_versions_nor_file(api: Api, world: World) -> None:
    made = world.make_source(kind="s3", storage_key=None, config={"bucket": "b", "key": "k.csv"})
    assert await api.get(f"/data-sources/{made.id}/versions") == []
    assert "no versions" in (await add(api, made.id, SECOND, 400))["message"]
    refused = await api.get(f"/data-sources/{made.id}/download", 400)
    assert "not stored here" in refused["message"]
    database = world.make_source(kind="postgres", storage_key=None, config={"table": "t"})
    refused = await api.patch(f"/data-sources/{database.id}", {"dialect": {"quote": "'"}}, 400)
    assert "database" in refused["message"]


async def test_object_in_s3_is_read_in_another_way_from_now_on(
    api: Api, world: World, services: Services, kernel: FakeKernel
) -> None:
    kernel.let_go.set()
    config = {"bucket": "b", "key": "k.csv", "dialect": {"delimiter": "tab"}}
    body = {"name": "lake", "kind": "s3", "config": config}
    made = await api.post(f"/workspaces/{world.workspace.id}/data-sources", body)
    assert made["config"]["dialect_fields"] == {"delimiter": "\t"}
    url = f"/data-sources/{made['id']}"
    await ended(api, made["id"])
    row = await api.patch(url, {"dialect": {"encoding": "cp1252", "delimiter": None}})
    assert (row["version"], row["config"]["dialect_fields"]) == (1, {"encoding": "cp1252"})
    await ended(api, made["id"])
    assert [spec.options["dialect_fields"] for spec in kernel.asked] == [
        {"delimiter": "\t"},
        {"encoding": "cp1252"},
    ]
    await api.patch(url, {"dialect": {"encoding": "klingon"}}, 400)
    wrong = {**body, "name": "other", "config": config | {"dialect": {"delimiter": "ab"}}}
    await api.post(f"/workspaces/{world.workspace.id}/data-sources", wrong, 400)


async def test_other_dialect_reads_the_file_again_as_a_new_version(
    api: Api, world: World, services: Services
) -> None:
    source = await upload(api, world, b"a;b\n1;\xe4\n2;\xf6\n", part("encoding", b"cp1252"))
    url = f"/data-sources/{source['id']}"
    assert source["config"]["dialect_fields"] == {"encoding": "cp1252"}
    row = await api.patch(url, {"dialect": {"delimiter": ","}})
    assert [column["name"] for column in row["config"]["columns"]] == ["a;b"]
    # what a person has said about the file before still holds
    assert (row["version"], row["config"]["encoding"]) == (2, "cp1252")
    assert (await api.patch(url, {"dialect": {"delimiter": ","}}))["version"] == 2  # as it is
    row = await api.patch(url, {"dialect": {"delimiter": None}})
    assert (row["version"], len(row["config"]["columns"])) == (3, 2)
    refused = await api.patch(url, {"name": "other", "dialect": {"skip_rows": 99}}, 400)
    assert refused["errors"]
    row = await api.get(url)
    assert (row["name"], row["version"]) == ("fruit", 3)
    # three versions, one file; it goes with the source
    stored = file_of(world, services, source["id"])
    assert list(stored.parent.iterdir()) == [stored]
    await api.delete(url)
    assert not stored.exists()


async def test_types_are_stored_with_the_source_and_taken_away_again(
    api: Api, world: World
) -> None:
    source = await upload(api, world)
    url = f"/data-sources/{source['id']}"
    row = await api.patch(url, {"name": "towns", "types": {"price": "category", "town": "text"}})
    assert (row["name"], row["types"]) == ("towns", {"price": "category", "town": "text"})
    assert (await api.patch(url, {"types": {"town": None}}))["types"] == {"price": "category"}
    assert (await api.patch(url, {"types": None}))["types"] == {}
    refused = await api.patch(url, {"types": {"nope": "text"}}, 400)
    assert refused["errors"] == [{"loc": ["types", "nope"], "msg": refused["message"]}]
    await api.patch(url, {"types": {"price": "currency"}}, 400)
    await api.patch(url, {"colour": "red"}, 400)


def test_types_that_can_be_set_are_those_of_the_kernel() -> None:
    assert set(get_args(SettableType)) == set(SETTABLE_TYPES)


async def test_changed_types_make_the_profile_anew_and_what_was_begun_before_is_dropped(
    api: Api, world: World, services: Services, kernel: FakeKernel
) -> None:
    source = await upload(api, world)
    url = f"/data-sources/{source['id']}"
    await api.get(f"{url}/profile")
    while not kernel.asked:
        await asyncio.sleep(0.01)
    await api.patch(url, {"types": {"price": "category"}})
    assert (await api.get(f"{url}/profile"))["status"] == "pending"
    kernel.let_go.set()
    assert (await ended(api, source["id"]))["status"] == "ready"
    while services.profiles._running:
        await asyncio.sleep(0.01)
    assert kernel.types == [{}, {"price": "category"}]


async def test_profile_is_of_a_version_and_a_target(
    api: Api, world: World, kernel: FakeKernel
) -> None:
    kernel.let_go.set()
    kernel.answer = content(["Gent"])
    source = await upload(api, world)
    url = f"/data-sources/{source['id']}/profile"
    await add(api, source["id"], SECOND)

    async def made(query: str) -> Any:
        while (found := await api.get(url + query))["status"] == "pending":
            await asyncio.sleep(0.01)
        return found

    assert (await made(""))["version"] == 2
    assert (await made("?version=1"))["version"] == 1
    assert (await made("?target=town"))["version"] == 2
    assert (await made("?target=town"))["version"] == 2
    assert kernel.targets == [None, None, "town"]
    await api.get(f"{url}?target=nope", 400)
    await api.get(f"{url}?version=3", 404)


def content(town: list[str], kind: str = "category") -> dict[str, Any]:
    made = copy.deepcopy(CONTENT)
    made["columns"][0] |= {"name": "town", "type": kind, "dtype": "string", "levels": town}
    return made


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_profiles_of_two_versions_say_which_levels_are_new(
    api: Api, world: World, kernel: FakeKernel, order: tuple[int, int]
) -> None:
    kernel.let_go.set()
    source = await upload(api, world)
    await add(api, source["id"], SECOND)
    made = {1: content(["Gent", "Lier"]), 2: content(["Aalst", "Gent", "Lier"])}
    for version in order:
        kernel.answer = made[version]
        while True:
            found = await api.get(f"/data-sources/{source['id']}/profile?version={version}")
            if found["status"] == "ready":
                break
            await asyncio.sleep(0.01)
    versions = await api.get(f"/data-sources/{source['id']}/versions")
    assert versions[0]["changes"]["levels"] == [{"column": "town", "new": ["Aalst"], "count": 1}]


async def test_type_that_all_rows_change_is_reported(
    api: Api, world: World, kernel: FakeKernel
) -> None:
    kernel.let_go.set()
    kernel.answer = content(["Gent"], "text")
    source = await upload(api, world)
    first = source["config"]["columns"][0]["type"]
    found = await ended(api, source["id"])
    assert found["reported"][0]["code"] == "type_changed"
    assert first in found["reported"][0]["message"]


async def test_workbook_is_uploaded_and_its_sheet_can_be_changed(
    api: Api, world: World, services: Services
) -> None:
    table = [["town", "price"], ["Gent", 1.5], ["Lier", 2.5]]
    book = workbook(About=[["by Ada"]], Data=table, Old=[["a"], [1], [2], [3]])
    body = NAME + part("file", book, "towns.xlsx") + END
    row = (await api.call("POST", path(world), 201, raw=body, headers=KIND)).json
    config = row["config"]
    assert (row["kind"], config["rows"], config["dialect"]["sheet"]) == ("excel_upload", 2, "Data")
    assert [column["name"] for column in config["columns"]] == ["town", "price"]
    assert config["reported"][0]["code"] == "sheet_chosen"
    url = f"/data-sources/{row['id']}"
    newer = await api.patch(url, {"dialect": {"sheet": "Old"}})
    assert (newer["version"], newer["config"]["rows"]) == (2, 3)
    assert newer["config"]["sha256"] == config["sha256"]
    refused = await api.patch(url, {"dialect": {"sheet": "Nope"}}, 400)
    assert refused["errors"][0]["loc"] == ["sheet"]
    answer = await api.call("GET", f"{url}/download", 200)
    assert answer.body == book
    assert "towns.xlsx" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"PK\x03\x04 [Content_Types].xml cut", [], "was cut off"),
        (workbook(Empty=[]), [], "no sheet with a table"),
        (workbook(A=[["x"], [1]]), [part("encoding", b"utf-8")], "is for text files"),
        (workbook(A=[["x"], [1]]), [part("sheet", b"B")], "no sheet “B”"),
        (b"a,b\n1,2\n", [part("sheet", b"B")], "this is a text file"),
    ],
    ids=["cut", "empty", "encoding", "sheet", "text"],
)
async def test_workbook_that_is_refused_leaves_nothing(
    api: Api, world: World, files: Files, content: bytes, fields: list[bytes], words: str
) -> None:
    name = "t.csv" if content.startswith(b"a,b") else "t.xlsx"
    body = NAME + b"".join(fields) + part("file", content, name) + END
    refused = (await api.call("POST", path(world), 400, raw=body, headers=KIND)).json
    assert words in refused["message"]
    await no_files(files)
