"""The bytes of a file that is read: in memory, or on disk and never in memory as a whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO, cast

#: a complete file: its bytes, or what opens it from its beginning, as often as it is needed
Content = bytes | Callable[[], BinaryIO]


def open_content(content: Content) -> BinaryIO:
    """Return a stream of a file from its beginning, for the caller to close."""
    return cast("BinaryIO", io.BytesIO(content)) if isinstance(content, bytes) else content()
