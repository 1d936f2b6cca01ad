"""A real Jupyter server with the extension, in a process of its own, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
#: what Jupyter would load beside ours; a second of each start
OTHER_EXTENSIONS = dict.fromkeys(
    ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim"), False
)
ENDED = {"succeeded", "failed", "cancelled"}


def until(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    """The first true value of `condition`; a failure that names `what` when it does not come."""
    deadline = time.monotonic() + timeout_s
    pauses = _pauses()
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(next(pauses))
    raise AssertionError(f"{what}: not within {timeout_s} s")


def _pauses() -> Iterator[float]:
    """Seconds between two looks: short at first, then so long that looking takes no processor from others."""
    pause = 0.02
    while True:
        yield pause
        pause = min(pause * 1.5, 0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


#: file → content of the engine's descriptions, and who may have one
_TOLD: dict[str, bytes] = {}
_HOMES: weakref.WeakSet[Home] = weakref.WeakSet()


class Home:
    """The folders of a Jupyter user: kept over restarts of a server, removed at the end."""

    def __init__(self, prefix: str = "pco-test-") -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        for name in ("data", "config", "runtime", "work"):
            (self.path / name).mkdir()
        _HOMES.add(self)

    def env(self) -> dict[str, str]:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")
        }
        return clean | {
            "JUPYTER_DATA_DIR": str(self.path / "data"),
            "JUPYTER_CONFIG_DIR": str(self.path / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.path / "runtime"),
            "IPYTHONDIR": str(self.path / "ipython"),
            "HOME": str(self.path),
        }

    @property
    def cache(self) -> Path:
        """Where servers of this user keep what the engine told of itself."""
        return self.path / "data" / "pycaret_ops" / "cache"

    def learn(self) -> None:
        """Take over what the engine told a server of this process before: asking costs 15 s of a core."""
        for home in _HOMES:
            for file in home.cache.glob("*.json"):
                _TOLD[file.name] = file.read_bytes()
        self.cache.mkdir(parents=True, exist_ok=True)
        for name, content in _TOLD.items():
            if not (self.cache / name).exists():
                (self.cache / name).write_bytes(content)

    @property
    def database(self) -> Path:
        return self.path / "data" / "pycaret_ops" / "pycaret_ops.db"

    @property
    def artifacts(self) -> Path:
        return self.path / "data" / "pycaret_ops" / "artifacts"

    def files(self) -> set[str]:
        """Return the files in the file store, as relative paths."""
        return {
            str(file.relative_to(self.artifacts))
            for file in self.artifacts.rglob("*")
            if file.is_file()
        }

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class LiveServer:
    """A server that was started and answers; `stop` or `kill` ends it with all of its kernels."""

    def __init__(
        self,
        home: Home | None = None,
        *,
        app: str = "server",
        arguments: tuple[str, ...] = (),
        base_url: str = "/",
        certificate: Path | None = None,
        token: str | None = None,
        **traits: Any,
    ) -> None:
        # a spare costs as much as a run, and most servers here have few
        traits.setdefault("spare_kernels", 0)
        traits.setdefault("profile_uploads", False)
        self.home = home or Home()
        self._own_home = home is None
        self.token = secrets.token_hex(16) if token is None else token
        self.port = free_port()
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}{base_url.rstrip('/')}"
        self.api = f"{self.url}/pycaret/api/v1"
        self.log = self.home.path / f"server-{self.port}.log"
        # a config file of its own may name extensions, which the command line would override
        is_plain = app == "server" and not any(one.startswith("--config") for one in arguments)
        command = [
            *(sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root"),
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.home.path / 'work'}",
            f"--ServerApp.base_url={base_url}",
            *([f"--ServerApp.jpserver_extensions={OTHER_EXTENSIONS}"] if is_plain else []),
            *([] if certificate is None else [f"--ServerApp.certfile={certificate}"]),
            *(f"--PyCaretOpsApp.{name}={value}" for name, value in traits.items()),
            *arguments,
        ]
        self.home.learn()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env=self.home.env(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.http = requests.Session()
        if self.token:
            self.http.headers["Authorization"] = f"token {self.token}"
        self.http.verify = True if certificate is None else str(certificate)
        try:
            until(self._answers, "the server's start", 60)
        except BaseException:
            sys.stderr.write(self.log.read_text(errors="replace")[-4000:])
            self.kill()
            raise

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(
                f"the server ended: {self.log.read_text(errors='replace')[-4000:]}"
            )
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            answer = requests.get(f"{self.api}/healthz", timeout=10, verify=self.http.verify)
            return answer.status_code == 200
        return False

    # ---------------------------------------------------------------- calls

    def call(self, method: str, path: str, expect: int | None = None, **more: Any) -> Any:
        more.setdefault("timeout", 120)
        # said each time: a bundle named in the environment outdoes the session's own
        more.setdefault("verify", self.http.verify)
        answer = self.http.request(method, self.api + path, **more)
        if expect is not None:
            assert answer.status_code == expect, (
                f"{method} {path}: {answer.status_code} {answer.text}"
            )
        return (
            answer.json()
            if answer.content and "json" in answer.headers.get("Content-Type", "")
            else None
        )

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, 200, **more)

    def post(self, path: str, body: Any = None, expect: int = 201, **more: Any) -> Any:
        return self.call("POST", path, expect, json=body, **more)

    def default_project(self) -> tuple[str, str]:
        """Ids of the workspace and the project that first use makes."""
        self.get("/auth/me")
        workspace = self.get("/workspaces")[-1]["id"]
        return workspace, self.get(f"/workspaces/{workspace}/projects")[-1]["id"]

    def experiment(self, task: str = "classification", **more: Any) -> str:
        _, project = self.default_project()
        body = {"name": f"experiment {secrets.token_hex(4)}", "task": task, **more}
        return str(self.post(f"/projects/{project}/experiments", body)["id"])

    def submit(self, experiment: str, **body: Any) -> dict[str, Any]:
        run: dict[str, Any] = self.post(f"/experiments/{experiment}/runs", body, 202)
        return run

    def upload(self, name: str, content: bytes, expect: int = 201) -> Any:
        workspace, _ = self.default_project()
        return self.call(
            "POST",
            f"/workspaces/{workspace}/data-sources/upload",
            expect,
            files={"file": (f"{name}.csv", content, "text/csv")},
            data={"name": name},
        )

    def run(self, run_id: str) -> dict[str, Any]:
        row: dict[str, Any] = self.get(f"/runs/{run_id}")
        return row

    def ended(self, run_id: str, timeout_s: float = 120.0) -> dict[str, Any]:
        """The run when it has ended."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            row: dict[str, Any] = self.post(f"/runs/{run_id}/wait?timeout_s=10", expect=200)
            if row["status"] in ENDED:
                return row
        raise AssertionError(f"not ended after {timeout_s} s: {self.story_of(run_id)}")

    def story_of(self, run_id: str) -> str:
        """Return what is known of a run: its row, its events and the end of the server's log."""
        events = "\n".join(
            f"{event['timestamp']} {event['kind']} {event['message']}"
            for event in self.events(run_id)
        )
        log = self.log.read_text(errors="replace")[-4000:]
        return f"{self.run(run_id)}\n{events}\nthe server's log:\n{log}"

    def events(self, run_id: str, after_seq: int = 0) -> list[dict[str, Any]]:
        """The events of a run that follow the one with that number."""
        found: list[dict[str, Any]] = []
        while page := self.get(f"/runs/{run_id}/events?limit=1000&after_seq={after_seq}"):
            found += page
            after_seq = page[-1]["seq"]
            if len(page) < 1000:
                break
        return found

    def saw(self, run_id: str, kind: str, timeout_s: float = 180.0) -> dict[str, Any]:
        """The first event of that kind, when it is there."""
        deadline = time.monotonic() + timeout_s
        pauses = _pauses()
        last_seq = 0
        while time.monotonic() < deadline:
            is_over = self.run(run_id)["status"] in ENDED  # asked first: then all events are there
            for item in self.events(run_id, last_seq):
                if item["kind"] == kind:
                    return item
                last_seq = item["seq"]
            if is_over:
                break
            time.sleep(next(pauses))
        raise AssertionError(f"no event {kind}: {self.story_of(run_id)}")

    def deploy_iris(self, slug: str, model_id: str = "lr", **deployment: Any) -> dict[str, Any]:
        """Train on sklearn's iris, promote, deploy."""
        run = self.submit(
            self.experiment(setup_params={"fold": 3, "session_id": 1}),
            plan="create",
            model_id=model_id,
            sklearn_dataset="iris",
        )
        row = self.ended(run["id"])
        assert row["status"] == "succeeded", row["error"]
        pipeline = self.post(f"/runs/{run['id']}/promote", {"name": slug})
        made: dict[str, Any] = self.post(
            f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": slug, **deployment}
        )
        return made

    # ---------------------------------------------------------------- processes

    def kernels(self) -> list[psutil.Process]:
        """Live kernels of this server."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [
                child
                for child in psutil.Process(self.process.pid).children(recursive=True)
                if _is_kernel(child)
            ]
        return []

    def descendants(self) -> list[psutil.Process]:
        """Every process below this server."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def kill(self) -> None:
        """Kill the server itself with signal 9, as a machine that runs out of memory does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """End the server as a person does; nothing of it may be left."""
        children = self.descendants()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(
                    f"the server did not stop: {self.log.read_text()[-2000:]}"
                ) from None
        _, alive = psutil.wait_procs(children, timeout=15)
        for process in alive:
            process.kill()
        if self._own_home:
            self.home.remove()
        assert not alive, f"left behind: {alive}"

    def __enter__(self) -> LiveServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _is_kernel(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        # a fork of a kernel looks like one
        return _looks_like_kernel(process) and not _looks_like_kernel(process.parent())
    return False


def _looks_like_kernel(process: psutil.Process | None) -> bool:
    return process is not None and "ipykernel_launcher" in " ".join(process.cmdline())


@contextlib.contextmanager
def home(prefix: str = "pco-test-") -> Iterator[Home]:
    """Folders for servers that come and go within a test."""
    made = Home(prefix)
    try:
        yield made
    finally:
        for process in psutil.process_iter(["environ"]):
            environ = process.info["environ"] or {}
            if environ.get("HOME") == str(made.path):
                with contextlib.suppress(psutil.Error):
                    process.kill()
        made.remove()


def socket_events(
    server: LiveServer, run_id: str, after_seq: int = 0, most: int | None = None
) -> list[dict[str, Any]]:
    """What the WebSocket of a run sends: to its end, or the first `most` messages."""
    import websocket

    url = f"{server.api.replace('http', 'ws', 1)}/runs/{run_id}/events/ws?after_seq={after_seq}"
    trusted = {"ca_certs": server.http.verify} if isinstance(server.http.verify, str) else {}
    shown = server.http.headers.get("Authorization")
    line = websocket.create_connection(
        url,
        header=[f"Authorization: {shown}"] if shown else [],
        cookie="; ".join(f"{item.name}={item.value}" for item in server.http.cookies) or None,
        timeout=120,
        sslopt=trusted,
    )
    seen: list[dict[str, Any]] = []
    try:
        while most is None or len(seen) < most:
            text = line.recv()
            if not text:
                break
            seen.append(json.loads(text))
    finally:
        line.close()
    return seen
