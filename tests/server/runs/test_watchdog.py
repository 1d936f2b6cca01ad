"""The watchdog: when a kernel counts as silent."""

from __future__ import annotations

from jupyter_pycaret_ops.server.runs.watchdog import WatchLimits, first_violation

from ...fakes import in_loop


class IdleExecution:
    """Uses no processor time."""

    async def cpu_s(self) -> float:
        return 1.0


@in_loop
async def test_pause_of_the_server_is_no_silence_of_a_kernel() -> None:
    """The first check after a pause may come before the pause was detected, so it decides nothing."""
    silences = iter([0.0, 100.0, 0.0, 0.0, 0.3])
    violation = await first_violation(
        IdleExecution(),  # type: ignore[arg-type]
        WatchLimits(silence_s=0.5),
        elapsed_s=lambda: 0.0,
        silent_s=lambda: next(silences, 2.0),
    )
    assert violation.kind == "silent"
    assert "for 2 s" in violation.message
