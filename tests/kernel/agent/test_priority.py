"""Training comes after what people do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
from pathlib import Path
from jupyter_pycaret_ops.kernel.agent.priority import session_behind
def niceness():
    words = Path("/proc/self/autogroup").read_text().split()
    return words[-1] if words else "none"  # the first session of a container has no group
seen = [niceness()]
with session_behind():
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


def test_a_kernel_in_a_session_of_its_own_comes_after_others_while_it_trains() -> None:
    assert seen(own_session=True) == ["0", "10", "0"]


def test_a_session_shared_with_others_is_left_alone() -> None:
    before, within, after = seen(own_session=False)
    assert before == within == after
