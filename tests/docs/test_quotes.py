"""Texts that the documentation quotes from the product exist there, and so do the modules it names."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from ..live import ROOT
from .test_docs import DOCS, FENCE, PACKAGE, page

#: a part of a message that the code fills in
FILLED = "\0"
QUOTED = re.compile(r"“([^”]*(?:“…”[^”]*)*)”")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
MODULE = re.compile(r"`([\w/]+\.(?:py|ts|tsx|js))`")
#: quotes in troubleshooting.md that other programs show
FOREIGN = {"Error displaying widget"}
#: folders of the code that a design page is about
HOMES = {
    **{name: [PACKAGE / name] for name in ("cli", "client", "common", "notebook")},
    "labextension": [ROOT / "labextension" / "src"],
    "README": [PACKAGE / "server"],
}


@cache
def messages() -> tuple[str, ...]:
    """Return every text in the package's code, with `FILLED` for each value put in."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    str(part.value) if isinstance(part, ast.Constant) else FILLED
                    for part in node.values
                ]
                found.add("".join(parts))
    return tuple(found)


def is_message(quote: str) -> bool:
    """Return whether some message contains the quote; `…` stands for whatever is left out."""
    words = [re.escape(part.strip()) for part in quote.replace("“…”", "…").split("…")]
    pattern = re.compile(".*".join(words), re.DOTALL)
    return any(pattern.search(message) for message in messages())


@cache
def interface() -> str:
    folder = ROOT / "labextension" / "src"
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.ts*")))


def quotes() -> list[str]:
    return sorted(set(QUOTED.findall(page("troubleshooting.md"))) - FOREIGN)


@pytest.mark.parametrize("quote", quotes())
def test_quoted_message_is_one_of_the_product(quote: str) -> None:
    # figures in an example are filled in by the code
    assert is_message(re.sub(r"\d[\d.]* GiB", "…", quote))


@pytest.mark.parametrize("label", sorted(set(BOLD.findall(page("jupyterlab.md")))))
def test_label_in_bold_is_in_the_interface(label: str) -> None:
    assert f"'{label}" in interface()


@pytest.mark.parametrize("row", re.findall(r"^\| (.+?) \|", page("jupyterlab.md"), re.M)[5:])
def test_message_in_the_table_is_in_the_interface(row: str) -> None:
    for message in row.split("; "):
        assert message.startswith(("---", "message")) or f"'{message}" in interface()


@pytest.mark.parametrize("name", sorted(file.stem for file in (DOCS / "design").glob("*.md")))
def test_module_named_by_a_design_page_exists(name: str) -> None:
    """A module is named by its path below the folder of the page, or below the package."""
    homes = HOMES.get(name) or [
        PACKAGE / "kernel" / name.removeprefix("kernel-")
        if name.startswith("kernel-")
        else PACKAGE / "server" / name.replace("-", "_")
    ]
    for module in MODULE.findall(FENCE.sub("", page(f"design/{name}.md"))):
        paths = [*(home / module for home in homes), PACKAGE / module, PACKAGE / "server" / module]
        below = [path for home in homes for path in home.rglob(module.rpartition("/")[2])]
        is_there = any(path.exists() for path in paths) or any(
            path.as_posix().endswith(f"/{module}") for path in below
        )
        assert is_there or (ROOT / module).exists(), f"design/{name}.md names {module}"
