"""HTML elements that all panels share: status marks, icons, buttons, notices. Escapes all text."""

from __future__ import annotations

from html import escape

_ICONS = {
    "stop": '<rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor"/>',
    "copy": '<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"/>',
    "upload": '<path d="M8 10.5V3M5 6l3-3 3 3M2.5 11v2.5h11V11"/>',
    "down": '<path d="M4.5 6.5 8 10l3.5-3.5"/>',
    "check": '<path d="m3 8.5 3.2 3L13 4.5"/>',
}
_GLYPH = 'fill="none" stroke="currentColor" stroke-width="1.5"'
_INSIDE = 'fill="none" stroke="var(--jp-layout-color1)" stroke-width="1.5" stroke-linecap="round"'
_STATUS = {
    "queued": f'<circle cx="7" cy="7" r="5" {_GLYPH} stroke-dasharray="2.2 1.73"/>',
    "running": '<circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" stroke-opacity=".25" '
    'stroke-width="2"/><path class="jp-pycaret-status__spin" d="M7 2a5 5 0 0 1 5 5" fill="none" '
    'stroke="currentColor" stroke-width="2" stroke-linecap="round"/>',
    "succeeded": '<circle cx="7" cy="7" r="6" fill="currentColor"/>'
    f'<path d="m4.3 7.2 1.9 1.9 3.5-3.8" {_INSIDE} stroke-linejoin="round"/>',
    "failed": '<path d="M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5z" fill="currentColor"/>'
    f'<path d="m5 5 4 4M9 5 5 9" {_INSIDE}/>',
    "cancelled": f'<circle cx="7" cy="7" r="5" {_GLYPH}/><path d="m3.6 10.4 6.8-6.8" {_GLYPH}/>',
    "active": '<circle cx="7" cy="7" r="4" fill="currentColor"/>',
    "paused": '<path d="M4.8 3v8M9.2 3v8" stroke="currentColor" stroke-width="2.2" '
    'stroke-linecap="round"/>',
    "warning": '<path d="M7 1.2 13.2 12.5H.8z" fill="currentColor" stroke="currentColor" '
    f'stroke-linejoin="round"/><path d="M7 5v3.5M7 10.6h.01" {_INSIDE}/>',
}

__all__ = [
    "button",
    "chip",
    "clock",
    "escape",
    "icon",
    "mark",
    "notice",
    "number",
    "plural",
    "to_slug",
]


def icon(name: str) -> str:
    """Return an icon as SVG."""
    return (
        f'<svg class="jp-pycaret-icon" viewBox="0 0 16 16" aria-hidden="true">{_ICONS[name]}</svg>'
    )


def mark(status: str, *, is_labelled: bool = False) -> str:
    """Return a status as SVG; `is_labelled` gives it a name for screen readers where no text is beside it."""
    label = (
        f'role="img" aria-label="{escape(status.capitalize())}"'
        if is_labelled
        else 'aria-hidden="true"'
    )
    return (
        f'<svg class="jp-pycaret-status__mark jp-pycaret-status__mark--{status}" viewBox="0 0 14 14" '
        f"{label}>{_STATUS[status]}</svg>"
    )


def chip(status: str, text: str | None = None) -> str:
    """Return a status as mark and text."""
    return (
        f'<span class="jp-pycaret-status jp-pycaret-status--chip">{mark(status)}'
        f"{escape(text or status.capitalize())}</span>"
    )


def button(
    word: str,
    do: str = "",
    *,
    kind: str = "",
    name: str | None = None,
    is_disabled: bool = False,
    before: str = "",
    **data: str,
) -> str:
    """Return a button; `do` is the action sent to Python, `data` are actions of the browser alone."""
    modifier = f" jp-pycaret-button--{kind}" if kind else ""
    more = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    if do:
        more += f' data-do="{escape(do)}"'
    if name is not None:
        more += f' aria-label="{escape(name)}"'
    if is_disabled:
        more += " disabled"
    return (
        f'<button type="button" class="jp-pycaret-button jp-pycaret-button--small{modifier}"{more}>'
        f"{before}<span data-word>{escape(word)}</span></button>"
    )


def notice(status: str, title: str, body: str = "") -> str:
    """Return a notice with a status mark, a message and details."""
    return (
        f'<div class="jp-pycaret-notice jp-pycaret-notice--bar" role="status">{mark(status)}'
        f'<div class="jp-pycaret-notice__body"><p class="jp-pycaret-notice__title">{escape(title)}</p>'
        f"{f'<p>{escape(body)}</p>' if body else ''}</div></div>"
    )


def number(value: object, places: int = 4) -> str:
    """Return a number with fixed decimals; a dash for a missing one, never 0."""
    return f"{value:.{places}f}" if isinstance(value, int | float) else "–"


def plural(count: int, word: str) -> str:
    """`1 model`, `2 models`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def clock(seconds: float) -> str:
    """`0:07`, `1:02:03`."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def to_slug(text: str) -> str:
    """Return a text as a valid endpoint slug."""
    kept = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower()
    )
    slug = "-".join(part for part in kept.split("-") if part)[:64].strip("-")
    return slug if len(slug) >= 3 else f"{slug or 'model'}-1"
