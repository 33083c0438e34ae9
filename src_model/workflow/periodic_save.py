"""Saving a document now and then while it is tracked, so that a crash or a power cut costs little."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN: Final = 20.0
WORK_PER_SAVING: Final = 20.0
"""Saving may take one part in so many of the time."""


class PeriodicSave:
    """Saves a document every 20 seconds, to where a later run goes on with it.

    Parameters
    ----------
    save
        Writes the document; AnnotationFileError if that is not possible.
    tell
        Hears once why it is not; tracking goes on.
    clock
        Returns seconds since any moment.
    """

    def __init__(
        self, save: Callable[[], object], tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._save, self._tell, self._clock = save, tell, clock
        self._due = clock() + SECONDS_BETWEEN
        self._has_told = False

    def after_frame(self) -> None:
        """Save if it is time."""
        if self._clock() >= self._due:
            self.now()

    def now(self) -> None:
        """Save, and wait for the next time so long that saving takes little of it."""
        start = self._clock()
        try:
            self._save()
        except AnnotationFileError as error:
            if not self._has_told:
                self._has_told = True
                self._tell(str(error))
        end = self._clock()
        self._due = end + max(SECONDS_BETWEEN, (end - start) * WORK_PER_SAVING)
