"""A deployment in its view: other versions of its model, and the keys that open it."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from ..live import until
from .conftest import Deployed, Lab
from .lab_page import faults, open_lab, open_panel, panel, region, row_of


@pytest.fixture
def view(lab: Lab, page: Page, deployed: Deployed) -> Locator:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = row_of(page, "Deployments", deployed.slug)
    row.press("Enter")
    view = page.get_by_role("article", name=f"Deployment {deployed.slug}", exact=True)
    expect(view.get_by_role("button", name="Predict", exact=True)).to_be_enabled()
    return view


def status_with(lab: Lab, slug: str, key: str) -> int:
    """What the deployment answers to somebody who has nothing but a key."""
    request = urllib.request.Request(
        f"{lab.url}pycaret/api/v1/deployments/{slug}/schema",
        headers={"Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_another_version_is_served_at_once_and_back(
    lab: Lab, page: Page, view: Locator, deployed: Deployed
) -> None:
    expect(view.get_by_text(f"{deployed.slug} v1", exact=True)).to_be_visible()
    view.get_by_role("button", name="Change version", exact=True).click()
    dialog = page.get_by_role("dialog")
    version = dialog.get_by_label("Version", exact=True)
    expect(version.get_by_role("option")).to_have_count(2)
    serving = version.locator("option:disabled")
    expect(serving).to_contain_text(re.compile(r"v1 · Logistic Regression · Accuracy 0\.[0-9]{4}"))
    expect(serving).to_contain_text("serves now")
    dialog.get_by_role("button", name="Change version", exact=True).click()
    expect(view.get_by_text(f"{deployed.slug} v2", exact=True)).to_be_visible()
    assert lab.call("GET", f"deployments/{deployed.slug}")["pipeline_id"] == deployed.versions[1]

    view.get_by_role("button", name="Change version", exact=True).click()
    dialog.get_by_role("button", name="Change version", exact=True).click()
    expect(view.get_by_text(f"{deployed.slug} v1", exact=True)).to_be_visible()


def test_a_key_is_made_listed_and_revoked(
    lab: Lab, page: Page, view: Locator, deployed: Deployed
) -> None:
    view.get_by_label("Access", exact=True).select_option("api-key")
    view.get_by_role("button", name="New key", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key name", exact=True).fill("web shop")
    assert faults(page) == []
    dialog.get_by_role("button", name="Create key", exact=True).click()

    once = view.locator(".jp-pycaret-once")
    expect(once).to_contain_text("Copy this key now.")
    key = once.locator(".jp-pycaret-copyline__text").inner_text()
    row = view.get_by_role("table", name="Keys").get_by_role("row").filter(has_text="web shop")
    expect(row).to_contain_text("in 90 days")
    expect(row).not_to_contain_text(key)
    assert faults(page) == []
    assert status_with(lab, deployed.slug, key) == 200

    # a name that is taken is said in the dialog, which stays
    view.get_by_role("button", name="New key", exact=True).click()
    dialog.get_by_label("Key name", exact=True).fill("web shop")
    dialog.get_by_role("button", name="Create key", exact=True).click()
    expect(dialog.get_by_label("Key name", exact=True)).to_have_attribute("aria-invalid", "true")
    dialog.get_by_role("button", name="Close", exact=True).click()

    row.get_by_role("button", name="Revoke", exact=True).click()
    expect(dialog).to_contain_text("Revoke web shop?")
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_have_count(0)
    expect(once).to_have_count(0)
    assert status_with(lab, deployed.slug, key) == 401

    # keys are asked for only where they decide
    view.get_by_label("Access", exact=True).select_option("workspace")
    expect(view.get_by_role("button", name="New key", exact=True)).to_have_count(0)


def test_public_access_asks_first_and_says_who_can_call_then(
    lab: Lab, page: Page, view: Locator, deployed: Deployed, pictures: Path
) -> None:
    access = view.get_by_label("Access", exact=True)
    dialog = page.get_by_role("dialog")
    host = urllib.parse.urlsplit(lab.url).netloc

    def mode() -> object:
        return lab.call("GET", f"deployments/{deployed.slug}")["auth_mode"]

    access.select_option("public")
    expect(dialog).to_contain_text(f"Make {deployed.slug} public?")
    expect(dialog).to_contain_text(f"Anyone who reaches {host} can then call it without a login")
    page.screenshot(path=pictures / "public.png")
    dialog.get_by_role("button", name="Back", exact=True).click()
    expect(access).to_have_value("workspace")
    assert mode() == "workspace"
    access.select_option("public")
    dialog.get_by_role("button", name="Make public", exact=True).click()
    expect(access).to_have_value("public")
    expect(dialog).to_have_count(0)
    assert mode() == "public"
    # nobody is asked on the way back
    access.select_option("workspace")
    expect(access).to_have_value("workspace")
    expect(dialog).to_have_count(0)


def test_a_new_deployment_that_is_public_asks_first(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    slug = "for-all"
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    model = region(page, "Models").get_by_role("listitem").filter(has_text=f"{deployed.slug} v2")
    model.get_by_role("button", name="Deploy", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Endpoint name", exact=True).fill(slug)
    dialog.get_by_label("Access", exact=True).select_option("public")
    dialog.get_by_role("button", name="Create deployment", exact=True).click()
    expect(dialog).to_contain_text(f"Make {slug} public?")
    dialog.get_by_role("button", name="Back", exact=True).click()
    # the form is there again, as it was
    expect(dialog.get_by_label("Endpoint name", exact=True)).to_have_value(slug)
    expect(dialog.get_by_label("Access", exact=True)).to_have_value("public")
    assert slug not in [one["endpoint_slug"] for one in lab.rows("deployments")]
    dialog.get_by_role("button", name="Create deployment", exact=True).click()
    dialog.get_by_role("button", name="Make public", exact=True).click()
    view = page.get_by_role("article", name=f"Deployment {slug}", exact=True)
    expect(view.get_by_label("Access", exact=True)).to_have_value("public")
    lab.call("DELETE", f"deployments/{slug}")


def test_the_python_call_runs_in_the_notebook_that_it_is_pasted_into(
    lab: Lab, page: Page, view: Locator
) -> None:
    view.get_by_role("tab", name="Python", exact=True).click()
    snippet = view.get_by_role("tabpanel", name="python").locator("pre").inner_text()
    assert "Client()" in snippet
    assert "requests" not in snippet
    page.evaluate(
        "window.jupyterapp.commands.execute('notebook:create-new', { kernelName: 'python3' })"
        ".then(() => null)"
    )
    expect(page.get_by_role("button", name="| Idle")).to_be_visible()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.insert_text(snippet)
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-Notebook .jp-OutputArea-output").first
    expect(output).to_contain_text("'prediction':")
    expect(output).to_contain_text("'probabilities':")
    for kernel in lab.sessions():
        lab.end(kernel)


def test_a_deployment_is_taken_down_and_a_model_in_use_stays(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    slug = "short-lived"
    lab.call("POST", f"pipelines/{deployed.versions[1]}/deployments", {"endpoint_slug": slug})
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Deployments").get_by_role("listitem").filter(has_text=slug)
    model = region(page, "Models").get_by_role("listitem").filter(has_text=f"{deployed.slug} v2")
    dialog = page.get_by_role("dialog")
    model.press("Delete")
    expect(dialog).to_contain_text(f"Delete {deployed.slug} v2?")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(panel(page).get_by_role("alert")).to_contain_text("deploy")
    expect(model).to_be_visible()

    row.press("Delete")
    expect(dialog).to_contain_text("Programs that call it get no answer from then on.")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_be_hidden()
    assert slug not in [one["endpoint_slug"] for one in lab.rows("deployments")]


def test_a_viewer_sees_what_there_is_and_no_action(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    me = lab.call("GET", "auth/me")
    me["memberships"] = [one | {"role": "viewer"} for one in me["memberships"]]
    page.route("**/auth/me?**", lambda route: route.fulfill(json=me))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = row_of(page, "Deployments", deployed.slug)
    row.press("Enter")
    view = page.get_by_role("article", name=f"Deployment {deployed.slug}", exact=True)
    expect(view).to_contain_text("You may look. Members of the workspace predict.")
    expect(view.get_by_role("button", name="Predict", exact=True)).to_be_disabled()
    expect(view.get_by_label("Access", exact=True)).to_be_disabled()
    for name in ("Change version", "Pause"):
        expect(view.get_by_role("button", name=name, exact=True)).to_have_count(0)
    row_of(page, "Runs", deployed.slug).press("Enter")
    run = page.get_by_role("article", name=f"Run {deployed.slug}", exact=True)
    expect(run.get_by_role("button", name="Open as notebook", exact=True)).to_be_visible()
    for name in ("Run again", "Promote", "Deploy"):
        expect(run.get_by_role("button", name=name, exact=True)).to_have_count(0)


@pytest.fixture
def of_two_labels(lab: Lab) -> Iterator[str]:
    """A deployment that answers one of two labels; returns its slug."""
    slug = "tissue"
    run = lab.trained(slug, "breast_cancer", "target")
    pipeline = lab.call("POST", f"runs/{run}/promote", {"name": slug})["id"]
    lab.call("POST", f"pipelines/{pipeline}/deployments", {"endpoint_slug": slug})
    yield slug
    lab.call("DELETE", f"deployments/{slug}")
    lab.call("DELETE", f"pipelines/{pipeline}")


def test_threshold_decides_what_is_answered(
    lab: Lab, page: Page, of_two_labels: str, pictures: Path
) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row_of(page, "Deployments", of_two_labels).press("Enter")
    view = page.get_by_role("article", name=f"Deployment {of_two_labels}", exact=True)
    threshold = view.get_by_label("Threshold", exact=True)
    answer = view.locator(".jp-pycaret-answer__label")
    predict = view.get_by_role("button", name="Predict", exact=True)

    def stored() -> object:
        return lab.call("GET", f"deployments/{of_two_labels}")["threshold"]

    expect(threshold).to_have_value("")
    for text, label, value in (("0", "1", 0), ("1", "0", 1)):
        threshold.fill(text)
        threshold.press("Enter")
        until(lambda value=value: stored() == value, "the threshold")
        predict.click()
        expect(answer).to_have_text(label)
    threshold.fill("two")
    expect(threshold).to_have_attribute("aria-invalid", "true")
    threshold.press("Tab")
    expect(threshold).to_have_value("1")
    threshold.fill("0,25")
    threshold.press("Tab")
    expect(threshold).to_have_value("0.25")
    assert faults(page) == []
    page.screenshot(path=pictures / "deployment-threshold.png")
    threshold.fill("")
    threshold.press("Enter")
    until(lambda: stored() is None, "that of the model")
