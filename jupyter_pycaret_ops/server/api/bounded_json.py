"""JSON bodies of predictions, bounded before anything is built from them.

A byte of JSON can become a hundred bytes of objects, and decoding holds Python's global lock. So the number
of values is counted on the bytes first, large bodies are decoded row by row, and in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from ...common.errors import Invalid, TooLarge, Unavailable
from .base import field_error, outside_strings, why_not_json

MOST_ROWS = 10_000
#: values of a row that are no columns of the pipeline, as far as they are taken
SPARE_VALUES = 16
#: values of a row where unknown columns are ignored
MOST_IGNORED_VALUES = 400
#: large bodies that may wait for the thread
MOST_WAITING = 16

T = TypeVar("T")


class DecodeThread:
    """The one thread that decodes and checks large bodies, so that they share one processor at most."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pycaret-ops-decode")
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns.

        Raises
        ------
        Unavailable
            When too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many large requests wait to be read. Try again shortly.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let go of the thread; what waits is not begun."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def most_values(n_columns: int, *, ignore_extra: bool = False) -> int:
    """Return how many values a body may hold for a pipeline with so many columns."""
    spare = MOST_IGNORED_VALUES if ignore_extra else SPARE_VALUES
    return MOST_ROWS * (n_columns + spare)


def refuse_many(body: bytes | memoryview, most: int, what: str = "The body") -> None:
    """Refuse JSON with more than `most` commas outside of texts, which is how many values it holds at least.

    Nothing is built for it.

    Raises
    ------
    TooLarge
    """
    content = bytes(body)
    if content.count(b",") <= most:
        return
    count = sum(piece.count(b",") for piece in outside_strings(content))
    if count > most:
        raise TooLarge(
            f"{what} has {count:,} values, and at most {most:,} are taken at once. Send fewer rows."
        )


def decode(body: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Any], hint: str) -> Any:
    """Return a body as the decoder's type.

    Raises
    ------
    Invalid
        When it is not JSON of that type; the message begins with `hint`.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        fault = field_error(error)
        where = ".".join(str(step) for step in fault["loc"])
        said = f"{where}: {fault['msg']}" if where else fault["msg"]
        raise Invalid(f"{hint}: {said}", errors=[fault]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said = why_not_json(bytes(body), error)
        raise Invalid(f"{hint}: {said}", errors=[{"loc": [], "msg": said}]) from None


_any = msgspec.json.Decoder()


def decode_each(items: Sequence[msgspec.Raw], hint: str) -> Iterator[Any]:
    """Yield the values of a list that was decoded no further than to its items."""
    for item in items:
        yield decode(item, _any, hint)
