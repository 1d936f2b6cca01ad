"""Figures: JSON whatever was said of them, and nothing in them that asks another server."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.api.figures import without_remote_images

from ...fakes.records import World
from .conftest import Api

PNG = "data:image/png;base64,iVBORw0KGgo="
REMOTE = (
    *("https://evil.example/a.png", "http://evil.example/a.png", "//evil.example/a.png"),
    *("HTTPS://evil.example/a.png", " https://evil.example/a.png", "\\\\evil.example\\a", "/api/x"),
    *("data:text/html,x", "javascript:alert(1)", "a.png", "blob:https://evil.example/1"),
)


@pytest.mark.parametrize("source", REMOTE)
def test_remote_images_are_dropped_wherever_they_stand(source: str) -> None:
    image = {"source": source, "xref": "paper"}
    figure = {
        "data": [{"type": "image", "source": source}, {"type": "bar", "y": [1, 2]}],
        "layout": {
            "images": [image, {"source": PNG}],
            "template": {"layout": {"images": [image]}, "data": {"image": [image]}},
            "mapbox": {"layers": [{"source": source}]},
        },
        "frames": [{"layout": {"images": [image]}}],
    }
    shown = without_remote_images(json.dumps(figure).encode())
    assert source not in json.dumps(json.loads(shown), ensure_ascii=False)
    assert source.strip().encode() not in shown
    kept = json.loads(shown)
    assert kept["layout"]["images"][1] == {"source": PNG}
    assert kept["data"][1] == {"type": "bar", "y": [1, 2]}


def test_maps_fetch_no_shapes_or_styles() -> None:
    url = "https://evil.example/x.json"
    figure = {
        "data": [{"geojson": url}],
        "layout": {"mapbox": {"style": url}, "map": {"style": url}},
    }
    assert b"evil" not in without_remote_images(json.dumps(figure).encode())
    inside = {
        "data": [{"geojson": {"type": "FeatureCollection"}}],
        "layout": {"font": {"style": "italic"}},
    }
    content = json.dumps(inside).encode()
    assert without_remote_images(content) is content


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b"[" * 100_000, b"\xff"])
def test_what_is_no_figure_is_damaged(content: bytes) -> None:
    with pytest.raises(Unavailable, match="damaged"):
        without_remote_images(content)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/json", "nonsense"])
async def test_plot_is_json_that_no_page_can_be_made_of(
    api: Api, world: World, services: Services, kind: str
) -> None:
    run = world.running()
    figures: dict[str, Any] = {
        "plain": {"data": [{"y": [1]}], "layout": {}},
        "remote": {"data": [], "layout": {"images": [{"source": "https://evil.example/a.png"}]}},
    }
    for name, figure in figures.items():
        content = json.dumps(figure).encode()
        services.artifacts.put(f"runs/{name}", content)
        world.make_artifact(
            run,
            f"plot-{name}.json",
            kind="plot",
            content_type=kind,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            storage_key=f"runs/{name}",
        )
    world.finish(run)
    for plot in await api.get(f"/runs/{run.id}/plots"):
        for path in (
            f"/runs/{run.id}/plots/{plot['id']}",
            f"/artifacts/{plot['artifact_id']}/download",
        ):
            answer = await api.call("GET", path, 200)
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            policy = [part.strip() for part in answer.headers["Content-Security-Policy"].split(";")]
            assert {"default-src 'none'", "sandbox", "form-action 'none'"} <= set(policy)
    plain = await api.call("GET", f"/runs/{run.id}/plots/plain", 200)
    assert plain.json == figures["plain"]
    assert plain.headers["ETag"]
    remote = await api.call("GET", f"/runs/{run.id}/plots/remote", 200)
    assert b"evil" not in remote.body
