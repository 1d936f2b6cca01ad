"""Which modules are pickled by value: those of the user's own files, where a run names objects of the notebook."""

from __future__ import annotations

import importlib
import pickle
import sys

import pytest

from jupyter_pycaret_ops.kernel.engine.notebook_objects import (
    NO_OBJECTS,
    NotebookObjects,
    dumps,
)

MODULE = "def saved(truth, predicted):\n    return 1.0\n"


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A module beside the notebook, and one that pip has installed for one user."""
    for name, folder in (
        ("pco_beside", tmp_path / "work"),
        ("pco_installed", tmp_path / "lib" / "site-packages"),
    ):
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text(MODULE)
        monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module("pco_beside"), importlib.import_module("pco_installed")
    for name in ("pco_beside", "pco_installed"):
        sys.modules.pop(name, None)


def test_only_files_of_the_users_own_are_pickled_by_value(modules):
    beside, installed = modules
    own = NotebookObjects({"saved": beside.saved})
    assert beside in own.modules()
    assert installed not in own.modules()
    assert not {"numpy", "pandas", "sklearn"} & {one.__name__ for one in own.modules()}
    content = dumps((beside.saved, installed.saved), own.modules())
    sys.modules.pop("pco_beside")
    found, same = pickle.loads(content)
    assert found(None, None) == 1.0
    assert same is installed.saved  # by its name


def test_a_run_without_such_objects_pickles_as_ever(modules):
    beside, _ = modules
    assert NO_OBJECTS.modules() == set()
    assert pickle.loads(dumps(beside.saved, NO_OBJECTS.modules())) is beside.saved
