"""Training has a lower priority than the work of users."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
from pathlib import Path
from jupyter_pycaret_ops.kernel.agent.priority import lower_session_priority
def niceness():
    fields = Path("/proc/self/autogroup").read_text().split()
    return fields[-1] if fields else "none"  # the first session of a container has no group
seen = [niceness()]
with lower_session_priority():
    seen.append(niceness())
seen.append(niceness())
print(*seen)
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this system does not group by session"
)


def seen(*, own_session: bool) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        check=True,
        capture_output=True,
        text=True,
        start_new_session=own_session,
    )
    return done.stdout.split()


def test_own_session_has_lower_priority_while_training() -> None:
    assert seen(own_session=True) == ["0", "10", "0"]


def test_shared_session_keeps_its_priority() -> None:
    before, within, after = seen(own_session=False)
    assert before == within == after
