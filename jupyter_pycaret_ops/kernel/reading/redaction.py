"""No message of this room repeats a secret, whatever a library or a server put into it.

Our own sentences name what the source's row names anyway and are left as they are: a password that is also
the name of a table would be shown by the very gap.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from jupyter_pycaret_ops.common.protocol import DataSpec

from .interfaces import SourceUnreadable

SECRET_OPTIONS = ("access_key_id", "secret_access_key", "password")
LONGEST_SAID = 300


@contextlib.contextmanager
def guarded(spec: DataSpec) -> Iterator[None]:
    """Turn every error into `SourceUnreadable`, with no cause behind it."""
    try:
        yield
    except SourceUnreadable as error:
        raise error from None
    except MemoryError:
        raise
    except Exception as error:
        # the library's words may hold a URL or a connection string: its kind must do
        raise SourceUnreadable(
            f"The {spec.kind} source could not be read ({type(error).__name__}).", "internal"
        ) from None


def blotted(text: str, spec: DataSpec) -> str:
    """The text without the secrets of that spec, in any of the forms that URLs give them."""
    for name in SECRET_OPTIONS:
        secret = spec.options.get(name)
        if secret:
            for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
                text = text.replace(form, "…")
    return text


def said(text: str, spec: DataSpec) -> str:
    """What a server said, in one line that one can read, with secrets blotted out."""
    # before it is cut: half a secret is none that would be found
    return " ".join(blotted(text, spec).split())[:LONGEST_SAID].rstrip(".")
