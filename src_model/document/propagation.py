"""An open propagation: frames arrive one by one, are seen at once, and become one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from src_model.document.actions.propagation import PropagateSpan
from src_model.masks import MaskletFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from src_model.document.actions.base import Skipped
    from src_model.masks import Rle


class TrackedFrame(Protocol):
    """One frame's answer of a tracker, such as :class:`src_model.tracking.FrameResult`; values by object id."""

    @property
    def frame(self) -> int:
        """Frame number."""

    @property
    def rles(self) -> Mapping[int, Rle]:
        """Masks."""

    @property
    def scores(self) -> Mapping[int, float]:
        """Predicted IoU."""

    @property
    def object_scores(self) -> Mapping[int, float]:
        """Probability that the object is in the frame."""


class OpenPropagation:
    """Takes tracked frames into the document; made by ``Annotation.propagation``.

    As a context it closes itself however its block ends, and what arrived until then is one step. After another edit
    meanwhile, what arrives later becomes another step, so that undo takes things back in the order
    in which they happened. Undo, redo and ``go_to`` close the whole propagation: what still arrives is refused.

    Attributes
    ----------
    label
        What the step is called.
    reverse, keep_edited
        As in :class:`~src_model.document.PropagateSpan`.
    skipped
        Everything left as it was so far, because it is locked or painted by hand.
    step
        Number of the step that frames become part of; None before the first.
    """

    def __init__(
        self,
        take: Callable[[PropagateSpan], tuple[Skipped, ...]],
        closed: Callable[[], None],
        label: str,
        *,
        reverse: bool,
        keep_edited: bool,
    ) -> None:
        self.label = label
        self.reverse = reverse
        self.keep_edited = keep_edited
        self.skipped: list[Skipped] = []
        self._take = take
        self._closed = closed
        self.step: int | None = None
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether frames are still taken."""
        return self._is_open

    def add(self, frame: int, masks: Mapping[int, MaskletFrame]) -> tuple[Skipped, ...]:
        """Take one frame's masks, by object id; return what was left as it was. Nothing happens once closed.

        Raises
        ------
        FrameRangeError, MaskError
            If a mask does not fit the movie; no mask of the frame is taken then.
        """
        if not self._is_open:
            return ()
        by_frame = {object_id: {frame: entry} for object_id, entry in masks.items()}
        skipped = self._take(PropagateSpan(by_frame, self.reverse, self.keep_edited))
        self.skipped.extend(skipped)
        return skipped

    def add_result(self, result: TrackedFrame) -> tuple[Skipped, ...]:
        """Take what a tracker answered for one frame, as :meth:`add` does."""
        masks = {
            object_id: MaskletFrame(rle, result.scores[object_id], result.object_scores[object_id])
            for object_id, rle in result.rles.items()
        }
        return self.add(result.frame, masks)

    def close(self) -> None:
        """Take no more frames."""
        if self._is_open:
            self._is_open = False
            self._closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
