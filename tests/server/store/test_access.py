"""Who may do what: roles, strangers, keys; the last admin; names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Conflict, Forbidden, NotFound
from jupyter_pycaret_ops.server.store import (
    access,
    artifacts,
    data_sources,
    deployments,
    pipelines,
    projects,
    runs,
    users,
    workspaces,
)
from jupyter_pycaret_ops.server.store.access import Caller, KeyGrant, Role
from jupyter_pycaret_ops.server.store.paging import PageRequest

from ...fakes.records import World

PAGE = PageRequest()
SCOPES = [("predict",), ("read",), ("write",), ("predict", "read")]


class Rows:
    """One row of everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.source = world.make_source()
        run = world.running()
        self.artifact = world.make_artifact(run)
        self.run = world.finish(run)
        self.pipeline = world.make_pipeline(run)
        self.deployment = world.deploy(self.pipeline)


@pytest.fixture
def rows(world: World) -> Rows:
    return Rows(world)


READS: dict[str, Callable[[Rows], tuple[Any, ...]]] = {
    "workspace": lambda r: (workspaces.read, r.world.workspace.id),
    "members": lambda r: (workspaces.list_members, r.world.workspace.id, PAGE),
    "projects": lambda r: (projects.list_page, r.world.workspace.id, PAGE),
    "project": lambda r: (projects.read, r.world.project.id),
    "experiments": lambda r: (projects.list_experiments, r.world.project.id, PAGE),
    "experiment": lambda r: (projects.read_experiment, r.world.experiment.id),
    "sources": lambda r: (data_sources.list_page, r.world.workspace.id, PAGE),
    "source": lambda r: (data_sources.read, r.source.id),
    "runs of a workspace": lambda r: (
        runs.list_page,
        runs.RunFilter(workspace_id=r.world.workspace.id),
        PAGE,
    ),
    "runs of a project": lambda r: (
        runs.list_page,
        runs.RunFilter(project_id=r.world.project.id),
        PAGE,
    ),
    "runs of an experiment": lambda r: (
        runs.list_page,
        runs.RunFilter(experiment_id=r.world.experiment.id),
        PAGE,
    ),
    "run": lambda r: (runs.read, r.run.id),
    "artifacts": lambda r: (artifacts.list_page, r.run.id, PAGE),
    "artifact": lambda r: (artifacts.read, r.artifact.id),
    "fold metrics": lambda r: (artifacts.fold_metrics, r.run.id, PAGE),
    "pipelines": lambda r: (pipelines.list_page, r.world.workspace.id, PAGE),
    "pipeline": lambda r: (pipelines.read, r.pipeline.id),
    "deployments": lambda r: (deployments.list_page, r.world.workspace.id, PAGE),
    "deployment": lambda r: (deployments.read, r.deployment.id),
    "deployment by slug": lambda r: (deployments.read, r.deployment.endpoint_slug),
}
#: in an order in which one caller may do them all
WRITES: dict[str, Callable[[Rows], tuple[Any, ...]]] = {
    "make a project": lambda r: (projects.create, r.world.workspace.id, "p", None, []),
    "change a project": lambda r: (projects.update, r.world.project.id, {"name": "renamed"}),
    "make an experiment": lambda r: (
        projects.create_experiment,
        r.world.project.id,
        {"name": "e", "task": "regression", "setup_params": {}},
    ),
    "change an experiment": lambda r: (
        projects.update_experiment,
        r.world.experiment.id,
        {"target": "z"},
    ),
    "cancel a run": lambda r: (runs.request_cancel, r.run.id, r.world.clock.now()),
    "change a deployment": lambda r: (
        deployments.update,
        r.deployment.id,
        {"status": "paused"},
    ),
    "take a deployment down": lambda r: (deployments.delete, r.deployment.id),
    "deploy": lambda r: (deployments.create, r.pipeline.id, "another", "workspace"),
    "delete a run": lambda r: (runs.delete, r.run.id),
    "delete a source": lambda r: (data_sources.delete, r.source.id),
    "delete an experiment": lambda r: (projects.delete_experiment, r.world.experiment.id),
    "delete a project": lambda r: (projects.delete, r.world.project.id),
    "add a source": lambda r: (data_sources.check_new, r.world.workspace.id),
}
ADMIN: dict[str, Callable[[Rows], tuple[Any, ...]]] = {
    "rename the workspace": lambda r: (workspaces.update, r.world.workspace.id, {"name": "w"}),
    "invite": lambda r: (workspaces.add_member, r.world.workspace.id, "zoe", "viewer"),
    "change a role": lambda r: (
        workspaces.change_member,
        r.world.workspace.id,
        r.world.ada.user_id,
        "admin",
    ),
    "delete the workspace": lambda r: (workspaces.delete, r.world.workspace.id),
}


def ask(rows: Rows, caller: Caller, call: Callable[[Rows], tuple[Any, ...]]) -> Any:
    work, *arguments = call(rows)
    return rows.world.store.write_now(work, caller, *arguments)


def test_for_a_stranger_no_row_exists(rows: Rows, subtests: pytest.Subtests) -> None:
    stranger = rows.world.person("eve")
    for what, call in (READS | WRITES | ADMIN).items():
        with subtests.test(what), pytest.raises(NotFound, match="There is no such"):
            ask(rows, stranger, call)


def test_a_viewer_reads_everything(rows: Rows, subtests: pytest.Subtests) -> None:
    viewer = rows.world.person("vic", "viewer")
    for what, call in READS.items():
        with subtests.test(what):
            ask(rows, viewer, call)


def test_a_viewer_changes_nothing_and_is_told_which_role_would(
    rows: Rows, subtests: pytest.Subtests
) -> None:
    viewer = rows.world.person("vic", "viewer")
    for what, call in (WRITES | ADMIN).items():
        with (
            subtests.test(what),
            pytest.raises(Forbidden, match=r"role (member|admin).* yours is viewer"),
        ):
            ask(rows, viewer, call)


def test_a_member_writes_and_does_not_manage(rows: Rows, subtests: pytest.Subtests) -> None:
    member = rows.world.person("mia", "member")
    for what, call in ADMIN.items():
        with subtests.test(what), pytest.raises(Forbidden, match="role admin"):
            ask(rows, member, call)
    for what, call in WRITES.items():
        with subtests.test(what):
            ask(rows, member, call)


def test_an_admin_writes_and_manages(rows: Rows, subtests: pytest.Subtests) -> None:
    for what, call in (WRITES | ADMIN).items():
        with subtests.test(what):
            ask(rows, rows.world.ada, call)


# ---------------------------------------------------------------- keys


def with_key(
    caller: Caller,
    workspace_id: str,
    *scopes: str,
    maker: Role = Role.ADMIN,
    deployment_id: str | None = None,
) -> Caller:
    grant = KeyGrant("k", workspace_id, deployment_id, frozenset(scopes), maker)
    return Caller(caller.user_id, caller.name, grant)


def test_a_key_that_only_predicts_reads_nothing(rows: Rows) -> None:
    key = with_key(rows.world.ada, rows.world.workspace.id, "predict")
    for call in READS.values():
        with pytest.raises(Forbidden, match="API key"):
            ask(rows, key, call)


def test_a_key_that_reads_reads_and_no_more(rows: Rows) -> None:
    key = with_key(rows.world.ada, rows.world.workspace.id, "read")
    for call in READS.values():
        ask(rows, key, call)
    for call in [*WRITES.values(), *ADMIN.values()]:
        with pytest.raises(Forbidden):
            ask(rows, key, call)


def test_a_key_that_writes_may_what_a_member_may_whoever_made_it(
    rows: Rows, subtests: pytest.Subtests
) -> None:
    key = with_key(rows.world.ada, rows.world.workspace.id, "write")
    for what, call in ADMIN.items():
        with subtests.test(what), pytest.raises(Forbidden):
            ask(rows, key, call)
    for what, call in (READS | WRITES).items():
        with subtests.test(what):
            ask(rows, key, call)


@pytest.mark.parametrize("scopes", SCOPES)
def test_a_key_opens_no_other_workspace_of_its_maker(rows: Rows, scopes: tuple[str, ...]) -> None:
    elsewhere = rows.world.make_workspace(rows.world.ada)
    key = with_key(rows.world.ada, elsewhere.id, *scopes)
    for call in [*READS.values(), *WRITES.values()]:
        # a deployment's slug can be guessed, so there it looks as if there were none
        slug = call(rows)[0] in (deployments.read, deployments.update, deployments.delete)
        with pytest.raises(NotFound if slug else Forbidden):
            ask(rows, key, call)
    listed = rows.world.store.read_now(workspaces.list_page, key, PAGE).rows
    assert [workspace.id for workspace in listed] == [elsewhere.id]


def test_a_key_is_never_more_than_what_its_maker_has_become(rows: Rows) -> None:
    """The role in the database counts, whatever was cached when the key was resolved."""
    viewer = rows.world.person("vic", "viewer")
    key = with_key(viewer, rows.world.workspace.id, "write", maker=Role.ADMIN)
    with pytest.raises(Forbidden):
        ask(rows, key, WRITES["change a project"])


@pytest.mark.parametrize(
    ("scopes", "maker", "role"),
    [
        ({"predict"}, Role.ADMIN, None),
        ({"read"}, Role.ADMIN, Role.VIEWER),
        ({"write"}, Role.ADMIN, Role.MEMBER),
        ({"write"}, Role.VIEWER, Role.VIEWER),
        ({"read", "predict"}, Role.MEMBER, Role.VIEWER),
    ],
)
def test_what_scopes_come_to(scopes: set[str], maker: Role, role: Role | None) -> None:
    assert KeyGrant("k", "w", None, frozenset(scopes), maker).role is role


@pytest.mark.parametrize(
    ("scopes", "maker", "workspace", "deployment", "opens"),
    [
        ({"predict"}, Role.MEMBER, "w", None, True),
        ({"predict"}, Role.MEMBER, "w", "d", True),
        ({"predict"}, Role.MEMBER, "w", "another", False),
        ({"predict"}, Role.MEMBER, "another", None, False),
        ({"predict"}, Role.VIEWER, "w", None, False),
        ({"write"}, Role.MEMBER, "w", None, True),
        ({"read"}, Role.ADMIN, "w", None, False),
    ],
)
def test_which_keys_predict(
    scopes: set[str], maker: Role, workspace: str, deployment: str | None, opens: bool
) -> None:
    grant = KeyGrant("k", workspace, deployment, frozenset(scopes), maker)
    assert grant.predicts("w", "d") is opens


# ---------------------------------------------------------------- members


def test_the_last_admin_can_neither_leave_nor_be_demoted(world: World) -> None:
    store, workspace_id = world.store, world.workspace.id
    mia = world.person("mia", "member")
    for work, more in (
        (workspaces.remove_member, ()),
        (workspaces.change_member, ("member",)),
        (workspaces.change_member, ("viewer",)),
    ):
        with pytest.raises(Conflict, match="last admin"):
            store.write_now(work, world.ada, workspace_id, world.ada.user_id, *more)
    store.write_now(workspaces.change_member, world.ada, workspace_id, mia.user_id, "admin")
    store.write_now(workspaces.change_member, world.ada, workspace_id, world.ada.user_id, "viewer")
    with pytest.raises(Conflict, match="last admin"):
        store.write_now(workspaces.remove_member, mia, workspace_id, mia.user_id)


def test_an_admin_may_be_made_admin_again(world: World) -> None:
    member, _ = world.store.write_now(
        workspaces.change_member, world.ada, world.workspace.id, world.ada.user_id, "admin"
    )
    assert member.role == "admin"


def test_everybody_may_leave_and_only_admins_send_others_away(world: World) -> None:
    vic, mia = world.person("vic", "viewer"), world.person("mia", "member")
    with pytest.raises(Forbidden):
        world.store.write_now(workspaces.remove_member, mia, world.workspace.id, vic.user_id)
    world.store.write_now(workspaces.remove_member, vic, world.workspace.id, vic.user_id)
    world.store.write_now(workspaces.remove_member, world.ada, world.workspace.id, mia.user_id)
    members = world.store.read_now(workspaces.list_members, world.ada, world.workspace.id, PAGE)
    assert [user.name for _, user in members.rows] == ["ada"]


def test_a_person_is_invited_once_and_before_they_were_seen(world: World) -> None:
    workspace_id = world.workspace.id
    world.store.write_now(workspaces.add_member, world.ada, workspace_id, "bob", "member")
    with pytest.raises(Conflict, match="bob"):
        world.store.write_now(workspaces.add_member, world.ada, workspace_id, "bob", "viewer")
    seen = world.store.write_now(users.ensure_user, "bob", "Bob B.")
    caller = Caller(seen.id, seen.name)
    assert world.store.read_now(access.role_in, caller, workspace_id) is Role.MEMBER


def test_nobody_sees_a_workspace_that_they_are_not_in(world: World) -> None:
    eve = world.person("eve")
    hers = world.make_workspace(eve)
    listed = world.store.read_now(workspaces.list_page, eve, PAGE).rows
    assert [workspace.id for workspace in listed] == [hers.id]
    with pytest.raises(NotFound):
        world.store.read_now(workspaces.read, world.ada, hers.id)


def test_the_first_workspace_is_made_once(world: World) -> None:
    with pytest.raises(Conflict, match="first workspace already"):
        world.store.write_now(users.bootstrap, world.ada.user_id, "again", None)


# ---------------------------------------------------------------- names


def test_names_are_unique_where_the_contract_says_so_and_only_there(world: World) -> None:
    store, ada = world.store, world.ada
    elsewhere = world.make_workspace(ada)
    other_project = world.make_project()
    fields = {"name": "e", "task": "regression", "setup_params": {}}
    source = {"kind": "s3", "description": None, "config": {}}

    def twice(work: Any, *first: Any, **more: Any) -> None:
        store.write_now(work, ada, *first, **more)
        with pytest.raises(Conflict, match="named"):
            store.write_now(work, ada, *first, **more)

    twice(workspaces.create, "w", None)
    twice(projects.create, world.workspace.id, "p", None, [])
    twice(projects.create, elsewhere.id, "p", None, [])
    twice(projects.create_experiment, world.project.id, fields)
    twice(projects.create_experiment, other_project.id, fields)
    twice(data_sources.create, world.workspace.id, name="s", **source)
    twice(data_sources.create, elsewhere.id, name="s", **source)


def test_renaming_to_a_taken_name_is_refused_and_to_its_own_is_fine(world: World) -> None:
    store, ada = world.store, world.ada
    other = world.make_project()
    with pytest.raises(Conflict, match="named"):
        store.write_now(projects.update, ada, other.id, {"name": world.project.name})
    store.write_now(projects.update, ada, other.id, {"name": other.name, "tags": ["x"]})
    second = world.make_experiment()
    with pytest.raises(Conflict, match="named"):
        store.write_now(projects.update_experiment, ada, second.id, {"name": world.experiment.name})
    elsewhere = world.make_workspace(ada)
    with pytest.raises(Conflict, match="named"):
        store.write_now(workspaces.update, ada, elsewhere.id, {"name": world.workspace.name})


def test_names_that_differ_in_case_are_two(world: World) -> None:
    world.store.write_now(projects.create, world.ada, world.workspace.id, "Fruit", None, [])
    world.store.write_now(projects.create, world.ada, world.workspace.id, "fruit", None, [])
