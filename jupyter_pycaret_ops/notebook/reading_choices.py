"""What a person decides in the upload panel about how their table is read: types, and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..client.records import JSON, JSONs
from ..common.tables.column_cells import SETTABLE_TYPES
from .markup import button, escape, mark

#: what the button of a notice says
_WORDS = {
    "labels_differ_by_case": "Treat as one",
    "leak_suspect": "Leave out",
    "groups": "Keep groups together",
    "drift": "Split by time",
}


@dataclass(slots=True)
class ReadingChoices:
    """Types that were changed, and notices that were followed; nothing is changed unasked."""

    #: column → type
    types: dict[str, str] = field(default_factory=dict)
    #: code and column of notices
    followed: set[tuple[str, str]] = field(default_factory=set)

    def set_type(self, column: str, kind: str, found: str) -> None:
        """Set the type of a column; the one that was found takes the choice away."""
        if kind == found:
            self.types.pop(column, None)
        else:
            self.types[column] = kind

    def toggle(self, notice: JSON) -> None:
        """Follow a notice, or no longer."""
        self.followed ^= {_key(notice)}

    def follows(self, notice: JSON) -> bool:
        """Return whether a notice is followed."""
        return _key(notice) in self.followed

    def setup_params(self, notices: JSONs) -> JSON:
        """Return the set-up parameters of a run with these choices."""
        params: JSON = {}
        for notice in notices:
            if not self.follows(notice):
                continue
            for name, value in notice["setup_params"].items():
                params[name] = [*params.get(name, []), *value] if isinstance(value, list) else value
        ignored = set(params.get("ignore_features", ()))
        types = {column: kind for column, kind in self.types.items() if column not in ignored}
        return {**params, **({"column_types": types} if types else {})}


def _key(notice: JSON) -> tuple[str, str]:
    return str(notice["code"]), str(notice.get("column"))


def type_picker(column: str, place: int, found: str, chosen: str) -> str:
    """Return the picker of a column's type; `found` is what it was without a choice."""
    kinds = [*SETTABLE_TYPES, *([] if found in SETTABLE_TYPES else [found])]
    options = "".join(
        f'<option value="{kind}"{" selected" if kind == chosen else ""}>{kind}</option>'
        for kind in kinds
    )
    was = "" if chosen == found else f' <span class="jp-pycaret-muted">was {escape(found)}</span>'
    return (
        f'<select class="jp-pycaret-select" name="type {place}" data-do="type:{place}" '
        f'aria-label="Type of {escape(column)}">{options}</select>{was}'
    )


def notice_list(notices: JSONs, choices: ReadingChoices, *, live: bool) -> str:
    """Return the notices, each with its button, or with `Undo` where it is followed."""
    return "".join(
        _notice(place, item, is_followed=choices.follows(item), live=live)
        for place, item in enumerate(notices)
    )


def _notice(place: int, item: JSON, *, is_followed: bool, live: bool) -> str:
    column = str(item.get("column") or "")
    word = _WORDS.get(str(item["code"]), "Apply")
    if is_followed:
        text, press = (
            f"{word}: {column}",
            button("Undo", f"notice:{place}", name=f"Undo {word} {column}"),
        )
    else:
        name = f"{word} {column}" if item["code"] == "leak_suspect" else word
        text, press = str(item["message"]), button(word, f"notice:{place}", name=name)
    sign = mark("succeeded" if is_followed else "warning")
    return (
        f'<div class="jp-pycaret-notice jp-pycaret-notice--bar" role="status" data-key="notice {place}">{sign}'
        f'<div class="jp-pycaret-notice__body"><p>{escape(text)}</p></div>{press if live else ""}</div>'
    )


def note_list(reported: list[Any]) -> str:
    """Return what was read in another way than it stands in the file, folded."""
    if not reported:
        return ""
    items = "".join(f"<li>{escape(str(item['message']))}</li>" for item in reported)
    count = "1 note" if len(reported) == 1 else f"{len(reported):,} notes"
    return (
        f'<details data-key="notes"><summary>{count} from reading the file</summary>'
        f'<ul aria-label="Notes from reading">{items}</ul></details>'
    )
