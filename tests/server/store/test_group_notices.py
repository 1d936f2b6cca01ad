"""A run that was started without a word on groups says what the profile noticed of them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.server.store import events, profiles
from jupyter_pycaret_ops.server.store.models import Profile

from ...fakes.records import World

GROUPS = {"code": "groups", "column": "patient", "message": "m", "setup_params": {}, "facts": {}}
LEAK = {"code": "leak_suspect", "column": "b", "message": "l", "setup_params": {}, "facts": {}}


def profiled(world: World, target: str, suggested: str = "y") -> str:
    source = world.make_source()

    def store(session: Any) -> None:
        profile = profiles.begin(session, source.id, 1, target, world.clock.now())
        assert isinstance(profile, Profile)
        content = {"notices": [LEAK, GROUPS], "suggestion": {"target": suggested}, "columns": []}
        profile.status, profile.content = profiles.READY, content

    world.store.write_now(store)
    return source.id


def said(world: World, source_id: str, **setup_params: Any) -> list[tuple[str, str]]:
    run = world.submit(
        data_source_id=source_id,
        snapshot={
            "task": "classification",
            "target": "y",
            "setup_params": setup_params,
            "data_source_id": source_id,
            "data_version": 1,
        },
    )
    found = world.store.read_now(events.of_kind, run.id, "run.groups_noticed", 1)
    return [(event.message, event.payload["column"]) for event in found]


@pytest.mark.parametrize(("target", "suggested"), [("y", "z"), ("", "y")])
def test_run_repeats_what_was_noticed_of_groups(world: World, target: str, suggested: str) -> None:
    source_id = profiled(world, target, suggested)
    assert said(world, source_id) == [("m", "patient")]


def test_run_says_nothing_where_it_was_decided(world: World) -> None:
    source_id = profiled(world, "y")
    assert said(world, source_id, fold_groups="patient") == []
    assert said(world, source_id, fold_strategy="kfold") == []


def test_profile_of_another_target_says_nothing_of_this_one(world: World) -> None:
    assert said(world, profiled(world, "", "z")) == []
    assert said(world, world.make_source().id) == []
