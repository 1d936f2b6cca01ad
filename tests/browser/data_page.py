"""What a person does on the page of a data source, in the words of a test."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .lab_page import open_lab, open_panel, panel, region, row_of, side_bar_tab, upload

#: semicolons, decimal commas, a title above the header, cells that are no number, and labels that differ by case
CUSTOMERS = "\r\n".join(
    [
        "Export CRM",
        "",
        "Number;Tenure;Spend;City;Left",
        *(
            f"K-{1000 + n};{'err' if n in (7, 40) else f'{n % 36},5'};€ {20 + n % 50},{n % 10}0;"
            f"{('Gent', 'Lyon', 'Graz')[n % 3]};{('No', 'No', 'No', 'Yes', 'yes')[n % 5]}"
            for n in range(120)
        ),
    ]
).encode("cp1252")


def workbook_of_two_sheets() -> bytes:
    """Return a workbook with the sheets Orders, 40 rows of two columns, and Towns, 25 rows of three."""
    book = openpyxl.Workbook()
    orders = book.active
    orders.title = "Orders"
    orders.append(["code", "pieces"])
    for n in range(40):
        orders.append([f"A-{n % 7}", n % 9])
    towns = book.create_sheet("Towns")
    towns.append(["town", "founded", "inhabitants"])
    for n in range(25):
        towns.append([("Gent", "Lyon", "Graz")[n % 3], date(1200 + n, 5, 1), 1000.5 * n])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def upload_customers(lab: Lab, page: Page, name: str) -> str:
    """Upload the table by the panel, and return the id of its data source."""
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    upload(page, name, CUSTOMERS)
    expect(region(page, "Data").get_by_role("listitem").filter(has_text=name)).to_contain_text(
        "120 rows"
    )
    return str(next(row["id"] for row in lab.rows("data-sources") if row["name"] == name))


def open_data_page(page: Page, name: str) -> Locator:
    """Open the page by the row's title in the panel, and wait until all columns are there."""
    row_of(page, "Data", name).get_by_role("button", name=name, exact=True).click()
    article = data_page(page, name)
    expect(columns(article)).to_be_visible(timeout=60_000)
    return article


def hide_panel(page: Page) -> None:
    """Give the page the whole width."""
    if panel(page).is_visible():
        side_bar_tab(page).click()
    expect(panel(page)).to_be_hidden()


def data_page(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=f"Data {name}", exact=True)


def columns(article: Locator) -> Locator:
    return article.get_by_role("table", name="Columns", exact=True)


def column(article: Locator, name: str) -> Locator:
    """The button with the name of a column."""
    return columns(article).get_by_role("button", name=name, exact=True)


def detail(article: Locator, name: str) -> Locator:
    return article.get_by_role("region", name=name, exact=True)


def type_of(article: Locator, name: str) -> Locator:
    return article.get_by_role("combobox", name=f"Type of {name}", exact=True)
