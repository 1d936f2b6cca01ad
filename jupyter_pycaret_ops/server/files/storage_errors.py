"""Errors of file systems, translated: `Unavailable` with a message for users that contains no path."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
from collections.abc import Iterator

from ...common.errors import NotFound, OpsError, Unavailable

log = logging.getLogger("jupyter_pycaret_ops")

#: messages of object stores about credentials that have expired, or are refused
_EXPIRED = re.compile(r"expired|token.{0,20}(invalid|refresh)", re.IGNORECASE)
_DENIED = re.compile(
    r"access ?denied|forbidden|credentials|signaturedoesnotmatch|invalidaccesskey|unauthorized",
    re.IGNORECASE,
)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


def _unavailable(error: Exception) -> Unavailable:
    """Return the error for the caller; the details go to the log only."""
    log.warning("the file store failed: %s: %s", type(error).__name__, error)
    number, text = getattr(error, "errno", None), f"{type(error).__name__} {error}"
    if number in _NO_SPACE:
        return Unavailable(
            "The disk that holds the artifacts is full. Free some space, then try again.",
            retry_after_s=30,
        )
    if _EXPIRED.search(text):
        return Unavailable(
            "The credentials of the file store have expired. Renew them, then try again.",
            retry_after_s=30,
        )
    if number in _NO_PERMISSION or isinstance(error, PermissionError) or _DENIED.search(text):
        return Unavailable(
            "The file store refuses the server. Check its permissions and credentials.",
            retry_after_s=30,
        )
    if isinstance(error, ImportError):
        return Unavailable(
            "The file store needs a package that is not installed. "
            "For S3: pip install 'jupyter-pycaret-ops[s3]'.",
            retry_after_s=30,
        )
    return Unavailable("The file store does not answer. Try again.", retry_after_s=10)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise NotFound for a missing file, and Unavailable for every other error of a file system."""
    try:
        yield
    except OpsError:
        raise
    except FileNotFoundError as error:
        raise NotFound("The file is no longer in the file store.") from error
    except Exception as error:
        raise _unavailable(error) from error
