"""A live server answers whatever the OpenAPI document allows, and much that it does not, as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from jupyter_pycaret_ops.server.api.openapi import document

from ..live import LiveServer

load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(document())
#: unknown query parameters are let pass: Jupyter's clients add some of their own to any path
SCHEMA.config.generation.update(allow_extra_parameters=False)
CHECKS = [
    not_a_server_error,
    negative_data_rejection,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: bounded and always the same, so that a failure is a finding and not the weather
BOUNDED = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Subject:
    """A server with a row of each kind, and their ids by the names that paths and bodies give them."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        workspace, project = server.default_project()
        experiment = server.experiment(setup_params={"fold": 3, "session_id": 1})
        source = server.upload("table", b"x,y\n1,a\n2,b\n3,a\n")["id"]
        deployment = server.deploy_iris("iris", auth_mode="public")
        pipeline = server.get(f"/pipelines/{deployment['pipeline_id']}")
        run = pipeline["origin_run_id"]
        self.ids = {
            "workspace_id": workspace,
            "user_id": server.get("/auth/me")["id"],
            "project_id": project,
            "experiment_id": experiment,
            "source_id": source,
            "data_source_id": source,
            "run_id": run,
            "artifact_id": server.get(f"/runs/{run}/artifacts")[0]["id"],
            "pipeline_id": pipeline["id"],
            "deployment": "iris",
            "slug": "iris",
            "deployment_id": deployment["id"],
            "model_id": "lr",
            "task": "classification",
            "cursor": run,
        }

    def aim(self, case: schemathesis.Case) -> None:
        """Put ids that exist in every second place; nothing that others need is deleted or waited for."""
        for place in (case.path_parameters, case.query, case.body):
            if isinstance(place, dict) and case.method != "DELETE":
                for name in sorted(self.ids.keys() & place.keys()):
                    if len(str(place[name])) % 2 == 0:
                        place[name] = self.ids[name]
        if isinstance(case.query, dict) and "timeout_s" in case.query:
            case.query["timeout_s"] = 0


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """One run at a time, and few that wait: most submissions are there to be refused."""
    with LiveServer(concurrent_runs=1, queue_cap=1) as server:
        yield Subject(server)


@SCHEMA.parametrize()
@BOUNDED
def test_every_answer_is_one_that_the_document_names(
    case: schemathesis.Case, subject: Subject
) -> None:
    subject.aim(case)
    headers: dict[str, Any] = {"Authorization": f"token {subject.server.token}"}
    case.call_and_validate(base_url=subject.server.api, headers=headers, checks=CHECKS, timeout=60)
