"""Where panels go: under the cell that asks for them, once; in a terminal, their words alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

from ..client.records import Run

#: what makes the panel of an object, by the name of its class; objects know no panels, panels know objects
_makers: dict[str, Callable[[Any], Any]] = {}
#: what was shown by the cell that is executing: an expression at its end would show it again
_shown: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class Follower(Protocol):
    """A panel that shows runs while they go."""

    def finish(self, row: Run) -> None:
        """Return when the panel knows that a run is as `row` says; on any thread."""

    def send_last(self, row: Run) -> None:
        """Send what the panel shows of such a run, as the output of the cell that executes."""


#: the panels that follow runs; gone when nobody has them any more
_followers: weakref.WeakSet[Any] = weakref.WeakSet()


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


def follow(panel: Follower) -> None:
    """Have a panel told of runs that somebody has waited for."""
    _followers.add(panel)


def finish(row: Run) -> None:
    """Return when every panel that shows the run knows how it is; on any thread."""
    for panel in list(_followers):
        panel.finish(row)


def unfollow(panel: Follower) -> None:
    """Tell the panel no more: nothing that it shows can change."""
    _followers.discard(panel)


def send_last(row: Run) -> None:
    """Send what the panels show of a run once more, from the cell that executes.

    A panel is drawn by a thread of its own. What that sends when the cell is over is lost to whoever executes
    notebooks without a page: they store only what belongs to the cell that they wait for.
    """
    if _shell() is not None:
        for panel in list(_followers):
            panel.send_last(row)


def _shell() -> Any:
    """The notebook's shell, or None in a terminal."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    return shell if shell is not None and hasattr(shell, "kernel") else None
