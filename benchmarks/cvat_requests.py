"""What CVAT's requests cost beyond the model, how many a second are answered, and whether memory stays flat.

    python benchmarks/cvat_requests.py                      # the default model, a few minutes on a CPU
    python benchmarks/cvat_requests.py --calls 10000        # memory over more requests

Frames are made up: a disk that wanders over noise, as PNG. Requests go through HTTP where they are counted by the
second, and straight to the service where parts of one are timed. Memory is watched with a network of next to no size,
so that whatever grows would be the service's own.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import statistics
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
import uvicorn
from PIL import Image
from rich.console import Console
from rich.table import Table

from cvat_serverless.functions import INTERACTOR, TRACKER, FunctionService, make_service
from cvat_serverless.server.app import FunctionServer
from cvat_serverless.settings import ServiceSettings
from cvat_serverless.shared_model import ImageCache
from src_model.nn import ModelConfig, build_network
from src_model.nn.image_encoder import HieraConfig
from src_model.tracking import StreamingPredictor
from src_model.tracking.network_steps import NetworkSteps

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = ((480, 640), (1080, 1920))
MODEL_STEPS = ("encode_image", "answer_prompt", "segment", "take_mask", "add_memory", "track")


@dataclass
class Clip:
    """Requests about a made-up movie."""

    images: list[str]
    shape: dict[str, Any]

    @classmethod
    def make(cls, size: tuple[int, int], length: int) -> Clip:
        """Draw a disk that wanders over noise."""
        random = np.random.default_rng(0)
        y, x = np.mgrid[: size[0], : size[1]]
        radius = size[0] // 6
        images = []
        for frame in range(length):
            centre = size[0] // 2, size[1] // 3 + frame * max(1, size[1] // 200)
            pixels = random.integers(20, 50, (*size, 3), dtype=np.uint8)
            pixels[np.hypot(y - centre[0], x - centre[1]) < radius] = (200, 180, 90)
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
            images.append(base64.b64encode(buffer.getvalue()).decode())
        left, top = size[1] // 3 - radius, size[0] // 2 - radius
        box = [left, top, left + 2 * radius, top + 2 * radius]
        return cls(images, {"type": "rectangle", "points": box})

    def start(self) -> bytes:
        """Write the request that starts an object."""
        return json.dumps({"image": self.images[0], "shapes": [self.shape], "states": []}).encode()

    def follow(self, frame: int, states: list[Any]) -> bytes:
        """Write the request that follows it to a frame."""
        return json.dumps({"image": self.images[frame], "shapes": [None], "states": states}).encode()

    def click(self, frame: int) -> bytes:
        """Write the request of a click on it."""
        x0, y0, x1, y1 = self.shape["points"]
        return json.dumps({"image": self.images[frame], "pos_points": [[(x0 + x1) / 2, (y0 + y1) / 2]]}).encode()


class ModelTime:
    """Adds up the seconds that the network takes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._inside = False

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Watch all steps of networks while in the block."""
        with contextlib.ExitStack() as stack:
            for name in MODEL_STEPS:
                stack.enter_context(mock.patch.object(NetworkSteps, name, self._timed(getattr(NetworkSteps, name))))
            yield

    def _timed(self, step: Any) -> Any:
        def timed(*arguments: Any, **options: Any) -> Any:
            if self._inside:  # a step of a step
                return step(*arguments, **options)
            self._inside, started = True, time.perf_counter()
            try:
                return step(*arguments, **options)
            finally:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                self._inside = False
                self.seconds += time.perf_counter() - started

        return timed


def answered(service: FunctionService, name: str, body: bytes) -> Any:
    """Return the answer of a request that has to succeed."""
    reply = service.answer(name, body, "application/json")
    assert reply.status == 200, reply.body
    return reply.body


def measure_calls(service: FunctionService, clip: Clip, table: Table, label: str) -> None:
    """Add rows: milliseconds of calls and of the network in them, and the bytes that come back."""
    model = ModelTime()
    rows: dict[str, list[tuple[float, float, int, int]]] = {"start": [], "follow": [], "click": [], "click again": []}

    def call(kind: str, name: str, body: bytes) -> Any:
        model.seconds, started = 0.0, time.perf_counter()
        answer = answered(service, name, body)
        text = json.dumps(answer)
        seconds = time.perf_counter() - started
        state = len(json.dumps(answer["states"][0])) if "states" in answer else 0
        rows[kind].append((seconds, model.seconds, len(text), state))
        return answer

    with model.watched():
        states = call("start", TRACKER, clip.start())["states"]
        for frame in range(1, len(clip.images)):
            states = call("follow", TRACKER, clip.follow(frame, states))["states"]
        service.model.cache = ImageCache(512 * 2**20)  # so that the first click on each image encodes it
        for frame in range(len(clip.images)):
            call("click", INTERACTOR, clip.click(frame))
            call("click again", INTERACTOR, clip.click(frame))
    for kind, measured in rows.items():
        total, network = (1e3 * statistics.median(row[part] for row in measured) for part in (0, 1))
        beyond = 1e3 * statistics.median(row[0] - row[1] for row in measured)
        answer, state = (int(statistics.median(row[part] for row in measured)) for part in (2, 3))
        table.add_row(
            label, kind, f"{total:.0f}", f"{network:.0f}", f"{beyond:.1f}", str(answer), str(state) if state else "-"
        )


@contextlib.contextmanager
def served(service: FunctionService) -> Iterator[str]:
    """Serve on a free port while in the block."""
    server = uvicorn.Server(uvicorn.Config(FunctionServer(service, port=1).app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


def calls_a_second(service: FunctionService, clip: Clip, clients: int, calls: int) -> float:
    """Follow an object for each of several clients at once."""

    def client(url: str) -> None:
        answer = post(url, clip.start())
        for call in range(calls):
            answer = post(url, clip.follow(1 + call % (len(clip.images) - 1), answer["states"]))

    with served(service) as url, ThreadPoolExecutor(clients) as pool:
        post(url, clip.start())
        started = time.perf_counter()
        list(pool.map(client, [url] * clients))
        return clients * (calls + 1) / (time.perf_counter() - started)


def post(url: str, body: bytes) -> Any:
    """Send a request."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        return json.load(reply)


def memory_over(calls: int, console: Console) -> None:
    """Follow objects for many calls, a new one every 50 frames, and print the memory of the process on the way."""
    trunk = HieraConfig(8, 1, (1, 1, 2, 1), (2,))
    network = build_network(ModelConfig("tiny", trunk, image_size=64, memory_layers=1, memory_hidden=64))
    settings = ServiceSettings(cache_mb=4, store_mb=2)
    service = make_service(settings, StreamingPredictor(network, name="tiny"))
    clip = Clip.make((64, 96), 200)
    console.print("Memory of the process, a network of next to no size")
    states: list[Any] = []
    for call in range(calls + 1):
        if call in {calls * part // 10 for part in (1, 2, 4, 6, 8, 10)}:
            tracks, _ = service.store.size()
            held = f"{tracks} tracks, {len(service.model.cache)} images"
            console.print(f"  after {call:6d} calls {resident():6.0f} MiB, {held}")
        fresh = call % 50 == 0
        body = clip.start() if fresh else clip.follow(call % 200, states)
        states = answered(service, TRACKER, body)["states"]


def resident() -> float:
    """Return the memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--frames", type=int, default=6, help="frames of each size")
    parser.add_argument("--client-calls", type=int, default=5, help="calls of each client")
    parser.add_argument("--calls", type=int, default=1000, help="calls over which memory is watched")
    options = parser.parse_args()
    console = Console()
    service = make_service(ServiceSettings(model=options.model, device=options.device))
    columns = ("frame", "call", "ms", "ms in the network", "ms beyond", "bytes of the answer", "of the state")
    table = Table(*columns, title=f"A call, {service.model.predictor.name} on {service.model.steps.device}")
    for size in SIZES:
        measure_calls(service, Clip.make(size, options.frames), table, f"{size[1]} x {size[0]}")
    console.print(table)
    speeds = Table("clients", "calls a second", title="Over HTTP, 640 x 480, a frame each")
    clip = Clip.make(SIZES[0], options.frames)
    for clients in (1, 8):
        speeds.add_row(str(clients), f"{calls_a_second(service, clip, clients, options.client_calls):.2f}")
    console.print(speeds)
    memory_over(options.calls, console)


if __name__ == "__main__":
    main()
