"""Who listens to a document listens to one at a time: the one that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from src_model.document import Annotation


class DocumentListener:
    """Connects slots to the signals of the document that is open, and lets go of the one before.

    Parameters
    ----------
    slots
        What is called, by the name of the signal of :class:`~src_model.document.events.AnnotationEvents`.

    Attributes
    ----------
    document
        The document that is listened to; None: none.
    """

    def __init__(self, slots: Mapping[str, Callable[..., Any]]) -> None:
        self.document: Annotation | None = None
        self._slots = slots

    def listen(self, document: Annotation | None) -> None:
        """Listen to another document, or to none."""
        if self.document is not None:
            for name, slot in self._slots.items():
                self.document.events[name].disconnect(slot, missing_ok=True)
        if document is not None:
            for name, slot in self._slots.items():
                document.events[name].connect(slot)
        self.document = document
