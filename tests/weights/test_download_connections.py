"""Downloads over real connections to a server on this machine, which may break."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import huggingface_hub
import platformdirs
import pytest

from src_model.errors import CheckpointError
from src_model.weights import get_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from src_model.weights import CheckpointInfo

    Register = Callable[..., CheckpointInfo]

CHUNK = 16_384
CONTENT = random.Random(1).randbytes(16 * CHUNK)
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Serves one file as huggingface.co does, and breaks the connection after some bytes if told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.is_the_hub = True
        self.breaks_at: int | None = None
        self.mends = True
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.answer(200, len(self.server.content))

    def do_GET(self) -> None:
        if not self.path.endswith("/toy.pt"):  # the hub may ask for news when it is imported
            return self.answer(404, 0)
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        size, stop = len(self.server.content), self.server.breaks_at
        if stop is not None and start >= stop:
            return self.answer(503, 0)
        extra = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        self.answer(206 if start else 200, size - start, **extra)
        self.wfile.write(self.server.content[start:stop])
        if self.server.mends:
            self.server.breaks_at = None

    def answer(self, status: int, size: int, **headers: str) -> None:
        self.send_response(status)
        if self.server.is_the_hub:
            headers |= {"ETag": '"etag"', "X-Repo-Commit": "0" * 40}
        for name, value in {"Content-Length": str(size), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server in place of huggingface.co, for a machine with empty folders; chunks are small."""
    constants = huggingface_hub.constants
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", CHUNK)
        monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, **_: str(tmp_path / name))
        monkeypatch.delenv("SAM2V_MODELS", raising=False)
        getattr(huggingface_hub, "close_session", lambda: None)()  # a client remembers the proxies of its first day
        yield server
        server.shutdown()


def files() -> list[str]:
    """Contents of the hub's cache, without its locks and notes."""
    return [path.name for path in Path(huggingface_hub.constants.HF_HUB_CACHE).glob("models--*/*/**/*.*")]


def test_a_connection_that_breaks_once_is_taken_up_where_it_broke(server: Server, register: Register):
    register("toy", CONTENT)
    server.breaks_at = HALF
    told: list[tuple[int, int]] = []
    assert get_checkpoint("toy", progress=lambda *done: told.append(done)).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_breaks_off_leaves_nothing_that_could_be_taken_for_the_file(server: Server, register: Register):
    register("toy", CONTENT)
    server.breaks_at, server.mends = HALF, False
    with pytest.raises(CheckpointError, match=r"did not answer as expected.*503.* To get it by hand"):
        get_checkpoint("toy", progress=False)
    server.breaks_at = None
    assert get_checkpoint("toy", progress=False).read_bytes() == CONTENT


def test_two_downloads_at_once_are_one(server: Server, register: Register):
    register("toy", CONTENT)
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: get_checkpoint("toy", progress=False), range(2)))
    assert [path.read_bytes() == CONTENT for path in paths] == [True, True]
    assert server.ranges == [None]


def test_a_function_that_raises_ends_the_download(server: Server, register: Register):
    register("toy", CONTENT)

    def cancel(done: int, size: int) -> None:
        raise InterruptedError

    with pytest.raises(CheckpointError, match="InterruptedError"):
        get_checkpoint("toy", progress=cancel)
    assert not [name for name in files() if name == "toy.pt"]


def test_a_file_of_another_hash_is_refused_and_deleted(server: Server, register: Register):
    register("toy", CONTENT)
    server.content = CONTENT[::-1]
    with pytest.raises(CheckpointError, match=r"SHA-256 is .* instead of .* deleted\. To get it by hand"):
        get_checkpoint("toy", progress=False)
    assert not [name for name in files() if name in ("toy.pt", "etag")]
    server.content = CONTENT
    assert get_checkpoint("toy", progress=False).read_bytes() == CONTENT


def test_a_login_page_is_no_checkpoint(server: Server, register: Register):
    register("toy", CONTENT)
    server.is_the_hub = False
    with pytest.raises(CheckpointError, match=r"did not answer as expected.*FileMetadataError"):
        get_checkpoint("toy", progress=False)
    assert server.ranges == []


def test_offline_mode_asks_nobody(server: Server, register: Register):
    register("toy", CONTENT)
    with pytest.raises(CheckpointError, match="offline mode"):
        get_checkpoint("toy", offline=True)
    assert server.ranges == []


def test_a_dead_network_is_noticed_at_once(server: Server, register: Register):
    register("toy", CONTENT)
    server.shutdown()
    server.server_close()
    start = time.monotonic()
    with pytest.raises(CheckpointError, match=r"did not answer as expected.*toy\.pt into"):
        get_checkpoint("toy", progress=False)
    assert time.monotonic() - start < 5
