"""One contract for every file store: a local folder, and a bucket behind a real S3 API over HTTP."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_pycaret_ops.common.errors import NotFound
from jupyter_pycaret_ops.server.files.file_store import FileStore

from ..live import Home, LiveServer
from ..objects import Bucket

KEY = "runs/0193a0b1/model"
CONTENT = secrets.token_bytes(3 << 20)


def s3_environment(bucket: Bucket) -> dict[str, str]:
    """Where s3fs finds the endpoint and credentials."""
    return {
        "AWS_ENDPOINT_URL": bucket.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@pytest.fixture
def s3_url(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3_environment(bucket).items():
        monkeypatch.setenv(name, value)
    return f"s3://{bucket.name}/pycaret-ops"


class FileStoreContract:
    """What the server relies on, whatever is behind the URL."""

    is_local: bool

    @pytest.fixture
    def store(self) -> Iterator[FileStore]:
        raise NotImplementedError

    def test_file_is_read_as_it_was_stored(self, store: FileStore) -> None:
        store.put(KEY, CONTENT)
        assert store.read(KEY) == CONTENT
        assert store.size(KEY) == len(CONTENT)
        assert store.digest(KEY) == hashlib.sha256(CONTENT).hexdigest()

    def test_empty_file_is_a_file(self, store: FileStore) -> None:
        store.put(KEY, b"")
        assert (store.read(KEY), store.size(KEY)) == (b"", 0)

    @pytest.mark.parametrize(("start", "end"), [(0, 1), (5, None), (1 << 20, 2 << 20), (9, 9)])
    def test_chunks_are_the_bytes_of_a_range(
        self, store: FileStore, start: int, end: int | None
    ) -> None:
        store.put(KEY, CONTENT)
        assert b"".join(store.chunks(KEY, start, end)) == CONTENT[start:end]

    def test_open_file_reads_at_any_offset(self, store: FileStore) -> None:
        store.put(KEY, CONTENT)
        with store.open(KEY) as stream:
            stream.seek(-10, os.SEEK_END)
            assert stream.read() == CONTENT[-10:]
            stream.seek(100)
            assert stream.read(50) == CONTENT[100:150]

    def test_file_is_there_when_it_is_committed_and_not_before(self, store: FileStore) -> None:
        with store.writer(KEY) as writer:
            writer.write(b"first ")
            writer.write(b"second")
            with pytest.raises(NotFound):
                store.read(KEY)
            writer.commit()
        assert store.read(KEY) == b"first second"

    def test_file_that_is_not_committed_leaves_nothing(self, store: FileStore) -> None:
        def interrupted() -> None:
            with store.writer(KEY) as writer:
                writer.write(CONTENT)
                raise ValueError("half way")

        with pytest.raises(ValueError, match="half way"):
            interrupted()
        with pytest.raises(NotFound):
            store.size(KEY)
        assert self.names(store) == []

    def test_file_is_replaced_as_a_whole(self, store: FileStore) -> None:
        store.put(KEY, CONTENT)
        store.put(KEY, b"new")
        assert store.read(KEY) == b"new"

    def test_copy_is_a_file_of_its_own(self, store: FileStore) -> None:
        store.put(KEY, CONTENT)
        store.copy(KEY, "pipelines/copy.pkl")
        store.delete(KEY)
        assert store.read("pipelines/copy.pkl") == CONTENT

    def test_deleted_files_are_gone_and_missing_ones_are_no_error(self, store: FileStore) -> None:
        store.put(KEY, b"1")
        store.put(KEY + "2", b"2")
        store.delete(KEY, "runs/none/nothing", KEY + "2")
        assert self.names(store) == []

    @pytest.mark.parametrize("use", ["read", "open", "size", "digest", "local_path"])
    def test_missing_file_is_not_found(self, store: FileStore, use: str) -> None:
        if use == "local_path" and not self.is_local:
            assert store.local_path(KEY) is None
            return
        with pytest.raises(NotFound):
            getattr(store, use)(KEY)

    def test_fetch_copies_to_a_local_path(self, store: FileStore, tmp_path: Path) -> None:
        store.put(KEY, CONTENT)
        store.fetch(KEY, tmp_path / "here")
        assert (tmp_path / "here").read_bytes() == CONTENT
        assert (store.local_path(KEY) is not None) is self.is_local

    @pytest.mark.parametrize("key", ["../outside", "runs/../../outside", "/absolute", ""])
    def test_key_that_leads_outside_is_refused(self, store: FileStore, key: str) -> None:
        with pytest.raises(ValueError, match="not a key"):
            store.put(key, b"")

    @staticmethod
    def names(store: FileStore) -> list[str]:
        """Every file in the store, complete or not."""
        fs, root = store._filesystem()
        fs.invalidate_cache()
        return list(fs.find(root)) if fs.exists(root) else []


class TestFolder(FileStoreContract):
    is_local = True

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[FileStore]:
        store = FileStore(str(tmp_path / "files"))
        yield store
        store.close()


class TestS3(FileStoreContract):
    is_local = False

    @pytest.fixture
    def store(self, s3_url: str) -> Iterator[FileStore]:
        store = FileStore(s3_url)
        yield store
        store.close()


class HomeWithS3(Home):
    """A user whose server finds the bucket."""

    bucket: Bucket

    def env(self) -> dict[str, str]:
        return super().env() | s3_environment(self.bucket)


def test_main_job_with_the_files_in_a_bucket(bucket: Bucket) -> None:
    """Upload, run, download, promote, deploy, predict: every file is in the bucket."""
    home = HomeWithS3()
    home.bucket = bucket
    try:
        with LiveServer(home, artifact_root=f"s3://{bucket.name}/ops") as server:
            rows = "".join(f"{i},{i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(40))
            source = server.upload("table", b"a,b,answer\n" + rows.encode())
            run = server.submit(
                server.experiment(target="answer", setup_params={"fold": 2}),
                plan="create",
                model_id="dt",
                data_source_id=source["id"],
            )
            ended = server.ended(run["id"])
            assert ended["status"] == "succeeded", ended["error"]
            kept = server.get(f"/runs/{run['id']}/artifacts")
            model = next(row for row in kept if row["kind"] == "pipeline_pickle")
            content = server.http.get(f"{server.api}/artifacts/{model['id']}/download").content
            assert hashlib.sha256(content).hexdigest() == model["sha256"]
            pipeline = server.post(f"/runs/{run['id']}/promote", {"name": "answers"})
            server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": "answers"})
            answer = server.post("/deployments/answers/predict", {"rows": [{"a": 1, "b": 1}]}, 200)
            assert answer["predictions"][0]["prediction"] in ("yes", "no")
            assert home.files() == set()
            folders = {key.split("/")[1] for key in bucket.names()}
            assert folders == {"runs", "pipelines", "sources"}
            assert not [key for key in bucket.names() if key.endswith(".part")]
    finally:
        home.remove()
