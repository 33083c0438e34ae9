"""Reading and writing files beside the work: a thread of its own, with progress, that can be stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from src_model.errors import BusyError, Sam2vError, StoppedError
from src_model.workflow.progress import RunProgress

if TYPE_CHECKING:
    from napari_sam2v.controllers.worker import Post

_logger = logging.getLogger(__name__)
_TELL_SECONDS = 0.1


class BackgroundTasks:
    """Runs one task at a time.

    Parameters
    ----------
    post
        Brings calls to the host's thread.
    shown
        Takes how far it is, on the host's thread; None when it has ended.
    told
        Takes an error for the user, on the host's thread.
    """

    def __init__(
        self, post: Post, shown: Callable[[RunProgress | None], None], told: Callable[[Exception], None]
    ) -> None:
        self._post, self._shown, self._told = post, shown, told
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._text, self._must_finish = "", False
        self._ended: Callable[[], None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._thread is not None

    def run(
        self,
        text: str,
        work: Callable[[Callable[[int, int], None], Callable[[], bool]], Any],
        done: Callable[[Any], None],
        *,
        must_finish: bool = False,
    ) -> bool:
        """Begin an task; while another is under way the user is told so, and False returned.

        Parameters
        ----------
        text
            What it is, in words.
        work
            Called on the thread with a function to tell progress to, (done, total), and one that says whether to stop.
        done
            Takes what ``work`` returns, on the host's thread.
        must_finish
            Whether `close` waits for its end and hands over what it returned, however long that takes.
        """
        if self._thread is not None:
            self._told(BusyError(f"'{self._text}' is under way: wait for its end or stop it, then try again"))
            return False
        self._cancel.clear()
        self._text, self._must_finish = text, must_finish
        self._shown(RunProgress(0, 0, text=text))
        self._thread = threading.Thread(target=self._serve, args=(text, work, done), name="sam2v files", daemon=True)
        self._thread.start()
        return True

    def cancel(self) -> None:
        """Stop what is under way; nothing is left half done."""
        self._cancel.set()

    def close(self, timeout: float = 10.0) -> None:
        """Stop, and wait for it, at most so many seconds if it need not finish."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(None if self._must_finish else timeout)
        if self._must_finish and self._ended is not None:
            self._ended()  # the host's thread may not come to it any more

    def _serve(self, text: str, work: Callable[..., Any], done: Callable[[Any], None]) -> None:
        told = time.monotonic()

        def progress(count: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                self._post(lambda: self._show(RunProgress(count, total, text=text)))

        try:
            result = work(progress, self._cancel.is_set)
        except StoppedError:
            then = _nothing
        except Exception as error:
            if not isinstance(error, Sam2vError):
                _logger.exception("%s failed", text)
            then = partial(self._told, error)
        else:
            then = partial(done, result)
        self._ended = lambda: self._end(then)
        self._post(self._ended)

    def _show(self, progress: RunProgress) -> None:
        if self._thread is not None:
            self._shown(progress)

    def _end(self, then: Callable[[], None]) -> None:
        if self._ended is None:  # handed over already
            return
        self._thread = self._ended = None
        self._shown(None)
        then()


def _nothing() -> None:
    return None
