"""CVAT's side of its REST interface: tasks with frames, labels and annotations, over HTTP, for the real SDK.

Annotations follow CVAT's own rules: ``update`` deletes by id and creates anew, so that ids change; numbers only grow;
a request is done as a whole or not at all; of a task with several jobs each keeps its own frames.
"""

from __future__ import annotations

import copy
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

TOKEN, USER, PASSWORD = "a-very-secret-token", "annotator", "a very secret password"
_SESSION = "secret-session-id"
_CSRF = "secret-csrf"

Raw = dict[str, Any]


@dataclass
class FakeTask:
    """A task with its frames, and all that was annotated in it."""

    frames: np.ndarray
    id: int = 5
    name: str = "a video"
    labels: list[Raw] = field(default_factory=list)
    jobs: list[tuple[int, int, int]] = field(default_factory=list)  # id, first and last frame
    overlap: int = 0
    deleted: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] | None = None
    dimension: str = "2d"
    project: int | None = None
    shapes: list[Raw] = field(default_factory=list)
    tracks: list[Raw] = field(default_factory=list)
    guide: Raw | None = None
    last_id: int = 100

    def __post_init__(self) -> None:
        self.jobs = self.jobs or [(self.id * 10, 0, len(self.frames) - 1)]

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def draw(self, kind: str, points: list[float], frame: int = 0, **more: Any) -> int:
        """Draw a shape as a person does; gives its number."""
        shape = {**_shape(kind, points, frame), "id": self.new_id(), "label_id": 1, "group": 0, "source": "manual"}
        self.shapes.append({**shape, "job": self._job(frame), "elements": [], **more})
        return int(shape["id"])

    def draw_track(self, *keys: Raw, **more: Any) -> int:
        """Draw a track with keyframes; gives its number."""
        track = {
            "id": self.new_id(), "label_id": 1, "group": 0, "source": "manual", "frame": keys[0]["frame"],
            "attributes": [], "elements": [], "job": self._job(keys[0]["frame"]),
        }  # fmt: skip
        track["shapes"] = [{**key, "id": self.new_id()} for key in keys]
        self.tracks.append({**track, **more})
        return int(track["id"])

    def shape(self, number: int) -> Raw:
        return next(raw for raw in self.shapes if raw["id"] == number)

    def edit(self, number: int, **changes: Any) -> int:
        """Change a shape or track in the web page, which saves it under a new number."""
        for items in (self.shapes, self.tracks):
            for raw in items:
                if raw["id"] == number:
                    raw.update(changes, id=self.new_id())
                    raw["source"] = "semi-auto" if raw["source"] != "manual" else "manual"
                    return int(raw["id"])
        raise AssertionError(number)

    def _job(self, frame: int) -> int:
        return next(number for number, first, last in self.jobs if first <= frame <= last)

    def annotations(self, job: int | None = None) -> Raw:
        def shown(items: list[Raw]) -> list[Raw]:
            found = [raw for raw in items if job in (None, raw["job"]) and (job is not None or self._is_first(raw))]
            return [{name: value for name, value in raw.items() if name != "job"} for raw in found]

        return copy.deepcopy({"version": 0, "tags": [], "shapes": shown(self.shapes), "tracks": shown(self.tracks)})

    def patch(self, action: str, body: Raw, job: int | None = None) -> Raw:
        """Do what CVAT does; nothing of it if a part is wrong."""
        known = {label["id"] for label in self.labels}
        for raw in (*body["shapes"], *body["tracks"]):
            if raw["label_id"] not in known:
                raise ValueError(f"label_id `{raw['label_id']}` is invalid")
        for track in body["tracks"]:
            if any(key["type"] == "mask" for key in track["shapes"]):
                raise AssertionError("a mask track: the web page could not open this job")
        written: Raw = {"version": 0, "tags": [], "shapes": [], "tracks": []}
        for number, first, last in self.jobs:
            if job not in (None, number):
                continue
            span = range(first, last + 1)
            part = body if job is not None else _slice(body, span)
            if action in ("update", "delete"):
                self._delete("shapes", part, number)
                self._delete("tracks", part, number)
            if action in ("update", "create"):
                for kind in ("shapes", "tracks"):
                    written[kind] += self._create(kind, part[kind], number)
        for kind in ("shapes", "tracks"):
            written[kind] = [raw for raw in written[kind] if job is not None or self._is_first(raw)]
        return copy.deepcopy(written)

    def _is_first(self, raw: Raw) -> bool:
        """CVAT merges what lies in the frames that two jobs share, and names it once."""
        return not self.overlap or raw["job"] == self._job(raw["frame"])

    def _delete(self, kind: str, part: Raw, job: int) -> None:
        gone = {raw.get("id") for raw in part[kind]}
        items = getattr(self, kind)
        items[:] = [raw for raw in items if raw["id"] not in gone or raw["job"] != job]

    def _create(self, kind: str, items: list[Raw], job: int) -> list[Raw]:
        made = [{**copy.deepcopy(raw), "id": self.new_id()} for raw in items]
        for raw in made:
            for key in raw.get("shapes", ()):
                key["id"] = self.new_id()
        made = [{**raw, "job": job} for raw in made]
        getattr(self, kind).extend(made)
        return made


def _slice(body: Raw, span: range) -> Raw:
    tracks = []
    for track in body["tracks"]:
        keys = [key for key in track["shapes"] if key["frame"] in span]
        if keys:
            tracks.append({**track, "shapes": keys, "frame": keys[0]["frame"]})
    return {"shapes": [raw for raw in body["shapes"] if raw["frame"] in span], "tracks": tracks}


def _shape(kind: str, points: list[float], frame: int) -> Raw:
    return {
        "type": kind, "frame": frame, "points": list(points), "occluded": False, "outside": False, "z_order": 0,
        "rotation": 0.0, "attributes": [],
    }  # fmt: skip


def key(kind: str, points: list[float], frame: int, **more: Any) -> Raw:
    """A keyframe."""
    return {**_shape(kind, points, frame), **more}


@dataclass
class CvatServer:
    """A server with tasks.

    Attributes
    ----------
    fault
        Looks at each request (method, path and query) before it is answered: a status to answer instead, ``"drop"`` to
        break the connection, ``"drop-after"`` to do so when the request was carried out, or None.
    asked
        All requests, in order.
    """

    tasks: dict[int, FakeTask] = field(default_factory=dict)
    version: str = "2.73.0"
    fault: Callable[[str, str, Raw], int | str | None] = lambda method, path, query: None
    asked: list[tuple[str, str, Raw]] = field(default_factory=list)
    url: str = ""

    def frames_asked(self) -> list[int]:
        return [int(query["number"]) for _, _, query in self.asked if query.get("type") == "frame"]

    def changes(self) -> list[str]:
        """The actions of all requests that changed annotations."""
        return [query["action"] for method, _, query in self.asked if method == "PATCH" and "action" in query]

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
        fault = cvat.fault(method, parts.path, query)
        if fault == "drop":
            self._drop()
            return
        cvat.asked.append((method, parts.path, query))
        done = fault is None or fault == "drop-after"
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
        self.wfile.write(data)

    def _answer(self, method: str, path: str, query: Raw, body: Raw) -> tuple[int, Any, list[str]]:
        if path == "/api/server/about":
            return 200, {"name": "CVAT", "description": "", "version": self.server.cvat.version}, []
        if path == "/api/auth/login":
            if (body.get("username"), body.get("password")) != (USER, PASSWORD):
                return 400, {"non_field_errors": ["Unable to log in with provided credentials."]}, []
            return 200, {"key": "secret-key"}, [f"sessionid={_SESSION}; Path=/", f"csrftoken={_CSRF}; Path=/"]
        if not self._is_known(method):
            return 401, {"detail": "Authentication credentials were not provided."}, []
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
