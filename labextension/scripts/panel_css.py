"""The style of the panels under cells, made from the side panel's: `python labextension/scripts/panel_css.py` writes it anew.

The tokens and components of the visual specification stand in `labextension/style/`. Panels under cells are
drawn by a kernel that may have no labextension beside it, and leave a picture with its style in the saved file.
So they get a style sheet of their own: of the side panel's the rules for what they draw, then `own.css`. Where
both sheets are loaded, the later of two equal rules would win in the side panel as well; so these hold under
cells alone, by nesting, and weigh no more for it.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labextension" / "style" / "base.css"
NOTEBOOK = ROOT / "jupyter_pycaret_ops" / "notebook"
OWN = NOTEBOOK / "static" / "own.css"
MADE = NOTEBOOK / "static" / "panel.css"
HEAD = "/* Made by labextension/scripts/panel_css.py from labextension/style and own.css: change those. */"

UNDER_CELLS = ":where(.jp-pycaret-live, .jp-pycaret-picture)"

_IMPORT = re.compile(r"@import url\('([^']+)'\);")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLASS = re.compile(r"\.(-?[a-zA-Z][\w-]*)")
_DRAWN = re.compile(r"\bjp-pycaret[\w-]*\{?")
_KEYFRAMES = re.compile(r"@keyframes ([\w-]+)")


def sheet(file: Path) -> str:
    """A style sheet with its imports in their places, without comments."""
    text = _COMMENT.sub("", file.read_text(encoding="utf-8"))
    return _IMPORT.sub(lambda found: sheet(file.parent / found[1]), text)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The rules of a sheet, one after the other: what stands before the braces, and in them."""
    depth, start, head = 0, 0, ""
    for place, letter in enumerate(text):
        if letter == "{":
            if depth == 0:
                head, start = text[start:place].strip(), place + 1
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                yield head, text[start:place].strip("\n")
                start = place + 1


def drawn() -> tuple[set[str], tuple[str, ...]]:
    """The classes that panels draw, and the beginnings of those that are put together."""
    found = {
        word
        for file in [*NOTEBOOK.glob("*.py"), NOTEBOOK / "static" / "panel.js"]
        for word in _DRAWN.findall(file.read_text(encoding="utf-8"))
    }
    begun = tuple(word[:-1] for word in found if word.endswith("{"))
    return {word for word in found if not word.endswith("{")}, begun


def kept(text: str, classes: set[str], begun: tuple[str, ...]) -> Iterator[str]:
    """The rules for what is drawn."""
    for head, body in blocks(text):
        if head.startswith(("@media", "@container")):
            inside = "\n".join(kept(body, classes, begun))
            if inside:
                yield rule(head, inside)
        elif head.startswith("@"):
            yield rule(head, "\n".join(rule(*one) for one in blocks(body)))
        else:
            fitting = [
                one
                for one in selectors(head)
                if all(name in classes or name.startswith(begun) for name in _CLASS.findall(one))
            ]
            if fitting:
                yield rule(",\n".join(fitting), body)


def rule(head: str, body: str) -> str:
    """A rule as it is written."""
    lines = [line for line in body.splitlines() if line.strip()]
    inside = textwrap.indent(textwrap.dedent("\n".join(lines)), "  ")
    return f"{head} {{\n{inside}\n}}"


def selectors(head: str) -> list[str]:
    """A list of selectors, split where a comma stands outside of brackets."""
    return [" ".join(one.split()) for one in re.split(r",(?![^()]*\))", head)]


def made() -> str:
    """The style sheet of the panels."""
    rules = list(kept(sheet(LAB), *drawn()))
    own = OWN.read_text(encoding="utf-8")
    tokens = [one for one in rules if one.startswith("body {")]
    nested = [one for one in rules if not one.startswith(("body {", "@keyframes"))]
    text = "".join(nested) + own
    frames = [
        one
        for one in rules
        if (found := _KEYFRAMES.match(one)) and re.search(rf"animation:[^;]*{found[1]}\b", text)
    ]
    return "\n\n".join([HEAD, *tokens, *frames, rule(UNDER_CELLS, "\n".join(nested)), own])


if __name__ == "__main__":
    MADE.write_text(made(), encoding="utf-8")
    sys.stdout.write(f"{MADE.relative_to(ROOT)}: {MADE.stat().st_size:,} bytes\n")
