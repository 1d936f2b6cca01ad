"""Set-up parameters that name metrics and steps of the user's own, which may be objects of a notebook."""

from __future__ import annotations

from typing import Any

from .protocol import JSON

#: begins the name of a scorer that only the notebook of the run has, in `custom_metrics`
NOTEBOOK_PREFIX = "notebook:"
#: the set-up parameters that may name objects of the notebook
CUSTOM_METRICS, CUSTOM_PIPELINE = "custom_metrics", "custom_pipeline"


def without_notebook_scorers(setup_params: JSON) -> JSON:
    """Return set-up parameters without the scorers that only a notebook has: no schema knows their names."""
    asked = setup_params.get(CUSTOM_METRICS)
    if not isinstance(asked, list):
        return setup_params
    return {**setup_params, CUSTOM_METRICS: [one for one in asked if not _is_of_notebook(one)]}


def custom_metric_ids(setup_params: JSON) -> list[str]:
    """Return the names that the metrics of `custom_metrics` have on the leaderboard."""
    asked = setup_params.get(CUSTOM_METRICS)
    texts = [one for one in asked if isinstance(one, str)] if isinstance(asked, list) else []
    return [text.removeprefix(NOTEBOOK_PREFIX) for text in texts]


def objects_of_notebook(setup_params: JSON) -> list[str]:
    """Return the set-up parameters that name objects of a notebook."""
    found = [CUSTOM_PIPELINE] if setup_params.get(CUSTOM_PIPELINE) else []
    asked = setup_params.get(CUSTOM_METRICS)
    has_scorers = isinstance(asked, list) and any(map(_is_of_notebook, asked))
    return [*found, CUSTOM_METRICS] if has_scorers else found


def _is_of_notebook(name: Any) -> bool:
    return isinstance(name, str) and name.startswith(NOTEBOOK_PREFIX)
