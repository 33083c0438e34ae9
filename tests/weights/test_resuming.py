"""Downloads over real connections to a server on this machine, which break at half."""

from __future__ import annotations

import os
import random
import subprocess
import sys
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
from src_model.weights import get_checkpoint, models_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from src_model.weights import CheckpointInfo

    Register = Callable[..., CheckpointInfo]

CHUNK = 16_384
CONTENT = random.Random(1).randbytes(16 * CHUNK)
HALF = len(CONTENT) // 2

OTHER_PROCESS = """
import hashlib, sys
import huggingface_hub
from src_model.weights import CheckpointInfo, get_checkpoint, registry
size, sha256, chunk = sys.argv[1:]
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = int(chunk)
registry._BY_NAME["toy"] = CheckpointInfo("toy", "default", "MIT", "toy.pt", "somebody/toy", int(size), sha256)
get_checkpoint("toy")
"""


class Server(ThreadingHTTPServer):
    """Serves one file as huggingface.co does, and breaks the connection after some bytes if told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.takes_ranges = True
        self.is_the_hub = True
        self.breaks_at: int | None = None
        self.stalls = False
        self.ended = threading.Event()
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
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.takes_ranges else 0
        size, stop = len(self.server.content), self.server.breaks_at
        if stop is not None and start >= stop:
            return self.answer(503, 0)
        if start >= size:
            return self.answer(416, 0)
        extra = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        self.answer(206 if start else 200, size - start, **extra)
        self.wfile.write(self.server.content[start:stop])
        if stop is not None and self.server.stalls:
            self.wfile.flush()
            self.server.ended.wait(60)

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
        server.ended.set()
        server.shutdown()


def part() -> Path:
    return models_folder() / "toy.pt.part"


def leave_behind(content: bytes) -> None:
    part().parent.mkdir(parents=True, exist_ok=True)
    part().write_bytes(content)


def other_process(server: Server, info: CheckpointInfo) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", OTHER_PROCESS, str(info.size), str(info.sha256), str(CHUNK)]
    environment = os.environ | {"HF_ENDPOINT": server.url, "SAM2V_MODELS": str(models_folder()), "HF_HUB_OFFLINE": "0"}
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        command,
        env=environment,
        cwd=root,
    )


class TestContinuing:
    def test_a_broken_connection_is_taken_up_by_the_next_call(self, server: Server, register: Register):
        info = register("toy", CONTENT)
        server.breaks_at = HALF
        with pytest.raises(CheckpointError, match=r"did not answer as expected.*503.* To get it by hand"):
            get_checkpoint("toy", progress=False)
        assert part().read_bytes() == CONTENT[:HALF]
        assert not (models_folder() / info.filename).exists()
        server.breaks_at = None
        server.ranges.clear()
        assert get_checkpoint("toy", progress=False).read_bytes() == CONTENT
        assert server.ranges == [f"bytes={HALF}-"]
        assert not part().exists()

    def test_a_killed_process_is_taken_up_by_another_one_that_waited_for_it(self, server: Server, register: Register):
        info = register("toy", CONTENT)
        server.breaks_at, server.stalls = HALF, True
        with other_process(server, info) as process, ThreadPoolExecutor(1) as pool:
            try:
                while not (part().is_file() and part().stat().st_size >= HALF - CHUNK):
                    assert process.poll() is None
                    time.sleep(0.02)
                server.breaks_at = None
                waiting = pool.submit(get_checkpoint, "toy", progress=False)
                time.sleep(0.3)
                assert server.ranges == [None]
            finally:
                process.kill()
            process.wait()
            assert waiting.result().read_bytes() == CONTENT
        first, second = server.ranges
        assert first is None
        assert HALF - CHUNK <= int(str(second).removeprefix("bytes=").rstrip("-")) <= HALF

    def test_a_process_that_ended_before_the_last_step_leaves_nothing_to_download(
        self, server: Server, register: Register
    ):
        register("toy", CONTENT)
        leave_behind(CONTENT)
        assert get_checkpoint("toy", progress=False).read_bytes() == CONTENT
        assert server.ranges == []

    def test_progress_begins_where_it_broke_and_never_falls(self, server: Server, register: Register):
        register("toy", CONTENT)
        leave_behind(CONTENT[:HALF])
        told: list[tuple[int, int]] = []
        get_checkpoint("toy", progress=lambda done, size: told.append((done, size)))
        assert told[0][0] > HALF
        assert told == sorted(told)
        assert told[-1] == (len(CONTENT), len(CONTENT))

    def test_two_downloads_at_once_are_one(self, server: Server, register: Register):
        register("toy", CONTENT)
        with ThreadPoolExecutor(2) as pool:
            paths = list(pool.map(lambda _: get_checkpoint("toy", progress=False), range(2)))
        assert [path.read_bytes() == CONTENT for path in paths] == [True, True]
        assert server.ranges == [None]

    def test_without_a_known_hash_it_begins_anew(self, server: Server, register: Register):
        info = register("toy", CONTENT)
        object.__setattr__(info, "sha256", None)
        leave_behind(CONTENT[:HALF])
        assert get_checkpoint("toy", progress=False).read_bytes() == CONTENT
        assert server.ranges == [None]


class TestWrongBytes:
    def test_a_server_that_ignores_the_range_sends_the_whole_file(self, server: Server, register: Register):
        register("toy", CONTENT)
        server.takes_ranges = False
        leave_behind(CONTENT[:HALF])
        told: list[int] = []
        path = get_checkpoint("toy", progress=lambda done, _: told.append(done))
        assert path.read_bytes() == CONTENT
        assert server.ranges == [f"bytes={HALF}-"]
        assert told == sorted(told)

    @pytest.mark.parametrize("size", [HALF, len(CONTENT), len(CONTENT) + 1])
    def test_a_part_of_something_else_is_downloaded_again(self, server: Server, register: Register, size: int):
        register("toy", CONTENT)
        leave_behind(bytes(size))
        assert get_checkpoint("toy", progress=False).read_bytes() == CONTENT
        assert server.ranges[-1] is None

    def test_starting_again_is_said(self, server: Server, register: Register, caplog: pytest.LogCaptureFixture):
        register("toy", CONTENT)
        leave_behind(bytes(HALF))
        get_checkpoint("toy", progress=False)
        assert "toy.pt.part was not a beginning of somebody/toy/toy.pt (its SHA-256 is" in caplog.text

    @pytest.mark.parametrize("left", [0, HALF])
    def test_a_file_of_another_hash_is_refused_and_deleted(self, server: Server, register: Register, left: int):
        info = register("toy", CONTENT)
        server.content = CONTENT[::-1]
        leave_behind(CONTENT[:left])
        with pytest.raises(CheckpointError, match=r"SHA-256 is .* instead of .* deleted\. To get it by hand"):
            get_checkpoint("toy", progress=False)
        assert not part().exists()
        assert not (models_folder() / info.filename).exists()
        assert len(server.ranges) == (2 if left else 1)

    def test_a_file_that_has_become_shorter_than_the_part_is_refused(self, server: Server, register: Register):
        register("toy", CONTENT)
        server.content = CONTENT[:HALF]
        leave_behind(CONTENT[:-1])
        with pytest.raises(CheckpointError, match="did not answer as expected"):
            get_checkpoint("toy", progress=False)
        assert server.ranges == [f"bytes={len(CONTENT) - 1}-", None]

    def test_a_login_page_does_not_cost_the_part(self, server: Server, register: Register):
        register("toy", CONTENT)
        leave_behind(CONTENT[:HALF])
        server.is_the_hub = False
        with pytest.raises(CheckpointError, match=r"such as the login page of a network\. To get it by hand"):
            get_checkpoint("toy", progress=False)
        assert part().read_bytes() == CONTENT[:HALF]
        assert server.ranges == []


class TestWithoutANetwork:
    def test_offline_mode_asks_nobody_and_keeps_the_part(self, server: Server, register: Register):
        register("toy", CONTENT)
        leave_behind(CONTENT[:HALF])
        with pytest.raises(CheckpointError, match="offline mode"):
            get_checkpoint("toy", offline=True)
        assert server.ranges == []
        assert part().read_bytes() == CONTENT[:HALF]

    def test_a_dead_network_is_noticed_at_once_and_keeps_the_part(self, server: Server, register: Register):
        register("toy", CONTENT)
        leave_behind(CONTENT[:HALF])
        server.shutdown()
        server.server_close()
        with pytest.raises(CheckpointError, match=r"did not answer as expected.*toy\.pt into"):
            get_checkpoint("toy", progress=False)
        assert part().read_bytes() == CONTENT[:HALF]
