"""CVAT's side: a server that calls functions through Nuclio's dashboard and signs their states, and its web page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cvat_serverless.functions import INTERACTOR, TRACKER
from tests.cvat_serverless.asking import base64_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class BadSignature(ValueError):
    """A signed value was changed, belongs elsewhere, or is too old."""


class TimestampSigner:
    """Signs JSON as Django does: ``value:time:signature``, base 62 and URL-safe base 64, with a salt."""

    def __init__(self, salt: str, clock: Callable[[], float] = time.time) -> None:
        self._key = hashlib.sha256(f"{salt}signer".encode() + b"the secret key").digest()
        self._clock = clock

    def sign(self, value: Any) -> str:
        text = json.dumps(value, separators=(",", ":")).encode()
        packed = zlib.compress(text)
        data = f".{_base64(packed)}" if len(packed) < len(text) - 1 else _base64(text)
        stamped = f"{data}:{_base62(int(self._clock()))}"
        return f"{stamped}:{self._signature(stamped)}"

    def unsign(self, signed: str, max_age: float) -> Any:
        stamped, _, signature = signed.rpartition(":")
        if not stamped or not hmac.compare_digest(signature, self._signature(stamped)):
            raise BadSignature("signature does not match")
        data, _, stamp = stamped.rpartition(":")
        if self._clock() - _number(stamp) > max_age:
            raise BadSignature("signature has expired")
        raw = base64.urlsafe_b64decode(data.lstrip(".") + "=" * (-len(data.lstrip(".")) % 4))
        return json.loads(zlib.decompress(raw) if data.startswith(".") else raw)

    def _signature(self, text: str) -> str:
        return _base64(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


class FakeCvat:
    """Answers the web page: finds the frame, calls the function, signs what it wants to see again.

    Of an error it says what ``requests`` says, as CVAT 2.73 does: status and address, never the body.
    """

    max_age = 8 * 3600.0

    def __init__(
        self,
        nuclio: str,
        tasks: Mapping[int, Sequence[np.ndarray]],
        clock: Callable[[], float] = time.time,
        namespace: str = "nuclio",
    ):
        self.nuclio = nuclio
        self.namespace = namespace
        self._tasks = tasks
        self._clock = clock
        self.calls = 0

    def call(self, function: str, asked: dict[str, Any]) -> tuple[int, Any]:
        signer = TimestampSigner(f"cvat.functions.{function}", self._clock)
        try:
            self._http(f"/api/functions/{function}")
            payload = {"image": base64_of(self._tasks[asked["task"]][asked["frame"]])}
            if function == TRACKER:
                payload["shapes"] = asked.get("shapes", [])
                payload["states"] = [signer.unsign(state, self.max_age) for state in asked.get("states", [])]
            else:
                payload |= {key: asked.get(key) for key in ("pos_points", "neg_points", "obj_bbox")}
            self.calls += 1
            headers = {"x-nuclio-function-name": function, "x-nuclio-path": "/"}
            answer = self._http("/api/function_invocations", payload, headers)
        except BadSignature as error:
            return 400, {"message": f"CVAT: {error}"}
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {"message": f"{error.code} Client Error: {error.reason} for url: {error.url}"}
        if function == TRACKER:
            answer["states"] = [signer.sign(state) for state in answer["states"]]
        return 200, answer

    def _http(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        common = {
            "x-nuclio-project-name": "cvat",
            "x-nuclio-function-namespace": self.namespace,
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.nuclio + path, data, {**common, **(headers or {})})
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)


@contextmanager
def served(cvat: FakeCvat) -> Iterator[str]:
    """Serves it on this computer; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = cvat.call(self.path.rpartition("/")[2], body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class WebPage:
    """What the page does while its user steps through frames: starts on the frame before, then follows.

    Shapes that somebody moved are started anew, and so are those that left the image by a fraction of a pixel.
    """

    def __init__(self, cvat: str, task: int = 1) -> None:
        self._cvat = cvat
        self._task = task
        self.frame = 0
        self.shapes: list[Any] = []
        self._tracked: list[Any] = []
        self._states: list[Any] = []
        self.starts = 0

    def draw(self, *shapes: Any) -> None:
        self.shapes += shapes
        self._tracked += [None] * len(shapes)
        self._states += [None] * len(shapes)

    def move(self, number: int, shape: Any) -> None:
        self.shapes[number] = shape

    def step(self) -> list[Any]:
        new = [n for n, shape in enumerate(self.shapes) if shape != self._tracked[n]]
        if new:
            self.starts += len(new)
            answer = self.post(TRACKER, frame=self.frame, shapes=[self.shapes[n] for n in new], states=[])
            for number, state in zip(new, answer["states"], strict=True):
                self._states[number] = state
        self.frame += 1
        answer = self.post(TRACKER, frame=self.frame, shapes=[None] * len(self.shapes), states=self._states)
        self._states = answer["states"]
        self._tracked = [_as_kept(shape) for shape in answer["shapes"]]
        self.shapes = list(self._tracked)
        return self.shapes

    def click(self, *points: Any, beside: Sequence[Any] = (), box: Sequence[Any] = ()) -> list[Any]:
        answer = self.post(
            INTERACTOR, frame=self.frame, pos_points=list(points), neg_points=list(beside), obj_bbox=list(box)
        )
        return [s for s in answer["shapes"] if float(s["attributes"][0]["value"]) >= 0.5]

    def post(self, function: str, **body: Any) -> Any:
        data = json.dumps({"task": self._task, **body}).encode()
        request = urllib.request.Request(f"{self._cvat}/api/lambda/functions/{function}", data)
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)


def _as_kept(shape: Any) -> Any:
    """What the page makes of an answer: rectangles become the box around whatever came."""
    points = shape["points"]
    if shape["type"] != "rectangle":
        return shape
    x, y = points[::2], points[1::2]
    return {"type": "rectangle", "points": [min(x), min(y), max(x), max(y)]}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits or "0"


def _number(text: str) -> int:
    return sum(_DIGITS.index(letter) * 62**place for place, letter in enumerate(reversed(text)))
