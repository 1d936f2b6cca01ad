"""Watchers of a run that disconnect and reconnect see each event once and in order."""

from __future__ import annotations

import threading
from typing import Any

from ..live import LiveServer, socket_events, until

COMPARE = {
    "plan": "compare",
    "plan_params": {"include": ["lr", "dt", "nb", "knn", "lda", "rf"]},
    "setup_params": {"fold": 3, "session_id": 1},
    "sklearn_dataset": "wine",
}


class Watcher(threading.Thread):
    """Reads a few messages, disconnects, and goes on after the last one."""

    def __init__(self, server: LiveServer, run_id: str, at_a_time: int) -> None:
        super().__init__(daemon=True)
        self.server, self.run_id, self.at_a_time = server, run_id, at_a_time
        self.seen: list[dict[str, Any]] = []
        self.connections = 0

    def run(self) -> None:
        while not (self.seen and self.seen[-1]["kind"] == "run.closed"):
            after = self.seen[-1]["seq"] if self.seen else 0
            self.connections += 1
            self.seen += socket_events(self.server, self.run_id, after, most=self.at_a_time)


def test_two_watchers_that_reconnect_see_each_event_once_and_in_order(server: LiveServer) -> None:
    run = server.submit(server.experiment(), **COMPARE)
    watchers = [Watcher(server, run["id"], at_a_time) for at_a_time in (3, 7)]
    for watcher in watchers:
        watcher.start()
    assert server.ended(run["id"])["status"] == "succeeded"
    until(lambda: not any(watcher.is_alive() for watcher in watchers), "the watchers' end", 30)
    stored = [(event["seq"], event["kind"]) for event in server.events(run["id"])]
    assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
    for watcher in watchers:
        assert watcher.connections > 2
        assert [(event["seq"], event["kind"]) for event in watcher.seen[:-1]] == stored
        assert watcher.seen[-1] == {"kind": "run.closed", "status": "succeeded"}
