"""What a person does in JupyterLab, in the words of a test."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

DARK = "JupyterLab Dark"
LIGHT = "JupyterLab Light"
#: a workspace or project that is chosen: the lists are there
A_UUID = re.compile(r"[0-9a-f-]{36}")
AXE = Path(__file__).parents[2] / "labextension/node_modules/axe-core/axe.min.js"


def open_lab(page: Page, url: str, token: str) -> None:
    """Load JupyterLab in a layout of its own, and wait until its plugins are active and it is at rest.

    Of its own, for a page that is closed may still save the layout that it had. At rest with the
    launcher, which comes late, once the files are listed, and takes the focus from whoever has it.
    """
    page.goto(f"{url}lab/workspaces/{secrets.token_hex(6)}?token={token}")
    page.wait_for_function("window.jupyterapp !== undefined")
    page.evaluate("window.jupyterapp.restored.then(() => null)")
    expect(side_bar_tab(page)).to_be_visible()
    expect(page.get_by_role("tab", name="Launcher", exact=True)).to_be_visible()


def side_bar_tab(page: Page) -> Locator:
    return page.get_by_role("tab", name="PyCaret Ops", exact=True)


def open_panel(page: Page) -> Locator:
    """Open the panel by its tab in the side bar."""
    if not panel(page).is_visible():
        side_bar_tab(page).click()
    expect(panel(page)).to_be_visible()
    return panel(page)


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="PyCaret Ops", exact=True)


def region(page: Page, name: str) -> Locator:
    return panel(page).get_by_role("region", name=name, exact=True)


def row_of(page: Page, name: str, text: str) -> Locator:
    """The row of a region that has a text, also one that `Show more` brings."""
    expect(panel(page).get_by_role("combobox", name="Project")).to_have_value(A_UUID)
    of_region = region(page, name)
    of_region.scroll_into_view_if_needed()
    rows = of_region.get_by_role("listitem")
    row = rows.filter(has_text=text)
    more = of_region.get_by_role("button", name="Show more", exact=True)
    expect(rows.first).to_be_visible()
    while row.count() == 0 and more.is_visible():
        drawn = rows.count()
        more.click()
        expect(rows).not_to_have_count(drawn)
    return row


def upload(page: Page, filename: str, content: bytes) -> None:
    """Choose a file with `Upload data`."""
    with page.expect_file_chooser() as chooser:
        panel(page).get_by_role("button", name="Upload data").click()
    chooser.value.set_files({"name": filename, "mimeType": "text/csv", "buffer": content})


def new_run_form(page: Page) -> Locator:
    return page.get_by_role("form", name="New run", exact=True)


def use_theme(page: Page, theme: str) -> None:
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme }).then(() => null)",
        theme,
    )
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    # the page is covered for a moment while its style changes
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def run_from_palette(page: Page, words: str) -> None:
    """Open the command palette, search, and take the first hit."""
    page.keyboard.press("Control+Shift+C")
    search = page.locator(".lm-CommandPalette-input")
    search.fill(words)
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(words)
    search.press("Enter")


def faults(page: Page) -> list[Any]:
    """What axe-core finds serious in our own parts."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        """() => window.axe.run(
            { include: ['.jp-pycaret'] },
            { resultTypes: ['violations'] }
        ).then(result => result.violations
            .filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => [one.id, one.help, one.nodes.map(node => node.html).slice(0, 3)]))"""
    )
    assert isinstance(found, list)
    return found
