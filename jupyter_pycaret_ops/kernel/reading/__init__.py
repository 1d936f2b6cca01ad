"""Sources: tables that lie elsewhere, read in this kernel. The only room that connects to what people name.

`read` gives a run its frame, `look_json` gives the server a preview. Secrets come in the spec and are in no
message that goes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jupyter_pycaret_ops.common.protocol import DataSpec

from .interfaces import Loaded, SourceUnreadable

__all__ = ["CONNECTORS", "Loaded", "SourceUnreadable", "look_json", "parquet_frame", "read"]

CONNECTORS = ("s3", "postgres")


def read(spec: DataSpec, checkpoint: Callable[[], None]) -> Loaded:
    """The whole table of a connector; `checkpoint` is called between pieces and may raise.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or read, or is beyond the limits; the message says what to change.
    """
    from . import postgres, s3
    from .redaction import guarded

    with guarded(spec):
        return s3.read(spec, checkpoint) if spec.kind == "s3" else postgres.read(spec, checkpoint)


def parquet_frame(content: bytes) -> Any:
    """The frame in an uploaded Parquet file.

    Raises
    ------
    SourceUnreadable
        When it is damaged, or pyarrow is missing in this kernel's environment.
    """
    from . import files

    return files.frame(content, "parquet", "The file", None)


def look_json(message: str) -> str:
    """A preview, as ASCII JSON, or `{"error", "error_kind"}`; never raises.

    `message` is `{"data": DataSpec, "rows": how many are wanted}`; an upload's option is its `path`.
    """

    def work() -> str:
        from .inspection import look

        # a thread of its own, for the kernel's main thread has a running loop
        asked = json.loads(message)
        try:
            seen = look(DataSpec.parse(asked["data"]), asked["rows"])
        except SourceUnreadable as error:
            seen = {"error": error.message, "error_kind": error.kind}
        return json.dumps(seen, allow_nan=False)

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()
