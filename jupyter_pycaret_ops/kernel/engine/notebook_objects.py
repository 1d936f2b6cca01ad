"""Objects of a user's notebook that a run in this kernel uses, and how they reach other processes."""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = __name__.partition(".")[0]
#: where packages are installed: by pip, also for one user, and by Debian
_INSTALLED = frozenset({"site-packages", "dist-packages"})
#: cloudpickle keeps one list of modules for the process
_REGISTRATION = threading.Lock()


@dataclass(frozen=True, slots=True)
class NotebookObjects:
    """What parameters of a run name.

    `scorers` : name → scorer as scikit-learn's `make_scorer` makes it, for `custom_metrics`; `steps` : names and
    unfitted transformers, for `custom_pipeline`.
    """

    scorers: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[tuple[str, Any], ...] = ()

    def modules(self) -> set[ModuleType]:
        """Return the modules that these objects may come from: those that are not installed, as beside a notebook."""
        return _user_modules() if self.scorers or self.steps else set()


NO_OBJECTS = NotebookObjects()


def dumps(value: Any, by_value: Iterable[ModuleType]) -> bytes:
    """Return a value pickled so that loading it needs none of the modules `by_value`."""
    import cloudpickle

    with _REGISTRATION:
        registered = (
            cloudpickle.list_registry_pickle_by_value()
        )  # what the user has registered stays so
        modules = [one for one in set(by_value) if one.__name__ not in registered]
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
        try:
            return bytes(cloudpickle.dumps(value))
        finally:
            for module in modules:
                cloudpickle.unregister_pickle_by_value(module)


def _user_modules() -> set[ModuleType]:
    """Return the modules that were imported from files outside of Python and of folders that packages are installed in."""
    standard = sysconfig.get_path("stdlib")
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in (_PACKAGE, "__main__") or not isinstance(file, str):
            continue
        if file.startswith(standard) or _INSTALLED & set(Path(file).parts):
            continue
        # cloudpickle knows a module by its name
        if isinstance(module, ModuleType) and module.__name__ == name:
            found.add(module)
    return found
