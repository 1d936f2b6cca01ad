"""Figures as they are shown: whatever would make the viewer's browser ask another server is taken out."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...common.errors import Invalid, Unavailable
from .json_body import refuse_deep

#: what Plotly fetches where it is a URL: images, layers and shapes of maps, styles of maps
_FETCHED = frozenset({"source", "geojson", "style", "url", "href", "src"})
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
#: also relative ones: a figure has no files beside it
_URL = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|/|\\|\.)", re.IGNORECASE)


def without_remote_images(content: bytes) -> bytes:
    """Return a figure's JSON without anything that is fetched from elsewhere; unchanged where it has none.

    Raises
    ------
    Unavailable
        When the stored file is no figure.
    """
    try:
        refuse_deep(content)
        figure = msgspec.json.decode(content)
    except (Invalid, msgspec.DecodeError, UnicodeDecodeError):
        figure = None
    if not isinstance(figure, dict):
        raise Unavailable(
            "The plot is damaged in the file store. Restore the file, or run again.",
            retry_after_s=60,
        )
    return msgspec.json.encode(figure) if _drop(figure) else content


def _drop(value: Any) -> bool:
    """Take what is fetched out of a value, in place; whether there was anything."""
    if isinstance(value, dict):
        fetched = [key for key, item in value.items() if key in _FETCHED and _is_fetched(key, item)]
        for key in fetched:
            del value[key]
        return sum(map(_drop, value.values())) + len(fetched) > 0
    if isinstance(value, list):
        return sum(_drop(item) for item in value if isinstance(item, dict | list)) > 0
    return False


def _is_fetched(key: str, item: Any) -> bool:
    if not isinstance(item, str) or _IMAGE.match(item):
        return False
    return key == "source" or bool(_URL.match(item))
