"""What endpoints of a server share, real and without a server."""

from __future__ import annotations

from jupyter_pycaret_ops.server.prometheus import Metrics
from jupyter_pycaret_ops.server.serving.endpoint import Traffic
from jupyter_pycaret_ops.server.serving.rate_limit import BufferedBytes, RateLimiter
from jupyter_pycaret_ops.server.serving.usage_statistics import UsageStatistics
from jupyter_pycaret_ops.server.threads import ThreadPool

from .records import World


async def _no_runs() -> dict[str, int]:
    return {}


def make_traffic(
    world: World, *, per_minute: int = 600, body_bytes: int = 1 << 20, buffered: int = 1 << 22
) -> Traffic:
    """Return limits and counts on the clock and store of a test; the decode thread starts when it is used."""
    return Traffic(
        statistics=UsageStatistics(world.store, world.clock),
        metrics=Metrics(_no_runs, spare_kernels=lambda: 0, monotonic=world.clock.monotonic),
        decoding=ThreadPool("decode", 1),
        public_rate=RateLimiter(per_minute, world.clock.monotonic),
        public_body_bytes=body_bytes,
        public_buffered=BufferedBytes(buffered),
    )
