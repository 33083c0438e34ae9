"""The tracker of a document: a session that follows the document's edits.

The document is the truth; the session inside is a cache of it that also holds what the network remembers. Before each
request the objects in question are brought to what their snapshots say, so that undo, merging, painting and loading
need no code of their own here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from src_model.document.provenance import Origin
from src_model.errors import NoPromptError
from src_model.masks import MaskletFrame
from src_model.prompts import Prompt
from src_model.tracking.click_reading import accepted_mask
from src_model.tracking.frame_features import DEFAULT_CACHE_BYTES
from src_model.tracking.object_state import state_of
from src_model.workflow.requests import FrameOutcome, PromptOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from src_model.document.snapshot import KnownMasks, ObjectSnapshot
    from src_model.frames import FrameSource, Normalization
    from src_model.masks import Rle
    from src_model.tracking import FrameResult, PromptAnswer, Session, StreamingPredictor
    from src_model.tracking.passes import Pass
    from src_model.tracking.windows.rules import WindowChoice
    from src_model.workflow.requests import PromptRequest, RepairRequest

_NO_PROMPTS: Mapping[int, Prompt | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Answer:
    """A prompt of the document and how it was answered."""

    prompt: Prompt
    outcome: PromptOutcome


class DocumentTracker:
    """Answers prompts and tracks objects of a document.

    All methods belong on one thread, which need not be the document's: they see snapshots and return plain values.

    Parameters
    ----------
    movie
        The movie that is annotated.
    load_predictor
        Called once, when the first request comes.
    normalization
        How pixel values become 0..1; decided from the movie if left out.
    cache_bytes
        Memory for image features.
    cache_dir
        Folder in which image features are kept for the sessions of other days.
    window
        As in :meth:`StreamingPredictor.start <src_model.tracking.predictor.StreamingPredictor.start>`.
    """

    def __init__(
        self,
        movie: FrameSource,
        load_predictor: Callable[[], StreamingPredictor],
        *,
        normalization: Normalization | None = None,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        cache_dir: Path | None = None,
        window: WindowChoice | None = None,
    ) -> None:
        self._movie = movie
        self._load_predictor = load_predictor
        self._normalization = normalization
        self._cache_bytes = cache_bytes
        self._cache_dir = cache_dir
        self._window = window
        self._predictor: StreamingPredictor | None = None
        self._session: Session | None = None
        self._answers: dict[tuple[int, int], _Answer] = {}
        self._masks: dict[int, KnownMasks] = {}  # read before, by object: they need not be read again

    @classmethod
    def of(cls, session: Session, predictor: StreamingPredictor) -> DocumentTracker:
        """Return a tracker with a session that is there already, which the predictor started."""
        tracker = cls(session.movie, lambda: predictor, normalization=session.normalization)
        tracker._session = session
        return tracker

    @property
    def is_started(self) -> bool:
        """Whether anything was asked of it yet; before that it holds nothing."""
        return self._session is not None

    @property
    def predictor(self) -> StreamingPredictor:
        """The network; loaded when it is first asked for."""
        if self._predictor is None:
            self._predictor = self._load_predictor()
        return self._predictor

    @property
    def session(self) -> Session:
        """The session inside; the network is loaded when it is first asked for."""
        if self._session is None:
            self._session = self._start()
        return self._session

    def prepare(self, frame: int) -> None:
        """Load the network and look at a frame, so that the first prompt on it is answered at once.

        Raises
        ------
        DamagedFrameError, FrameRangeError
            If the frame cannot be read; the network is loaded then.
        """
        self.session.features(frame)

    def answer(self, request: PromptRequest) -> PromptOutcome:
        """Answer the prompt that an object has on a frame.

        Clicks that only add to what was answered before refine that answer; otherwise all of the prompt is answered
        anew. On a frame that was tracked, the object's memory and the mask to be corrected count too; for the first
        click on an object, the size of others does.

        Raises
        ------
        NoPromptError
            If the object has no prompt on the frame.
        PromptError, FrameRangeError
            If the prompt does not fit the movie.
        DamagedFrameError
            If the frame cannot be read; the message names the nearest ones that can.
        """
        known, frame = request.known, request.frame
        prompt = known.prompts.get(frame)
        if prompt is None or prompt.is_empty:
            raise NoPromptError(f"object {known.object_id} has no prompt on frame {frame}; click, draw a box or paint")
        held = known.mask(frame)
        is_answered = held is not None and held.origin is Origin.PROMPTED
        earlier = self._answers.get((known.object_id, frame)) if is_answered else None
        self._restore(known, {frame: None if earlier is None else earlier.prompt})
        added = 0 if earlier is None else _clicks_added(earlier.prompt, prompt)
        if added:
            clicks = Prompt(prompt.points[-added:], prompt.labels[-added:])
            prompted = self.session.answer(frame, known.object_id, clicks)
        else:
            alike = _accepted_masks(request)
            prompted = self.session.answer(frame, known.object_id, prompt, replace=is_answered, alike=alike)
        outcome = _outcome(prompted)
        self._answers[known.object_id, frame] = _Answer(prompt, outcome)
        return outcome

    def propagate(self, known: Iterable[ObjectSnapshot], passes: Iterable[Pass]) -> Iterator[FrameOutcome]:
        """Track objects; closing the generator keeps every finished frame.

        Parameters
        ----------
        known
            The objects, each with an answered prompt.
        passes
            Which of them are tracked through which frames, one after the other. Each goes on from what those before it
            found.

        Raises
        ------
        NoPromptError, FrameRangeError
            Before anything is computed.
        """
        by_id = {each.object_id: each for each in known}
        for each in by_id.values():
            self._restore(each)
        planned = list(passes)
        ways = [
            self.session.propagate(each.frames.start, each.stop, reverse=each.reverse, objects=each.objects)
            for each in planned
        ]
        return (
            _tracked(result, by_id, reverse=each.reverse)
            for each, results in zip(planned, ways, strict=True)
            for result in results
        )

    def follow(self, known: Iterable[ObjectSnapshot], gone: Iterable[int] = ()) -> None:
        """Take over edits of objects that are being tracked; what :meth:`propagate` gives from then on knows of them.

        Parameters
        ----------
        known
            Objects as they are now.
        gone
            Ids of objects that were deleted.
        """
        for each in known:
            self._restore(each)
        self.forget(gone)

    def forget(self, object_ids: Iterable[int]) -> None:
        """Let go of objects that were deleted, with everything held of them; where deleting is undone, they come anew.

        Parameters
        ----------
        object_ids
            Ids, of objects that were never tracked too.
        """
        gone = set(object_ids)
        for object_id in gone:
            self._masks.pop(object_id, None)
        self._answers = {key: answer for key, answer in self._answers.items() if key[0] not in gone}
        if self._session is not None:
            for object_id in gone & self._session.objects.keys():
                self._session.remove_object(object_id)

    def repair(self, request: RepairRequest) -> Iterator[FrameOutcome]:
        """Track an object again around a corrected frame.

        Raises
        ------
        NoPromptError
            If the object has no answered prompt on the frame.
        """
        known = request.known
        self._restore(known)
        results = self.session.repair(request.frame, known.object_id, direction=request.direction)
        by_id = {known.object_id: known}
        return (_tracked(result, by_id, reverse=result.frame < request.frame) for result in results)

    def _start(self) -> Session:
        return self.predictor.start(
            self._movie,
            normalization=self._normalization,
            cache_bytes=self._cache_bytes,
            cache_dir=self._cache_dir,
            window=self._window,
        )

    def _restore(self, known: ObjectSnapshot, prompts: Mapping[int, Prompt | None] = _NO_PROMPTS) -> None:
        """Bring an object of the session to its snapshot, with other ``prompts`` on some frames (None: none)."""
        self._follow_choice(known)
        wanted = {**known.prompts, **prompts}
        masks = known.masks(self._masks.setdefault(known.object_id, {}))
        kept = {frame: prompt for frame, prompt in wanted.items() if prompt is not None}
        self.session.restore(state_of(known, masks, kept))

    def _follow_choice(self, known: ObjectSnapshot) -> None:
        """Take the candidate that was chosen in the document, while the network still knows it exactly."""
        item = self.session.objects.get(known.object_id)
        if item is None or item.last_answer is None:
            return
        frame = item.last_answer.frame
        entry, answer = known.mask(frame), self._answers.get((known.object_id, frame))
        if entry is None or answer is None or entry.mask == item.masklet.mask_at(frame):
            return
        for index, candidate in enumerate(answer.outcome.candidates):
            if candidate.mask == entry.mask:
                self.session.choose(frame, known.object_id, index)
                return


def _clicks_added(earlier: Prompt, prompt: Prompt) -> int:
    """Count the clicks that ``prompt`` has after those of ``earlier``; 0 if it differs in anything else."""
    count = len(earlier.points)
    same = (earlier.box, earlier.mask, earlier.points, earlier.labels) == (
        prompt.box, prompt.mask, prompt.points[:count], prompt.labels[:count],
    )  # fmt: skip
    return len(prompt.points) - count if same else 0


def _accepted_masks(request: PromptRequest) -> Iterator[Rle]:
    """Read a mask of each object of the kind, when it is wanted."""
    for other in request.alike:
        mask = accepted_mask(other.prompts, partial(_mask_of, other), request.frame)
        if mask is not None:
            yield mask


def _mask_of(known: ObjectSnapshot, frame: int) -> Rle | None:
    entry = known.mask(frame)
    return None if entry is None else entry.mask


def _outcome(answer: PromptAnswer) -> PromptOutcome:
    candidates = tuple(MaskletFrame(each.rle, each.score, answer.object_score) for each in answer.candidates)
    return PromptOutcome(answer.object_id, answer.frame, candidates, answer.chosen)


def _tracked(result: FrameResult, known: Mapping[int, ObjectSnapshot], *, reverse: bool) -> FrameOutcome:
    masks = {
        object_id: MaskletFrame(mask, result.scores[object_id], result.object_scores[object_id])
        for object_id, mask in result.rles.items()
        if not _is_kept(known[object_id], result.frame)
    }
    return FrameOutcome(result.frame, masks, reverse, result.damaged)


def _is_kept(known: ObjectSnapshot, frame: int) -> bool:
    return frame in known.frames and (frame in known.fixed or frame in known.prompts)
