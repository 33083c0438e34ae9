"""A controller on a small movie with a small network, and a host's thread that tests turn by hand."""

from __future__ import annotations

import queue
import time

from napari_sam2v.controllers import AnnotationController
from napari_sam2v.layers.prompt_types import PromptEdit
from src_model.document import Annotation, MovieIdentity
from src_model.frames import open_movie
from src_model.frames.source import is_frame_source
from tests.tracking import tiny


class Host:
    """The thread of a host: calls wait here until the test has them made."""

    def __init__(self):
        self._calls = queue.Queue()

    def post(self, call):
        self._calls.put(call)

    def turn(self, until, seconds=60):
        """Make calls as they come until ``until()`` is true."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "this took too long"
            try:
                self._calls.get(timeout=0.02)()
            except queue.Empty:
                continue


class HeadlessUser:
    """A person at a controller: does things, waits until they are done, and hears of problems."""

    def __init__(self, predictor, movie=None, load=None, *, loads_early=False):
        movie = tiny.make_movie() if movie is None else movie
        self.host = Host()
        self.loads = 0
        self.predictor = predictor
        self.controller = AnnotationController(self.host.post, loads_early=lambda: loads_early)
        self.controller.use_model(load or self._load)
        self.problems = []
        self.controller.events.problem.connect(self.problems.append)
        source = movie if is_frame_source(movie) else open_movie(movie)
        self.document = Annotation(MovieIdentity.of(source))
        self.controller.open(self.document, source)

    def _load(self):
        self.loads += 1
        return self.predictor

    def wait(self):
        """Turn the host's thread until the worker has nothing to do and all it posted is done."""
        self.host.turn(lambda: not self.controller.worker.is_busy() and self.host._calls.empty())

    def click(self, *points, labels=None, frame=0, object_id=None, wait=True):
        """Have these clicks, and no others, on a frame."""
        number = self.controller.prompted_id if object_id is None else object_id
        self.controller.show_frame(frame)
        self.controller.prompts.edit(
            PromptEdit(number, frame, "points", tuple(map(tuple, points)), tuple(labels or [1] * len(points)))
        )
        if wait:
            self.wait()
        return number

    def frames(self, object_id=1):
        return sorted(self.document.masklet(object_id).entries())
