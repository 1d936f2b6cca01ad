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


NO_OBJECTS = NotebookObjects()


def dumps(value: Any, by_value: Iterable[ModuleType] = ()) -> bytes:
    """Return a value pickled so that loading it needs no module of the user's own, nor those `by_value`."""
    import cloudpickle

    with _REGISTRATION:
        modules = {*by_value, *_user_modules()} - _registered()
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
        try:
            return bytes(cloudpickle.dumps(value))
        finally:
            for module in modules:
                cloudpickle.unregister_pickle_by_value(module)


def _registered() -> set[ModuleType]:
    """Return the modules that the user has registered: they stay so."""
    import cloudpickle

    names = cloudpickle.list_registry_pickle_by_value()
    return {sys.modules[name] for name in names if name in sys.modules}


def _user_modules() -> set[ModuleType]:
    """Return the modules that were imported from files which are not installed, such as those beside a notebook."""
    installed = tuple({str(Path(path)) for path in sysconfig.get_paths().values()})
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in (_PACKAGE, "__main__") or not isinstance(file, str):
            continue
        if isinstance(module, ModuleType) and not file.startswith(installed):
            found.add(module)
    return found
