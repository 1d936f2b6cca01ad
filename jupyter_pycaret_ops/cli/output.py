"""Standard output and error for terminals with any encoding, and for pipes that are closed early."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

#: replacements of characters that the encoding of a terminal may not have
_PLAIN = {
    "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "·": "|", "→": "->", "×": "x",
    "█": "#", "░": ".", "±": "+/-", "≤": "<=", "≥": ">=", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
_ERRORS = "jupyter_pycaret_ops.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that cannot be encoded: punctuation by similar ASCII, others by an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_PLAIN.get(one) or ascii(one)[1:-1] for one in found), error.end


codecs.register_error(_ERRORS, _plain)


def decoded(argument: str) -> str:
    """Return an argument of the command line, decoded from UTF-8 if the locale could not decode it."""
    try:
        argument.encode()
    except UnicodeEncodeError:  # Python has decoded its bytes as surrogates
        return os.fsencode(argument).decode("utf-8", "replace")
    return argument


class Output:
    """A stream that replaces characters it cannot encode, and drops output after its reader has closed the pipe.

    The command goes on in that case, for its exit code.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        #: the error of a write that failed for another reason than a closed pipe
        self.error: OSError | None = None
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERRORS)

    def write(self, text: str) -> int:
        """Write a text, or drop it after the pipe was closed."""
        with self._catch_errors():
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        with self._catch_errors():
            if self._stream is not None:
                self._stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    @contextlib.contextmanager
    def _catch_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.error = error
            self._drop()

    def _drop(self) -> None:
        """Drop further output, and what Python has buffered and flushes when it exits."""
        stream, self._stream = self._stream, None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())  # type: ignore[union-attr]
            os.close(devnull)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def tolerant_output() -> Iterator[None]:
    """Replace standard output and error by an `Output` each, while a command is executed."""
    before = sys.stdout, sys.stderr
    out, err = Output(sys.stdout), Output(sys.stderr)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
        if out.error is not None:
            with contextlib.suppress(OSError):
                err.write(f"The output could not be written: {out.error.strerror}.\n")
                err.flush()
            sys.exit(1)
