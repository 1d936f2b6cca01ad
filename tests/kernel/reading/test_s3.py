"""Objects in a real S3 API: reading, previews by ranges, errors with advice."""

from __future__ import annotations

import hashlib
import http.server
import io
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec, ReadLimits
from jupyter_pycaret_ops.kernel import reading
from jupyter_pycaret_ops.kernel.reading import LoadedTable, SourceUnreadable
from jupyter_pycaret_ops.kernel.reading.inspection import inspect_source

from ...objects import Bucket

SECRET = "s3cr3t/with+signs=and-more"
KEYS = {"access_key_id": "AKIDDISTINCT", "secret_access_key": SECRET}
CSV = "n;x;ok;name;when\n1;1.5;true;ä;2026-01-02\n;NA;False;;\n3;2;TRUE;c;2026-01-03\n".encode()


def spec(config: dict[str, Any], **limits: Any) -> DataSpec:
    return DataSpec("s3", config, ReadLimits(**{"allow_private": True, "timeout_s": 30.0} | limits))


def read(config: dict[str, Any], **limits: Any) -> LoadedTable:
    return reading.read(spec(config, **limits), lambda: None)


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, row_group_size=4_000)
    return buffer.getvalue()


FRAME = pd.DataFrame(
    {
        "a": np.arange(10_000),
        "b": np.arange(10_000) / 7,
        "s": [f"t{n % 3}" for n in range(10_000)],
        "d": pd.date_range("2026-01-01", periods=10_000, freq="h"),
        "ok": [n % 2 == 0 for n in range(10_000)],
    }
)


def test_csv_is_read_as_an_upload(bucket: Bucket) -> None:
    bucket.put("in/fruit.csv", CSV)
    loaded = read(bucket.config("in/fruit.csv", **KEYS))
    assert loaded.sha256 == hashlib.sha256(CSV).hexdigest()
    assert (loaded.n_rows, list(loaded.frame.columns)) == (3, ["n", "x", "ok", "name", "when"])
    # which words mean missing is decided with the types of the columns
    assert loaded.frame["x"].tolist() == ["1.5", "NA", "2"]
    assert loaded.dialect is not None
    assert (loaded.dialect["encoding"], loaded.dialect["delimiter"]) == ("utf-8", ";")


def test_large_object_is_read_in_ranges(bucket: Bucket) -> None:
    content = b"a,b\n" + b"123456789,987654321\n" * 1_000_000
    bucket.put("large.csv", content)
    batches: list[int] = []
    loaded = reading.read(spec(bucket.config("large.csv")), lambda: batches.append(1))
    assert (loaded.n_rows, loaded.sha256) == (1_000_000, hashlib.sha256(content).hexdigest())
    assert len(batches) == 3


@pytest.mark.parametrize(
    ("key", "more"), [("t.parquet", {}), ("T.PQ", {}), ("t", {"format": "parquet"})]
)
def test_parquet_is_detected_by_suffix_or_format_option(
    bucket: Bucket, key: str, more: dict[str, str]
) -> None:
    bucket.put(key, parquet(FRAME.set_index("s")))
    loaded = read(bucket.config(key, **more))
    assert loaded.n_rows == 10_000
    assert sorted(loaded.frame.columns) == ["a", "b", "d", "ok", "s"]


def test_csv_preview_equals_upload_preview(bucket: Bucket) -> None:
    bucket.put("fruit.csv", CSV)
    preview = inspect_source(spec(bucket.config("fruit.csv", **KEYS)), 2)
    assert preview["rows"] == [
        {"n": 1, "x": 1.5, "ok": True, "name": "ä", "when": "2026-01-02"},
        {"n": None, "x": None, "ok": False, "name": None, "when": None},
    ]
    assert [(c["name"], c["dtype"], c["missing"]) for c in preview["columns"]] == [
        ("n", "integer", 1),
        ("x", "number", 1),
        ("ok", "boolean", 0),
        ("name", "string", 1),
        ("when", "datetime", 1),
    ]
    assert (preview["total_rows"], preview["size_bytes"]) == (3, len(CSV))


def test_large_csv_preview_reads_only_its_beginning(bucket: Bucket) -> None:
    content = b"a,species\n" + b"".join(b"%d,%c\n" % (n, b"xy"[n % 2]) for n in range(600_000))
    bucket.put("large.csv", content)
    preview = inspect_source(spec(bucket.config("large.csv"), cap_bytes=1000), 1)
    assert (preview["total_rows"], preview["examined_rows"]) == (None, 5_000)
    assert preview["suggestion"]["target"] == "species"


def test_parquet_preview_reads_footer_and_first_rows(bucket: Bucket) -> None:
    bucket.put("t.parquet", parquet(FRAME))
    preview = inspect_source(spec(bucket.config("t.parquet")), 1)
    assert [(c["name"], c["dtype"]) for c in preview["columns"]] == [
        ("a", "integer"),
        ("b", "number"),
        ("s", "string"),
        ("d", "datetime"),
        ("ok", "boolean"),
    ]
    assert preview["rows"] == [
        {"a": 0, "b": 0.0, "s": "t0", "d": "2026-01-01T00:00:00", "ok": True}
    ]
    assert (preview["total_rows"], preview["examined_rows"]) == (10_000, 5_000)


def test_object_over_a_cap_is_refused_with_advice(bucket: Bucket) -> None:
    bucket.put("t.csv", b"a\n" + b"1\n" * 100)
    bucket.put("t.parquet", parquet(FRAME))
    assert read(bucket.config("t.csv"), cap_rows=100, cap_bytes=202).n_rows == 100
    with pytest.raises(SourceUnreadable, match="connector_cap_rows"):
        read(bucket.config("t.csv"), cap_rows=99)
    with pytest.raises(SourceUnreadable, match="connector_cap_rows"):
        read(bucket.config("t.parquet"), cap_rows=9_999)
    with pytest.raises(SourceUnreadable, match="connector_cap_bytes") as refused:
        read(bucket.config("t.csv"), cap_bytes=201)
    assert refused.value.kind == "user"


BAD = {
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"a,b\n", "no row"),
    "bin.csv": (b"a,b\n\x01,2\n", "control characters"),
    "ragged.csv": (b"a,b\n1,2,3\n", "header has 2"),
    "text.parquet": (b"a,b\n1,2\n", "damaged"),
    "cut.parquet": (parquet(FRAME)[:-9], "damaged"),
    "nested.parquet": (parquet(pd.DataFrame({"deep": [[1], [2]]})), "deep.*lists or records"),
}


@pytest.mark.parametrize("key", list(BAD))
def test_object_that_is_not_a_table_is_refused(bucket: Bucket, key: str) -> None:
    content, why = BAD[key]
    bucket.put(key, content)
    for action in (
        lambda: read(bucket.config(key)),
        lambda: inspect_source(spec(bucket.config(key)), 5),
    ):
        with pytest.raises(SourceUnreadable, match=why):
            action()


def test_missing_object_is_named(bucket: Bucket) -> None:
    with pytest.raises(SourceUnreadable, match=f"“gone.csv” in bucket “{bucket.name}” does not"):
        read(bucket.config("gone.csv", **KEYS))
    with pytest.raises(SourceUnreadable, match="does not exist"):
        read({**bucket.config("gone.csv"), "bucket": "no-such-bucket-here"})
    bucket.put("private.csv", CSV)
    with pytest.raises(SourceUnreadable, match="is not public"):
        read(bucket.config("private.csv", anonymous=True))
    bucket.put("public.csv", CSV, "public-read")
    assert read(bucket.config("public.csv", anonymous=True)).n_rows == 3
    with pytest.raises(SourceUnreadable, match="cannot be requested"):
        read({**bucket.config("gone.csv"), "bucket": "No Bucket/../.."})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_private_address_is_refused_unless_allowed(bucket: Bucket, host: str) -> None:
    bucket.put("t.csv", b"a\n1\n")
    port = bucket.endpoint.rsplit(":", 1)[1]
    config = bucket.config("t.csv", **KEYS) | {"endpoint_url": f"http://{host}:{port}"}
    with pytest.raises(SourceUnreadable, match="connector_allow_private"):
        read(config, allow_private=False)


def test_unreachable_endpoint_is_named(unused_port: int) -> None:
    config = {"bucket": "bucket", "key": "k", "endpoint_url": f"http://127.0.0.1:{unused_port}"}
    with pytest.raises(SourceUnreadable, match=f"127.0.0.1:{unused_port} cannot be connected to"):
        read({**config, **KEYS})


@pytest.fixture
def unused_port() -> int:
    from ...live import free_port

    return free_port()


class Stranger(http.server.BaseHTTPRequestHandler):
    """A server that is not S3: it redirects, refuses or stops responding."""

    how = "redirect"
    target = ""
    asked: list[str] = []  # noqa: RUF012 - reset by the fixture
    release = threading.Event()

    def _answer(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        if self.how == "silent":
            self.release.wait(60)
        if self.how == "redirect":
            self.send_response(302)
            self.send_header("Location", self.target)
        else:
            self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[tuple[str, type[Stranger]]]:
    Stranger.asked, Stranger.release = [], threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Stranger
    Stranger.release.set()
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_redirect_to_private_address_is_refused(
    stranger: tuple[str, type[Stranger]], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hop is let through as if it were public; where it leads is not."""
    from jupyter_pycaret_ops.kernel.reading import addresses

    endpoint, kind = stranger
    monkeypatch.setattr(kind, "how", "redirect")
    target = bucket.endpoint.replace("127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(kind, "target", f"{target}/{bucket.name}/t.csv")
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
    config = {**bucket.config("t.csv"), "endpoint_url": endpoint}
    with pytest.raises(SourceUnreadable, match="connector_allow_private"):
        read(config, allow_private=False)
    assert kind.asked


def test_access_error_says_what_to_do_without_secrets(
    stranger: tuple[str, type[Stranger]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, kind = stranger
    monkeypatch.setattr(kind, "how", "refuse")
    config = {"bucket": "bucket", "key": "a.csv", "endpoint_url": endpoint}
    with pytest.raises(SourceUnreadable, match="cannot be read with this key") as refused:
        read({**config, **KEYS})
    assert SECRET not in str(refused.value)
    assert KEYS["access_key_id"] not in str(refused.value)
    # our own sentence names what the row names: a gap in it would tell a secret that is part of the name
    with pytest.raises(SourceUnreadable, match=r"“with-more/a[.]csv” in bucket"):
        read({**config, **KEYS, "key": "with-more/a.csv", "secret_access_key": "more"})
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    with pytest.raises(SourceUnreadable, match="is not public"):
        read({**config, "key": "k", "anonymous": True})


def test_credentials_of_server_user_are_not_used(
    stranger: tuple[str, type[Stranger]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, kind = stranger
    monkeypatch.setattr(kind, "how", "refuse")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKOFTHEOWNER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-owner")
    with pytest.raises(SourceUnreadable):
        read({"bucket": "bucket", "key": "k", "endpoint_url": endpoint})
    assert set(kind.asked) == {""}


def test_silent_store_is_given_up_in_time(
    stranger: tuple[str, type[Stranger]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, kind = stranger
    monkeypatch.setattr(kind, "how", "silent")
    with pytest.raises(SourceUnreadable, match=r"within 0\.5 s") as refused:
        read({"bucket": "bucket", "key": "k", "endpoint_url": endpoint}, timeout_s=0.5)
    assert refused.value.kind == "timeout"


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> None:
    bucket.put("t.parquet", parquet(FRAME))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow.parquet", None)
        with pytest.raises(SourceUnreadable, match=r"jupyter-pycaret-ops\[parquet\]"):
            read(bucket.config("t.parquet"))
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    with pytest.raises(SourceUnreadable, match=r"jupyter-pycaret-ops\[s3\]"):
        read(bucket.config("t.parquet"))
