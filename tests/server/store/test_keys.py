"""API keys: never more than their maker, gone when revoked or expired."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Conflict, Forbidden, Invalid, NotFound
from jupyter_pycaret_ops.server.store import keys, workspaces
from jupyter_pycaret_ops.server.store.access import Caller, Role
from jupyter_pycaret_ops.server.store.models import ApiKey
from jupyter_pycaret_ops.server.store.paging import PageRequest

from ...fakes.records import World, moment


def make(
    world: World, by: Caller, *scopes: str, expires_at: datetime | None = None, **more: Any
) -> tuple[ApiKey, str]:
    fields = {
        "name": f"key {world.number()}",
        "workspace_id": world.workspace.id,
        "deployment_id": None,
    }
    return world.store.write_now(
        keys.create,
        by,
        scopes=list(scopes),
        expires_at=expires_at,
        now=world.clock.now(),
        **(fields | more),
    )


def resolve(world: World, secret: str) -> Caller | None:
    return world.store.read_now(keys.resolve, secret, world.clock.now())


def test_a_key_speaks_for_its_maker_within_its_grant(world: World) -> None:
    key, secret = make(world, world.ada, "read", "predict", "read")
    assert secret.startswith(keys.KEY_PREFIX)
    assert key.scopes == ["predict", "read"]
    assert secret.startswith(key.prefix)
    assert len(key.prefix) < len(secret) / 2
    caller = resolve(world, secret)
    assert caller is not None
    assert caller.user_id == world.ada.user_id
    assert caller.key is not None
    assert caller.key.workspace_id == world.workspace.id
    assert caller.key.maker_role is Role.ADMIN
    assert resolve(world, secret + "x") is None


def test_the_secret_is_not_in_the_database(world: World) -> None:
    key, secret = make(world, world.ada, "read")
    kept = {name: str(getattr(key, name)) for name in ApiKey.__table__.columns.keys()}  # noqa: SIM118
    assert secret not in " ".join(kept.values())
    assert kept["key_hash"] == keys.digest(secret)


@pytest.mark.parametrize("scope", ["write", "predict"])
def test_a_viewer_makes_no_key_that_does_more_than_read(world: World, scope: str) -> None:
    viewer = world.person("vic", "viewer")
    with pytest.raises(Forbidden):
        make(world, viewer, "read", scope)
    make(world, viewer, "read")


def test_a_stranger_makes_no_key_and_a_key_makes_none(world: World) -> None:
    with pytest.raises(NotFound):
        make(world, world.person("eve"), "read")
    _, secret = make(world, world.ada, "write")
    caller = resolve(world, secret)
    assert caller is not None
    with pytest.raises(Forbidden, match="cannot make keys"):
        make(world, caller, "read")


def test_a_key_shrinks_with_its_maker_and_ends_when_they_leave(world: World) -> None:
    mia = world.person("mia", "member")
    _, secret = make(world, mia, "write")
    world.store.write_now(
        workspaces.change_member, world.ada, world.workspace.id, mia.user_id, "viewer"
    )
    caller = resolve(world, secret)
    assert caller is not None
    assert caller.key is not None
    assert caller.key.role is Role.VIEWER
    assert not caller.key.predicts(world.workspace.id, "any")
    world.store.write_now(workspaces.remove_member, world.ada, world.workspace.id, mia.user_id)
    assert resolve(world, secret) is None


def test_a_key_opens_until_the_moment_it_expires(world: World) -> None:
    _, secret = make(world, world.ada, "read", expires_at=moment(world.clock, 60))
    world.clock.advance(59.999)
    assert resolve(world, secret) is not None
    world.clock.advance(0.001)
    assert resolve(world, secret) is None


def test_a_key_that_has_expired_already_is_not_made(world: World) -> None:
    with pytest.raises(Invalid, match="expired already"):
        make(world, world.ada, "read", expires_at=world.clock.now())


def test_the_deployment_of_a_key_is_one_of_its_workspace(world: World) -> None:
    deployment = world.deploy()
    make(world, world.ada, "predict", deployment_id=deployment.id)
    elsewhere = world.make_workspace(world.ada)
    for deployment_id in (deployment.id, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(Invalid, match="not one of this workspace"):
            make(
                world,
                world.ada,
                "predict",
                workspace_id=elsewhere.id,
                deployment_id=deployment_id,
            )


@pytest.mark.parametrize("scope", ["read", "write"])
def test_a_key_for_one_deployment_only_predicts(world: World, scope: str) -> None:
    deployment = world.deploy()
    with pytest.raises(Invalid, match="predict alone"):
        make(world, world.ada, scope, deployment_id=deployment.id)


def test_key_names_are_unique_in_their_workspace(world: World) -> None:
    make(world, world.ada, "read", name="ci")
    with pytest.raises(Conflict, match="named"):
        make(world, world.ada, "read", name="ci")
    elsewhere = world.make_workspace(world.ada)
    make(world, world.ada, "read", name="ci", workspace_id=elsewhere.id)


def test_people_see_their_own_keys_and_admins_all(world: World) -> None:
    mia, vic = world.person("mia", "member"), world.person("vic", "viewer")
    hers, _ = make(world, mia, "read")
    his, _ = make(world, vic, "read")

    def listed(caller: Caller) -> list[str]:
        page = world.store.read_now(keys.list_page, caller, PageRequest())
        return [key.id for key in page.rows]

    assert listed(mia) == [hers.id]
    assert listed(vic) == [his.id]
    assert listed(world.ada) == [his.id, hers.id]


def test_people_revoke_their_own_keys_admins_all_strangers_none(world: World) -> None:
    mia, vic = world.person("mia", "member"), world.person("vic", "viewer")
    hers, secret = make(world, mia, "read")
    with pytest.raises(Forbidden):
        world.store.write_now(keys.revoke, vic, hers.id, world.clock.now())
    with pytest.raises(NotFound):
        world.store.write_now(keys.revoke, world.person("eve"), hers.id, world.clock.now())
    by_key = resolve(world, secret)
    assert by_key is not None
    with pytest.raises(Forbidden):
        world.store.write_now(keys.revoke, by_key, hers.id, world.clock.now())
    world.store.write_now(keys.revoke, mia, hers.id, world.clock.now())
    assert resolve(world, secret) is None
    his, _ = make(world, vic, "read")
    world.store.write_now(keys.revoke, world.ada, his.id, world.clock.now())


def test_revoked_key_stays_listed_with_the_time_and_frees_its_name(world: World) -> None:
    key, secret = make(world, world.ada, "read", name="batch job")
    revoked_at = world.clock.now()
    world.store.write_now(keys.revoke, world.ada, key.id, revoked_at)
    world.clock.advance(60)
    world.store.write_now(keys.revoke, world.ada, key.id, world.clock.now())  # changes nothing
    second, _ = make(world, world.ada, "read", name="batch job")
    found = world.store.read_now(keys.list_page, world.ada, PageRequest()).rows
    assert [(row.id, row.revoked_at) for row in found] == [
        (second.id, None),
        (key.id, revoked_at),
    ]
    assert resolve(world, secret) is None
    with pytest.raises(Conflict, match="batch job"):
        make(world, world.ada, "read", name="batch job")


def test_a_key_goes_with_its_deployment(world: World) -> None:
    from jupyter_pycaret_ops.server.store import deployments

    deployment = world.deploy()
    _, secret = make(world, world.ada, "predict", deployment_id=deployment.id)
    world.store.write_now(deployments.delete, world.ada, deployment.id)
    assert resolve(world, secret) is None


def test_last_use_is_noted_without_touching_the_row_otherwise(world: World) -> None:
    key, _ = make(world, world.ada, "read")
    world.store.write_now(keys.touch, {key.id: world.clock.now()})
    page = world.store.read_now(keys.list_page, world.ada, PageRequest())
    assert page.rows[0].last_used_at == world.clock.now()
    assert page.rows[0].updated_at == key.updated_at
