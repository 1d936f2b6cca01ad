"""Row ids: UUIDs of version 7, so that `ORDER BY id` is the order of making.

RFC 9562, section 5.7, with the counter of method 1 (6.2) in `rand_a`, so that ids made within one
millisecond of one process keep their order too. One indexed column then serves both as key and as cursor.
"""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id() -> str:
    """A new lower-case UUID, greater than every one made before it in this process."""
    global _last_ms, _counter
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, 0
        else:
            _counter += 1
            if _counter > 0xFFF:  # the counter is full: borrow from the next millisecond
                _last_ms, _counter = _last_ms + 1, 0
        stamp, count = _last_ms, _counter
    tail = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    value = (stamp & (2**48 - 1)) << 80 | 7 << 76 | count << 64 | 0b10 << 62 | tail
    # written by hand: every request has one, and `uuid.UUID` takes twice the time
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
