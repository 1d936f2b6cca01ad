"""Standard output and error that any terminal and any pipe can take."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

#: what stands for characters that a terminal may not have
_PLAIN = {
    "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "·": "|", "→": "->", "×": "x",
    "█": "#", "░": ".", "±": "+/-", "≤": "<=", "≥": ">=", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
_ERRORS = "jupyter_pycaret_ops.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace what cannot be encoded: punctuation by its like, everything else by its escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_PLAIN.get(one) or ascii(one)[1:-1] for one in found), error.end


codecs.register_error(_ERRORS, _plain)


def readable(word: str) -> str:
    """A word of the command line in UTF-8, where the terminal's locale had no characters for it."""
    try:
        word.encode()
    except UnicodeEncodeError:  # Python has kept its bytes as surrogates
        return os.fsencode(word).decode("utf-8", "replace")
    return word


class Output:
    """A stream that writes what it can, and is silent once nobody reads it any more.

    The command goes on then: its exit code still tells how it ended.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        #: why nothing could be written, where it was not that nobody reads
        self.trouble: OSError | None = None
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERRORS)

    def write(self, text: str) -> int:
        """Write a text, or drop it where nobody reads."""
        with self._guarded():
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with self._guarded():
            if self._stream is not None:
                self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person reads it as it comes."""
        return self._stream is not None and self._stream.isatty()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.trouble = error
            self._drop()

    def _drop(self) -> None:
        """Send the rest nowhere, what Python still holds and flushes at its end among it."""
        stream, self._stream = self._stream, None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def tolerant_output() -> Iterator[None]:
    """Let commands write without a thought for the terminal's characters and for closed pipes."""
    before = sys.stdout, sys.stderr
    out, err = Output(sys.stdout), Output(sys.stderr)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
        if out.trouble is not None:
            with contextlib.suppress(OSError):
                err.write(f"The output could not be written: {out.trouble.strerror}.\n")
                err.flush()
            sys.exit(1)
