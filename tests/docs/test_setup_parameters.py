"""PyCaret 3's set-up parameters: each works, is not needed or is refused, as the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_pycaret_ops.common.pycaret3_setup import setup_parameters, why_not
from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.parameters import read
from jupyter_pycaret_ops.kernel.engine.tasks import find_task

PAGE = Path(__file__).parents[2] / "docs" / "setup-parameters.md"
TASKS = ("classification", "regression")


def test_the_page_has_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [
        (name, found["state"], found["note"]) for name, found in setup_parameters().items()
    ]
    assert len(rows) == 75


def test_nine_of_ten_work_or_are_not_needed() -> None:
    states = [found["state"] for found in setup_parameters().values()]
    assert set(states) == {"works", "not needed", "refused"}
    assert (len(states) - states.count("refused")) / len(states) >= 0.9


def test_what_works_is_offered_and_nothing_else() -> None:
    offered = {param.name for task in TASKS for param in find_task(task).setup_params()}
    for name, found in setup_parameters().items():
        assert (name in offered) == (found["state"] == "works"), name


@pytest.mark.parametrize("task", TASKS)
def test_what_is_not_taken_is_refused_with_the_reason(task: str) -> None:
    params = find_task(task).setup_params()
    for name, found in setup_parameters().items():
        if found["state"] != "works":
            with pytest.raises(PlanFailed) as refused:
                read({name: None}, params, "set-up parameter")
            assert found["note"] in refused.value.message
    assert why_not("fold") == why_not("something else") == ""
