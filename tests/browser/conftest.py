"""A real JupyterLab with the built panel, and a real browser.

The panel must have been built before (`jlpm build:prod` in `labextension/`); without it, or without
Chromium, the tests skip and say why. Set `PYCARET_OPS_SCREENSHOTS` to keep the pictures.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

playwright_api = pytest.importorskip(
    "playwright.sync_api", reason="the browser tests need the Python package playwright"
)
from playwright.sync_api import Browser, BrowserContext, Page, expect  # noqa: E402

REPO = Path(__file__).resolve().parents[2]
PANEL = REPO / "jupyter_pycaret_ops" / "labextension"
CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 60.0
STOP_S = 15.0
PATIENCE_MS = 20_000


@dataclass(frozen=True)
class Lab:
    """A running server."""

    url: str
    token: str
    home: Path
    process: subprocess.Popen[bytes]

    def status_of(self, path: str) -> int:
        """What a GET with the token answers."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"token {self.token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            return 0  # it has noted its address and does not listen yet

    def call(self, method: str, path: str, body: object = None) -> Any:
        """What the server part answers to the token's owner."""
        request = urllib.request.Request(
            f"{self.url}pycaret/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=240) as response:
            return json.loads(response.read() or "null")

    def rows(self, noun: str) -> Any:
        """What a list of the first workspace has, newest first."""
        workspace = self.call("GET", "workspaces")[0]["id"]
        if noun == "runs":
            return self.call("GET", f"runs?workspace_id={workspace}")
        return self.call("GET", f"workspaces/{workspace}/{noun}")

    def experiment(self, name: str, **more: object) -> str:
        """The id of a new experiment in the first project."""
        workspace = self.call("GET", "workspaces")[0]["id"]
        project = self.call("GET", f"workspaces/{workspace}/projects")[0]["id"]
        made = self.call("POST", f"projects/{project}/experiments", {"name": name, **more})
        return str(made["id"])

    def trained(self, name: str, dataset: str, target: str) -> str:
        """The id of a run that has fitted a logistic regression, in an experiment of its own."""
        experiment = self.experiment(name, task="classification", target=target)
        body = {
            "plan": "create",
            "model_id": "lr",
            "sklearn_dataset": dataset,
            "setup_params": {"fold": 3},
        }
        run = self.call("POST", f"experiments/{experiment}/runs", body)["id"]
        row = self.call("POST", f"runs/{run}/wait?timeout_s=180")
        assert row["status"] == "succeeded", row
        return str(run)

    def sessions(self) -> list[str]:
        """Ids of the kernels that people have open."""
        deadline = time.monotonic() + STOP_S
        while True:
            try:
                return [kernel["id"] for kernel in self._jupyter("GET", "api/kernels")]
            except urllib.error.HTTPError as error:
                # Jupyter trips over a kernel that goes while it makes the list
                if error.code != 500 or time.monotonic() > deadline:
                    raise

    def last_activity(self) -> str:
        """When somebody last did something here, as cullers read it. Asking is nothing done."""
        return str(self._jupyter("GET", "api/status")["last_activity"])

    def end(self, kernel_id: str) -> None:
        """End such a kernel."""
        self._jupyter("DELETE", f"api/kernels/{kernel_id}")

    def _jupyter(self, method: str, path: str) -> Any:
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or "null")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH; `make test` installs it")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server with our part."""
    with running_lab(tmp_path_factory.mktemp("lab"), server_part=True) as lab:
        yield lab


@dataclass(frozen=True)
class Deployed:
    """A deployment, and the versions of the model that it serves the first of."""

    slug: str
    run: str
    versions: tuple[str, str]


@pytest.fixture(scope="package")
def deployed(lab: Lab) -> Deployed:
    """One that nobody has called yet; a test leaves it as it was."""
    slug = "garden"
    run = lab.trained(slug, "iris", "species")
    first, second = (
        str(lab.call("POST", f"runs/{run}/promote", {"name": slug})["id"]) for _ in range(2)
    )
    lab.call("POST", f"pipelines/{first}/deployments", {"endpoint_slug": slug})
    return Deployed(slug, run, (first, second))


@pytest.fixture(autouse=True)
def nothing_left_in_lists(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delete the runs and tables of a test: lists show the newest twelve, and others look there.

    What stands behind a deployment stays.
    """
    if not {"lab", "deployed"} & set(request.fixturenames):
        yield
        return
    lab: Lab = request.getfixturevalue("lab")
    if "deployed" in request.fixturenames:
        request.getfixturevalue("deployed")  # it is made once, before the rows are noted
    nouns = ("runs", "data-sources")
    before = {row["id"] for noun in nouns for row in lab.rows(noun)}
    yield
    for noun in nouns:
        for row in lab.rows(noun):
            if row["id"] not in before:
                _remove(lab, noun, f"{noun}/{row['id']}")


def _remove(lab: Lab, noun: str, path: str) -> None:
    """Delete a row; a run that still goes is cancelled first. What is in use stays."""
    if noun == "runs":
        lab.call("POST", f"{path}/cancel")
        lab.call("POST", f"{path}/wait?timeout_s=60")
    try:
        lab.call("DELETE", path)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


@pytest.fixture(scope="package")
def bare_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server that has the panel, and not our server part."""
    with running_lab(tmp_path_factory.mktemp("bare"), server_part=False) as lab:
        yield lab


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One cache for all tests: JupyterLab is large."""
    with _context(browser) as context:
        yield context


@pytest.fixture
def page_with_clock(browser: Browser) -> Iterator[Page]:
    """A page whose timers a test moves by hand. The clock is the context's, so it has its own."""
    with _context(browser) as context:
        context.clock.install()
        yield context.new_page()


@contextmanager
def _context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go."""
    folder = Path(os.environ.get("PYCARET_OPS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def running_lab(
    home: Path,
    *,
    server_part: bool,
    python: str | Path = sys.executable,
    options: Sequence[str] = (),
) -> Iterator[Lab]:
    """Start `jupyter lab` in a folder of its own, on a free port; stop it and its kernels at the end."""
    if not (PANEL / "package.json").exists():
        pytest.skip(
            "the panel is not built: run `jlpm install && jlpm build:prod` in labextension/"
        )
    token = secrets.token_hex(16)
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(
        [
            str(python),
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            f"--ServerApp.root_dir={_folder(home / 'work')}",
            f"--ServerApp.jpserver_extensions=jupyter_pycaret_ops={server_part}",
            f"--IdentityProvider.token={token}",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *options,
        ],
        cwd=home,
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        lab = Lab(_url_of(process, home), token, home, process)
        if server_part:
            _until(
                process,
                home,
                lambda: lab.status_of("pycaret/api/v1/healthz") == 200,
                "its server part",
            )
        yield lab
    finally:
        _stop(process)
        log.close()


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's own Jupyter; the built panel on the path."""
    config = _folder(home / "config")
    extensions = _folder(home / "share" / "jupyter" / "labextensions")
    (extensions / "jupyter-pycaret-ops").symlink_to(PANEL, target_is_directory=True)
    overrides = {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        }
    }
    labconfig = _folder(config / "labconfig")
    (labconfig / "default_setting_overrides.json").write_text(json.dumps(overrides))
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("JUPYTER", "JPY_", "PYTEST_"))
    }
    search = [str(REPO), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **inherited,
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(search),
        "JUPYTER_PATH": str(home / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(_folder(home / "data")),
        "JUPYTER_RUNTIME_DIR": str(_folder(home / "runtime")),
        "IPYTHONDIR": str(_folder(home / "ipython")),
    }


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _url_of(process: subprocess.Popen[bytes], home: Path) -> str:
    """The address that the server wrote down once it listened."""
    note = home / "runtime" / f"jpserver-{process.pid}.json"
    found: dict[str, str] = {}

    def written() -> bool:
        try:
            found.update(json.loads(note.read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        return True

    _until(process, home, written, "a server")
    return found["url"]


def _until(
    process: subprocess.Popen[bytes], home: Path, met: Callable[[], bool], what: str
) -> None:
    """Wait for a condition; fail with the server's log when it dies or takes too long."""
    deadline = time.monotonic() + START_S
    while not met():
        if process.poll() is not None or time.monotonic() > deadline:
            log = (home / "server.log").read_text(errors="replace")[-6000:]
            pytest.fail(f"JupyterLab did not come up with {what}:\n{log}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, then end what is left of its process group."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
