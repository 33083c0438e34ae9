"""The review queue of the open document: found in the background, gone through and answered one event at a time."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from psygnal import Signal, SignalGroup

from napari_sam2v.controllers.background_tasks import BackgroundTasks
from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.view_state import ReviewRow
from src_model.errors import Sam2vError
from src_model.workflow.review import ReviewEvent, ReviewQueue, accept, reject

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.controllers.worker import Post
    from src_model.document import Action, Annotation, DocumentView

_NOTHING = "Nothing is doubtful: what was tracked looks right, or was confirmed."


class ReviewSignals(SignalGroup):
    """Signals of the review, emitted on the main thread.

    Attributes
    ----------
    changed
        What is doubtful changed, or what is looked at.
    shown
        An event is to be brought into view: the `ReviewEvent`.
    """

    changed = Signal()
    shown = Signal(object)


class ReviewController:
    """Goes through what is doubtful in the open document. All methods belong on the main thread.

    Parameters
    ----------
    controller
        Holds the document, and takes the steps on it.
    post
        Has functions called on the main thread, from any thread.

    Attributes
    ----------
    current
        The event that is looked at, or was looked at last; None before the first.
    """

    def __init__(self, controller: AnnotationController, post: Post) -> None:
        self.signals = ReviewSignals()
        self.current: ReviewEvent | None = None
        self._controller = controller
        self._tasks = BackgroundTasks(post, lambda _: None, controller.report_error, name="sam2v review")
        self._document: Annotation | None = None
        self._queue = ReviewQueue()
        self._found: tuple[ReviewEvent, ...] = ()
        self._revision: int | None = None  # of the document when it was looked at last
        self._wanted: int | None = None  # the step that waits for the first look
        controller.events.document.connect(self._on_document)

    def close(self) -> None:
        """Stop looking."""
        self._tasks.close()

    @property
    def is_looking(self) -> bool:
        """Whether the document is being looked at."""
        return self._tasks.is_running

    @property
    def events(self) -> list[ReviewEvent]:
        """What is doubtful about the objects that are shown, the worst first."""
        objects = {} if self._document is None else self._document.objects
        return [event for event in self._found if event.object_id in objects and objects[event.object_id].visible]

    def rows(self) -> list[ReviewRow]:
        """Describe the events, in their order."""
        objects = {} if self._document is None else self._document.objects
        return [
            ReviewRow(
                rgb(objects[event.object_id].color),
                f"{objects[event.object_id].title}, {_frames(event)}: {event.kind}",
                f"{event.worst.why} (frame {event.frame}; {event.score:.2f})",
            )
            for event in self.events
        ]

    def refresh(self) -> None:
        """Look at the document as it is now, in the background; a look that is under way is given up."""
        document, queue = self._document, self._queue
        if document is None or self._revision == document.revision:
            return
        view, revision = document.snapshot(), document.revision
        self._tasks.replace(
            "review",
            "",
            lambda _report, is_stopped: queue.update(view, is_stopped),
            lambda found: self._take(revision, found),
        )

    def step(self, by: int) -> None:
        """Bring the next event (1) or the one before (-1) into view; from the last one on to the first."""
        found = self.events
        if found:
            self._show(found[self._place(found, by)])
        elif self._document is not None and self._revision != self._document.revision:
            self._wanted = by
            self._controller.events.notice.emit("Looking for what is doubtful in the whole movie")
            self.refresh()
        else:
            self._controller.events.notice.emit(_NOTHING)

    def choose(self, place: int) -> None:
        """Bring an event into view, by its place in the list."""
        found = self.events
        if 0 <= place < len(found):
            self._show(found[place])

    def accept(self) -> None:
        """Say that the event that is looked at is right, and go on to the next one."""
        self._answer(accept)

    def reject(self) -> None:
        """Say that the event that is looked at is wrong, and go on to the next one."""
        self._answer(reject)

    def _answer(self, answer: Callable[[ReviewEvent, DocumentView], Action]) -> None:
        event, document = self.current, self._document
        if document is None or event is None or event not in self.events:
            self.step(1)  # nothing is looked at: show what would be answered
            return
        if not event.start <= self._controller.frame < event.stop:
            self._show(event)  # nobody answers what is out of sight
            return
        try:
            action = answer(event, document)
        except Sam2vError as error:
            self._controller.report_error(error)
            return
        if self._controller.do(action) is not None:
            self._found = tuple(each for each in self._found if each != event)  # until all is looked at again
            self.signals.changed.emit()
            if self.events:
                self.step(1)

    def _place(self, found: list[ReviewEvent], by: int) -> int:
        if self.current is None:
            return 0 if by > 0 else len(found) - 1
        orders = [event.order for event in found]
        place = bisect_left(orders, self.current.order)
        is_there = place < len(found) and orders[place] == self.current.order
        return (place + (1 if is_there else 0) if by > 0 else place - 1) % len(found)

    def _show(self, event: ReviewEvent) -> None:
        self.current = event
        self.signals.changed.emit()
        self.signals.shown.emit(event)

    def _take(self, revision: int, found: tuple[ReviewEvent, ...]) -> None:
        document, wanted = self._document, self._wanted
        if document is None or document.revision != revision:
            return  # it was changed meanwhile, and is looked at again
        self._found, self._revision, self._wanted = found, revision, None
        if self.current is not None:
            self.current = next((event for event in found if event.is_same(self.current)), self.current)
        self.signals.changed.emit()
        if wanted is not None:
            self.step(wanted)

    def _on_document(self) -> None:
        self._tasks.cancel("review")
        self._document, self._queue = self._controller.document, ReviewQueue()
        self._found, self.current, self._revision, self._wanted = (), None, None, None
        self.signals.changed.emit()


def _frames(event: ReviewEvent) -> str:
    last = event.stop - 1
    return f"frame {event.start:,}" if last == event.start else f"frames {event.start:,}\u2013{last:,}"
