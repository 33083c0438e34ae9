"""CVAT's side of its REST interface: tasks with frames, labels and annotations, over HTTP, for the real SDK.

Annotations follow CVAT's own rules; see :class:`~tests.cvat_serverless.sdk.cvat_task.FakeTask`.
"""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from tests.cvat_serverless.sdk.cvat_task import FakeTask, Raw

TOKEN, USER, PASSWORD = "a-very-secret-token", "annotator", "a very secret password"
_SESSION = "secret-session-id"
_CSRF = "secret-csrf"


@dataclass
class CvatServer:
    """A server with tasks.

    Attributes
    ----------
    fault
        Looks at each request (method, path and query; none that would change annotations and holds none) before it is
        answered: a status to answer instead, ``"drop"`` to
        break the connection, ``"drop-after"`` to do so when the request was carried out, ``"cut"`` to do so halfway
        through the answer, or None.
    asked
        All requests, in order.
    sent
        Actions of requests to change annotations that held any.
    is_read_only
        Whether the user may look at everything and write no annotation.
    """

    tasks: dict[int, FakeTask] = field(default_factory=dict)
    version: str = "2.73.0"
    fault: Callable[[str, str, Raw], int | str | None] = lambda method, path, query: None
    asked: list[tuple[str, str, Raw]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    is_read_only: bool = False
    url: str = ""

    def frames_asked(self) -> list[int]:
        return [int(query["number"]) for _, _, query in self.asked if query.get("type") == "frame"]

    def changes(self) -> list[str]:
        """The actions of all requests that changed annotations, or would have."""
        return self.sent

    # Answers ---------------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Raw, body: Raw) -> Any:
        if path == "/api/labels":
            return _page(self.tasks[int(query["task_id"])].labels)
        if path == "/api/jobs":
            return _page([self._job(self.tasks[int(query["task_id"])], job) for job in self._jobs(query)])
        if found := re.fullmatch(r"/api/guides(?:/(\d+))?", path):
            return self._guide(method, found[1], body)
        found = re.fullmatch(r"/api/(tasks|jobs)/(\d+)(?:/(annotations/|data/meta|data/?))?", path)
        if found is None:
            raise KeyError(path)
        task, job = self._place(found[1], int(found[2]))
        match found[3]:
            case None:
                return self._task(task)
            case "annotations/":
                return task.annotations(job) if method == "GET" else task.patch(query["action"], body, job)
            case "data/meta":
                return self._meta(task)
        return _png(task.frames[int(query["number"])])

    def _place(self, kind: str, number: int) -> tuple[FakeTask, int | None]:
        if kind == "tasks":
            return self.tasks[number], None
        task = next(task for task in self.tasks.values() for job in task.jobs if job[0] == number)
        return task, number

    def _jobs(self, query: Raw) -> list[tuple[int, int, int]]:
        return self.tasks[int(query["task_id"])].jobs

    def _task(self, task: FakeTask) -> Raw:
        return {
            "url": f"{self.url}/api/tasks/{task.id}", "id": task.id, "name": task.name, "project_id": task.project,
            "mode": "interpolation", "overlap": task.overlap, "segment_size": len(task.frames), "status": "annotation",
            "data": task.id, "size": len(task.frames), "dimension": task.dimension, "subset": "",
            "guide_id": None if task.guide is None else task.guide["id"],
        }  # fmt: skip

    def _job(self, task: FakeTask, job: tuple[int, int, int]) -> Raw:
        number, first, last = job
        return {"id": number, "task_id": task.id, "start_frame": first, "stop_frame": last, "type": "annotation"}

    def _meta(self, task: FakeTask) -> Raw:
        height, width = task.frames.shape[1:3]
        sizes = task.sizes or [(width, height)]
        frames = [{"width": wide, "height": high, "name": "video.mp4", "related_files": 0} for wide, high in sizes]
        return {
            "chunk_size": 36, "size": len(task.frames), "image_quality": 70, "start_frame": 0, "frame_filter": "",
            "stop_frame": len(task.frames) - 1, "frames": frames, "deleted_frames": task.deleted,
            "included_frames": None,
        }  # fmt: skip

    def _guide(self, method: str, number: str | None, body: Raw) -> Raw:
        if method == "POST":
            task = self.tasks[body["task_id"]]
            task.guide = {"id": 70 + task.id, "task_id": task.id, "project_id": None, "markdown": body["markdown"]}
            return task.guide
        guide = next(task.guide for task in self.tasks.values() if task.guide and str(task.guide["id"]) == number)
        if method == "PATCH":
            guide["markdown"] = body["markdown"]
        return guide


def _page(items: list[Raw]) -> Raw:
    return {"count": len(items), "next": None, "previous": None, "results": items}


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listening

    def do_GET(self) -> None:
        self._do("GET")

    def do_POST(self) -> None:
        self._do("POST")

    def do_PATCH(self) -> None:
        self._do("PATCH")

    def log_message(self, *words: object) -> None:
        pass

    def _do(self, method: str) -> None:
        cvat = self.server.cvat
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        holds_nothing = "action" in query and not (body["shapes"] or body["tracks"])
        fault = None if holds_nothing else cvat.fault(method, parts.path, query)
        if fault == "drop":
            self._drop()
            return
        cvat.asked.append((method, parts.path, query))
        if "action" in query and not holds_nothing:
            cvat.sent.append(query["action"])
        done = fault in (None, "drop-after", "cut")
        refused = (fault, {"detail": "no"}, [])
        status, answer, headers = self._answer(method, parts.path, query, body) if done else refused
        if fault == "drop-after":
            self._drop()
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(int(status))
        self.send_header("Content-Type", "image/png" if isinstance(answer, bytes) else "application/vnd.cvat+json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Set-Cookie", f"sessionid={_SESSION}; HttpOnly; Path=/") if status == 403 else None
        for value in headers:
            self.send_header("Set-Cookie", value)
        self.end_headers()
        self.wfile.write(data if fault != "cut" else data[: len(data) // 2])
        if fault == "cut":
            self._drop()

    def _answer(self, method: str, path: str, query: Raw, body: Raw) -> tuple[int, Any, list[str]]:
        if path == "/api/server/about":
            return 200, {"name": "CVAT", "description": "", "version": self.server.cvat.version}, []
        if path == "/api/auth/login":
            if (body.get("username"), body.get("password")) != (USER, PASSWORD):
                return 400, {"non_field_errors": ["Unable to log in with provided credentials."]}, []
            return 200, {"key": "secret-key"}, [f"sessionid={_SESSION}; Path=/", f"csrftoken={_CSRF}; Path=/"]
        if not self._is_known(method):
            return 401, {"detail": "Authentication credentials were not provided."}, []
        if self.server.cvat.is_read_only and method == "PATCH" and "/annotations" in path:
            return 403, {"detail": "You do not have permission to perform this action."}, []
        try:
            return 200, self.server.cvat.answer(method, path, query, body), []
        except (KeyError, StopIteration, IndexError):
            return 404, {"detail": "Not found."}, []
        except ValueError as error:
            return 400, [str(error)], []

    def _is_known(self, method: str) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        session = f"sessionid={_SESSION}" in (self.headers.get("Cookie") or "")
        return session and (method == "GET" or self.headers.get("X-CSRFToken") == _CSRF)

    def _drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(2)


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    cvat: CvatServer


@contextmanager
def served(cvat: CvatServer) -> Iterator[CvatServer]:
    """Serve on a free port of this computer while in the block."""
    listening = _Listening(("127.0.0.1", 0), _Handler)
    listening.cvat = cvat
    cvat.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield cvat
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(10)
