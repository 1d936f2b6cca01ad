"""The recipe for a new task in CONTRIBUTING.md, executed: described, submitted, run, served."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_pycaret_ops

from ..live import ROOT, Home, LiveServer

RECIPE = re.compile(r"^\*\*A task\.\*\*.*?^\*\*", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python\n# (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class HomeOfACopy(Home):
    """A user whose Python finds a copy of the package first."""

    @property
    def packages(self) -> Path:
        return self.path / "packages"

    def env(self) -> dict[str, str]:
        return super().env() | {"PYTHONPATH": str(self.packages)}


def steps() -> dict[str, str]:
    """What the recipe writes: file of the package → code."""
    found = RECIPE.search((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert found is not None
    return dict(BLOCK.findall(found[0]))


@pytest.fixture(scope="module")
def extended() -> Iterator[LiveServer]:
    home = HomeOfACopy()
    try:
        source = Path(jupyter_pycaret_ops.__file__).parent
        target = home.packages / "jupyter_pycaret_ops"
        skipped = shutil.ignore_patterns("labextension", "__pycache__")
        shutil.copytree(source, target, ignore=skipped)
        written = steps()
        assert len(written) == 2
        descriptors, module = written
        before = (target / descriptors).read_text(encoding="utf-8")
        listed = re.search(r"^_ALL = \((.*)\)$", before, re.MULTILINE)
        assert listed is not None
        name = re.match(r"\w+", written[descriptors])
        assert name is not None
        after = before.replace(
            listed[0], f"{written[descriptors]}\n_ALL = ({listed[1]}, {name[0]})"
        )
        (target / descriptors).write_text(after, encoding="utf-8")
        assert not (target / module).exists()
        (target / module).write_text(written[module], encoding="utf-8")
        with LiveServer(home) as server:
            yield server
    finally:
        home.remove()


def test_a_task_made_by_the_recipe_is_described_submitted_run_and_served(
    extended: LiveServer,
) -> None:
    card = extended.get("/describe/tasks")[-1]
    assert (card["id"], card["answers"], card["is_available"]) == ("counts", "numbers", True)
    assert extended.get("/describe/models?task=counts")
    row = {"x": 1.0, "kind": "a"}
    rows = [{"x": float(i), "kind": "ab"[i % 2], "visits": 2 * i + (i % 2) * 10} for i in range(40)]
    experiment = extended.experiment("counts", target="visits", setup_params={"fold": 3})
    run = extended.submit(experiment, plan="create", model_id="lr", data_inline=rows)
    ended = extended.ended(run["id"])
    assert (ended["status"], ended["metric"]) == ("succeeded", "MAE"), ended["error"]
    pipeline = extended.post(f"/runs/{run['id']}/promote", {"name": "visits"})
    assert pipeline["task"] == "counts"
    extended.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": "visits"})
    answer = extended.post("/deployments/visits/predict", {"rows": [row]}, 200)
    assert abs(answer["predictions"][0]["prediction"] - 2) < 1
