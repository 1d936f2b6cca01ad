"""Unusual folder names, and two servers of one user on the same files."""

from __future__ import annotations

from ..live import Home, LiveServer, home, until
from .conftest import deploy, one_of_each, predict, train


def test_data_folder_with_special_characters() -> None:
    """Spaces, and characters with a meaning in URLs, settings and shells."""
    with home("pco test höme 100%20 #1 & more? ") as odd, LiveServer(odd) as server:
        source = server.upload("a table", b"x,y\n" + b"1,2\n3,4\n" * 10)
        assert server.get(f"/data-sources/{source['id']}/preview")["rows"][0] == {"x": 1, "y": 2}
        one_of_each(server, "from-an-odd-folder")
        assert odd.database.is_file()
        assert len(odd.files()) >= 2, "the table and the pipeline"


def test_two_servers_of_the_same_user(home: Home) -> None:
    """Each sees, watches, cancels and serves the runs of the other, and no run is executed twice."""
    with LiveServer(home) as one, LiveServer(home) as two:
        assert one.get("/auth/me") == two.get("/auth/me")
        run_id = train(one)
        assert two.run(run_id) == one.run(run_id)
        events = two.events(run_id)
        assert [event["kind"] for event in events].count("run.started") == 1
        made = deploy(one, run_id, "of-both")
        predict(one, "of-both")
        predict(two, "of-both")
        read = f"/deployments/{made['id']}"
        until(lambda: one.get(read)["inference_count"] == 2, "the counts of both, at one", 15)
        until(lambda: two.get(read)["inference_count"] == 2, "the counts of both, at two", 15)
        train(two)
        long = one.submit(
            one.experiment(task="regression", target="y"),
            plan="compare",
            data_inline=[{"x": n % 97, "y": n % 89} for n in range(4000)],
            plan_params={"include": ["gbr", "rf", "et"]},
            setup_params={"fold": 20},
        )
        two.saw(long["id"], "run.started")
        # neither knows which of them holds it
        for server in (two, one):
            server.post(f"/runs/{long['id']}/cancel", expect=200)
        assert two.ended(long["id"], 30)["status"] == "cancelled"
        two.call("DELETE", read, 204)
        until(lambda: not one.get(f"/workspaces/{made['workspace_id']}/deployments"), "its end")
        predict(two, "of-both", 404)
        until(
            lambda: (
                one.http.post(
                    f"{one.api}/deployments/of-both/predict", json={"rows": [{}]}, timeout=30
                ).status_code
                == 404
            ),
            "the end of what one has loaded",
            10,
        )
