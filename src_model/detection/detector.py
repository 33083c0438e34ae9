"""What a detector is: a frame and a query go in, detections come out.

Everything that proposes objects is one: automatic masks, and what searches by example or by words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from src_model.frames import Normalization
    from src_model.masks import Box, Detection, Rle


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An object that shows what is looked for, or what is not.

    Attributes
    ----------
    image
        The frame in which it lies, ``(Y, X)`` or ``(Y, X, 3)``; may be one of another movie.
    mask
        ``(Y, X)`` of that image: where the object is.
    normalization
        How values of that image become 0 to 1; None: decided from the image.
    wanted
        Whether objects like it are looked for; False: they are none of them.
    """

    image: ArrayLike
    mask: Rle
    normalization: Normalization | None = None
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for in a frame; where neither words nor examples are given, everything.

    Attributes
    ----------
    words
        Kinds of objects, as in ``("dividing cell", "debris")``. A detection says in its label which of them it is.
    examples
        Objects like which others are looked for.
    region
        ``(y0, x0, y1, x1)`` in pixels: only objects that lie in it as a whole are looked for. None: the whole frame.
    where
        ``(Y, X)`` of the frame, True where objects may begin: what lies wholly outside is not looked for, and takes no
        time. None: everywhere.
    """

    words: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    region: Box | None = None
    where: Rle | None = None

    @property
    def asks_for_everything(self) -> bool:
        """Whether all objects are looked for, of whatever kind."""
        return not self.words and not self.examples


EVERYTHING = Query()


class Detector(Protocol):
    """Proposes objects in a frame.

    The document takes them with :class:`~src_model.document.AddDetections`, as one step, and the tracker follows them.
    """

    @property
    def name(self) -> str:
        """What it is called in an undo menu and in the log of events, as in ``"automatic masks"``."""

    def detect(
        self,
        image: ArrayLike,
        query: Query = EVERYTHING,
        normalization: Normalization | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Sequence[Detection]:
        """Find what is asked for, each object once and the best first.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``; what :meth:`FrameSource.read <src_model.frames.FrameSource.read>` gives.
        query
            What is looked for, and where.
        normalization
            How pixel values become 0 to 1, the session's in a movie; decided from the whole image if left out.
        progress
            Told how many steps are done, and of how many; a step is a second or so.
        cancelled
            Asked before each step whether to stop.

        Raises
        ------
        PromptError
            If it cannot look for what is asked.
        MovieError
            If this is no image.
        MaskError
            If the region leaves the image, or ``where`` is of another shape.
        StoppedError
            If ``cancelled`` said so.
        """
