"""Keep secrets out of messages, whatever a library or a server puts into its own.

Our own messages name only what the data source shows anyway and are not redacted: if a password were
also the name of a table, the redaction would reveal it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from jupyter_pycaret_ops.common.protocol import DataSpec

from .interfaces import SourceUnreadable

SECRET_OPTIONS = ("access_key_id", "secret_access_key", "password")
MAX_MESSAGE_LENGTH = 300


@contextlib.contextmanager
def errors_redacted(spec: DataSpec) -> Iterator[None]:
    """Convert every error of this block to `SourceUnreadable`, without its cause."""
    try:
        yield
    except SourceUnreadable as error:
        raise error from None
    except MemoryError:
        raise
    except Exception as error:
        # the library's message may contain a URL or a connection string, so only its type is named
        raise SourceUnreadable(
            f"The {spec.kind} source could not be read ({type(error).__name__}).", "internal"
        ) from None


def redact(text: str, spec: DataSpec) -> str:
    """Return `text` without the secrets of `spec`, also where they are quoted as in URLs."""
    for name in SECRET_OPTIONS:
        secret = spec.options.get(name)
        if secret:
            for variant in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
                text = text.replace(variant, "…")
    return text


def redacted_message(text: str, spec: DataSpec) -> str:
    """Return the message of a server in one line of limited length, without secrets."""
    # redact before shortening: a part of a secret would not be found
    return " ".join(redact(text, spec).split())[:MAX_MESSAGE_LENGTH].rstrip(".")
