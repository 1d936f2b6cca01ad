"""Where panels go: under the cell that asks for them, once; in a terminal, their words alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

#: what makes the panel of an object, by the name of its class; objects know no panels, panels know objects
_makers: dict[str, Callable[[Any], Any]] = {}
#: what was shown by the cell that is executing: an expression at its end would show it again
_shown: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


def drawn_by(**makers: Callable[[Any], Any]) -> None:
    """Say what makes the panels of which classes."""
    _makers.update(makers)


def show(thing: Any) -> None:
    """Show the panel of `thing`, unless this cell has shown one already."""
    shell = _shell()
    if shell is None:
        print(repr(thing))  # noqa: T201 - a plain terminal
        return
    if _shown.get(thing) == shell.execution_count:
        return
    seen(thing)
    _makers[type(thing).__name__](thing).show()


def seen(thing: Any) -> None:
    """This cell shows it no more."""
    shell = _shell()
    if shell is not None:
        _shown[thing] = shell.execution_count


def _shell() -> Any:
    """The notebook's shell, or None in a terminal."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    return shell if shell is not None and hasattr(shell, "kernel") else None
