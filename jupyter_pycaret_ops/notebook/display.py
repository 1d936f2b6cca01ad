"""Show panels once under the executing cell; in a terminal, show the object's repr."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

from ..client.records import Run

#: class name of an object → function that creates its panel; objects do not import panels
_panel_factories: dict[str, Callable[[Any], Any]] = {}
#: object → execution count of the cell that showed it: an expression at its end would show it again
_shown: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class Follower(Protocol):
    """A panel that follows runs."""

    def finish(self, row: Run) -> None:
        """Return when the panel shows the run as in `row`; on any thread."""

    def send_last(self, row: Run) -> None:
        """Send the panel's content again, as output of the executing cell."""


#: the panels that follow runs
_followers: weakref.WeakSet[Any] = weakref.WeakSet()


def register_panels(**factories: Callable[[Any], Any]) -> None:
    """Register for each class name the function that creates its panel."""
    _panel_factories.update(factories)


def show(thing: Any) -> None:
    """Show the panel of `thing`, unless this cell has shown one already."""
    shell = _shell()
    if shell is None:
        print(repr(thing))  # noqa: T201 - a plain terminal
        return
    if _shown.get(thing) == shell.execution_count:
        return
    mark_shown(thing)
    _panel_factories[type(thing).__name__](thing).show()


def mark_shown(thing: Any) -> None:
    """Record that the executing cell has shown `thing`."""
    shell = _shell()
    if shell is not None:
        _shown[thing] = shell.execution_count


def follow(panel: Follower) -> None:
    """Notify `panel` of runs that code has waited for."""
    _followers.add(panel)


def finish(row: Run) -> None:
    """Return when every panel that follows the run shows it as in `row`; on any thread."""
    for panel in list(_followers):
        panel.finish(row)


def unfollow(panel: Follower) -> None:
    """Stop notifying `panel`: its content can no longer change."""
    _followers.discard(panel)


def send_last(row: Run) -> None:
    """Send the content of the panels of a run again, from the executing cell.

    A panel is rendered in its own thread. Output that it sends after the end of a cell is lost where
    notebooks are executed without a browser: only the output of the executing cell is stored.
    """
    if _shell() is not None:
        for panel in list(_followers):
            panel.send_last(row)


def _shell() -> Any:
    """Return the shell of the notebook, or None in a terminal."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    return shell if shell is not None and hasattr(shell, "kernel") else None
