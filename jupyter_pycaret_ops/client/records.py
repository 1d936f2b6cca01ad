"""Names of the API's types for the client, and the states that a run never leaves.

The types are generated (`api_types.py`). Fields that a newer server adds are in the objects, too.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from . import api_types

JSON = dict[str, Any]
Role = Literal["viewer", "member", "admin"]
Scope = Literal["predict", "read", "write"]
AuthMode = Literal["workspace", "api-key", "public"]

#: states that a run never leaves
ENDED = frozenset({"succeeded", "failed", "cancelled"})

About = api_types.About
ApiKey = api_types.ApiKeyRow
Artifact = api_types.ArtifactRow
Changes = api_types.ChangesOut
DataSource = api_types.DataSourceRow
DataSourceChanges = api_types.DataSourcePatch
DataVersion = api_types.DataVersionRow
DataVersions = list[DataVersion]
Deployment = api_types.DeploymentRow
DeploymentChanges = api_types.DeploymentPatch
DeploymentSchema = api_types.DeploymentSchema
Event = api_types.EventRow
Experiment = api_types.ExperimentRow
ExperimentChanges = api_types.ExperimentPatch
FieldSchema = api_types.FieldSchema
FoldMetric = api_types.FoldMetricRow
Me = api_types.Me
Member = api_types.MemberRow
Membership = api_types.Membership
NewApiKey = api_types.NewApiKeyRow
NewRun = api_types.NewRunRow
Pipeline = api_types.PipelineRow
Plot = api_types.PlotRow
Prediction = api_types.Prediction
Predictions = api_types.PredictOut
NewVersion = api_types.NewVersionRow
Profile = api_types.ProfileOut
ProfileColumn = api_types.ProfileColumn
Project = api_types.ProjectRow
ProjectChanges = api_types.ProjectPatch
Run = api_types.RunRow
RunBrief = api_types.RunBrief
SetupStatus = api_types.SetupStatus
SourceTest = api_types.SourceTest
Workspace = api_types.WorkspaceRow
WorkspaceChanges = api_types.WorkspacePatch

# aliases, as the type `list` has no name in a class with a method `list`
JSONs = list[JSON]
Members = list[Member]
RunBriefs = list[RunBrief]
Events = list[Event]
FoldMetrics = list[FoldMetric]
Artifacts = list[Artifact]
Plots = list[Plot]


def leaderboard_of(run: Run) -> JSONs:
    """Return the leaderboard of a run; each record has its metrics under their own names."""
    return cast("JSONs", run["leaderboard"])


def baseline_of(run: Run) -> JSON | None:
    """Return the leaderboard record of a run's baseline, None where it has none."""
    return (run["metrics_summary"] or {}).get("baseline")
