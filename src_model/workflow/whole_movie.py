"""Track all: the job that finds every object of a movie and tracks all of them together, with divisions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document import AnnotatedObject, Division, Origin, Patch
from src_model.document.actions.base import ActionPlan
from src_model.document.division_scores import division_scores, with_division_scores
from src_model.document.project import Settings
from src_model.document.snapshot import snapshots_of
from src_model.prompts import Prompt
from src_model.workflow.finding import Finder
from src_model.workflow.job import Edits, TrackingJob, answer_prompts, run_job
from src_model.workflow.movie_follower import MovieFollower
from src_model.workflow.movie_outcome import MovieOutcome, WholeMovieOptions
from src_model.workflow.summing_up import movie_summary
from src_model.workflow.two_in_one import TwoInOne

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from src_model.detection import Detector
    from src_model.document import AnnotatedFrame, Annotation, DocumentView
    from src_model.document.event_log import EventKind
    from src_model.document.snapshot import ObjectSnapshot
    from src_model.document.state import State
    from src_model.workflow.document_tracker import DocumentTracker
    from src_model.workflow.movie_outcome import Beginning, Doubt, Ending, FoundDivision
    from src_model.workflow.progress import RunProgress
    from src_model.workflow.requests import FrameOutcome

LABEL = "Find and track all"
_SETTING = "whole_movie"


@dataclass(slots=True)
class WholeMovieReport:
    """What was found out about a movie besides its masks, in the order of frames.

    Attributes
    ----------
    beginnings, endings
        Which objects begin and end, where and why.
    divisions
        Those that are marked in the document.
    suggestions
        Divisions that are less sure. The document keeps them with their scores, beside those of the marked ones.
    doubts
        Masks that were dropped.
    """

    beginnings: list[Beginning] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    divisions: list[FoundDivision] = field(default_factory=list)
    suggestions: list[FoundDivision] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        begun, ended = (Counter(each.reason for each in every) for every in (self.beginnings, self.endings))
        parts = [
            f"{begun['first frame']} objects on the first frame",
            f"{len(self.divisions)} divisions",
            f"{len(self.suggestions)} more suggested",
            f"{begun['edge']} came in at the edge and {begun['appeared']} elsewhere",
            f"{ended['edge']} left at the edge and {ended['lost']} were lost",
            f"{len(self.doubts)} masks dropped",
        ]
        return ", ".join(parts) + "."

    def add(self, outcome: MovieOutcome) -> None:
        """Take what was found out on a frame."""
        self.beginnings += outcome.beginnings
        self.endings += outcome.endings
        self.divisions += [each for each in outcome.divisions if each.is_marked]
        self.suggestions += [each for each in outcome.divisions if not each.is_marked]
        self.doubts += outcome.doubts


class WholeMovieJob(TrackingJob):
    """One run over a whole movie; all it does is one step of the history, unless a person edits meanwhile.

    Made by :meth:`begin`, run by :func:`~src_model.workflow.run_job`, stopped by closing that. What a person painted,
    prompted or locked stays. A run on a document in which this was stopped goes on behind its last tracked frame.

    Attributes
    ----------
    report
        What was found out so far.
    """

    def __init__(
        self,
        annotation: Annotation,
        frames: range,
        work: Callable[[DocumentTracker], Iterator[FrameOutcome]],
        tracked_before: int = 0,
    ) -> None:
        super().__init__(annotation, (), len(frames), LABEL, work, tracked_before)
        self.report = WholeMovieReport()
        self._refused: set[int] = set()
        self._told: frozenset[int] = frozenset()  # of those that were refused

    @classmethod
    def begin(
        cls,
        annotation: Annotation,
        options: WholeMovieOptions | None = None,
        *,
        detector: Detector | None = None,
    ) -> WholeMovieJob:
        """Begin with what the document holds; its prompts are answered before, as by :func:`answer_prompts`.

        Parameters
        ----------
        annotation
            The document.
        options
            Which frames, how often new objects are looked for, and what is made of divisions.
        detector
            What finds objects; automatic masks if left out.

        If all is tracked already, the job is over at once.
        """
        tracked = _last_tracked(annotation)
        chosen = options or WholeMovieOptions()
        wanted = chosen.frames or range(annotation.movie.length)
        left = wanted if tracked is None else range(max(wanted.start, tracked + 1), wanted.stop)
        known = snapshots_of(annotation, _going_on(annotation, left.start, chosen.patience))
        next_id = annotation.next_id()

        def work(tracker: DocumentTracker) -> Iterator[FrameOutcome]:
            if left:
                yield from follower(tracker, known, chosen, detector, next_id).run(left, look_first=tracked is None)

        return cls(annotation, left, work, len(wanted) - len(left))

    @property
    def summary(self) -> str:
        """What the movie holds, and what this run found, in sentences."""
        return self.summary_of(self.annotation)

    def summary_of(self, document: DocumentView) -> str:
        """Say so of the document or a snapshot of it, for hosts that cannot wait: all its frames are gone through."""
        since = "Since it was gone on with: " if self.tracked_before else ""
        return f"{movie_summary(document)} {since}{self.report.summary}"

    def take(self, outcome: FrameOutcome) -> RunProgress:
        """Take a frame into the document, on its thread, with all that begins, ends and divides on it."""
        assert isinstance(outcome, MovieOutcome), "this job makes no others"
        if self.is_open:
            self._take_changes(outcome)
            self.report.add(outcome)
        masks = {number: mask for number, mask in outcome.masks.items() if number not in self._refused}
        return super().take(replace(outcome, masks=masks))

    @property
    def has_edits(self) -> bool:
        """Whether something was edited, or the number of an object was taken by a person."""
        return super().has_edits or not self._refused <= self._told

    def edits(self) -> Edits:
        """Return what was edited since this was asked last; objects whose number a person took are gone."""
        edits = super().edits()
        self._told = frozenset(self._refused)
        return Edits(edits.known, edits.gone | self._refused)

    def _take_changes(self, outcome: MovieOutcome) -> None:
        there = self.annotation.objects.keys()
        self._refused |= {each.object_id for each in outcome.beginnings} & there
        patch = _patch_of(self.annotation, outcome, self._refused)
        project = self.annotation.project
        settings = _settings_of(project.settings, outcome, self._refused)
        patch = replace(patch, project=replace(project, settings=settings))
        self._is_taking = True
        try:
            done = self.annotation.do(_TakeChanges(patch), join=self._opened.step)
        finally:
            self._is_taking = False
        if done.step is not None:
            self._opened.step = done.step
        self.objects = tuple(dict.fromkeys((*self.objects, *outcome.masks, *self.annotation.objects.keys() - there)))


@dataclass(frozen=True, slots=True)
class _TakeChanges:
    """What begins, ends and divides on a frame."""

    patch: Patch

    label: ClassVar[str] = LABEL
    event: ClassVar[EventKind] = "track"

    def plan(self, state: State) -> ActionPlan:
        """Take it all."""
        return ActionPlan(self.patch)


def track_all(
    annotation: Annotation,
    tracker: DocumentTracker,
    options: WholeMovieOptions | None = None,
    *,
    detector: Detector | None = None,
    progress: Callable[[RunProgress], object] | None = None,
) -> WholeMovieReport:
    """Find every object of a movie and track all of them forward, as one step of the document.

    Parameters
    ----------
    annotation
        The document. Objects that it has are tracked along; those prompted on a later frame join there.
    tracker
        Its tracker.
    options
        How often new objects are looked for, and what is made of divisions.
    detector
        What finds objects; automatic masks if left out.
    progress
        Told after each frame; what it raises stops the run, and what was done stays.
    """
    answer_prompts(annotation, tracker)
    job = WholeMovieJob.begin(annotation, options, detector=detector)
    for now in run_job(job, tracker):
        if progress is not None:
            progress(now)
    return job.report


def follower(
    tracker: DocumentTracker,
    known: tuple[ObjectSnapshot, ...],
    options: WholeMovieOptions,
    detector: Detector | None,
    next_id: int,
) -> MovieFollower:
    """Bring the session of a tracker to what is known, and return what goes through the movie with it."""
    tracker.follow(known)
    finder, two_in_one = Finder(tracker.predictor, detector), TwoInOne(tracker.predictor)
    return MovieFollower(tracker.session, finder, options, known, next_id, two_in_one)


def is_whole_movie(document: DocumentView) -> bool:
    """Whether a job over the whole movie made the objects of a document; no other can go on with it."""
    return document.project.settings.get(_SETTING) is True


def _last_tracked(document: DocumentView) -> int | None:
    """Return the last frame that a run over the movie came to; None where there was none."""
    if not is_whole_movie(document):
        return None  # what was tracked object by object tells nothing of how far the others were looked for
    return max(
        (s.frame for n in document.objects for s in document.frame_states(n) if s.origin and s.origin.is_tracked),
        default=None,
    )


def _going_on(document: DocumentView, start: int, patience: int) -> list[int]:
    """Return the objects that are seen on a frame, later, or shortly before, and have not divided before."""
    going_on = []
    for number in document.objects:
        divided = document.divisions.get(number)
        is_seen = any(each.frame >= start - patience and not each.absent for each in document.frame_states(number))
        if is_seen and (divided is None or divided.frame > start):
            going_on.append(number)
    return going_on


def _tracked_from(document: DocumentView, number: int, frame: int) -> list[int]:
    """Return the frames from one on on which an object was tracked, and no person painted or locked it."""
    states = (each for each in document.frame_states(number) if each.frame >= frame and not each.locked)
    return [each.frame for each in states if each.origin is not None and each.origin is not Origin.EDITED]


def _settings_of(settings: Settings, outcome: MovieOutcome, refused: set[int]) -> Settings:
    """Say that the run over the movie came here, and how sure the divisions are that it found."""
    found = [each for each in outcome.divisions if not refused.intersection((each.parent, *each.daughters))]
    whole = settings if settings.get(_SETTING) is True else Settings({**settings, _SETTING: True})
    return with_division_scores(whole, (*division_scores(whole), *found)) if found else whole


def _patch_of(document: DocumentView, outcome: MovieOutcome, refused: set[int]) -> Patch:
    """Say what happened on a frame as new values of the document's cells."""
    objects: dict[int, AnnotatedObject | None] = {}
    masks: dict[int, dict[int, AnnotatedFrame | None]] = {}
    prompts: dict[int, dict[int, Prompt | None]] = {}
    divisions: dict[int, Division | None] = {}
    for each in outcome.beginnings:
        if each.object_id not in refused:
            objects[each.object_id] = AnnotatedObject(
                each.object_id, note=f"begins on frame {each.frame}: {each.reason}"
            )
            masks[each.object_id] = dict(each.masks)
            prompts[each.object_id] = {each.prompted: Prompt(mask=each.masks[each.prompted].mask)}
    there = document.objects
    for number, entry in outcome.found_again.items():
        if number in there and not document.is_locked(number, outcome.frame):
            masks.setdefault(number, {})[outcome.frame] = entry
            prompts.setdefault(number, {})[outcome.frame] = Prompt(mask=entry.mask)
    for found in outcome.divisions:
        if found.is_marked and found.parent in there and not refused.intersection(found.daughters):
            divisions[found.parent] = Division(found.parent, found.frame, found.daughters)
            later = _tracked_from(document, found.parent, found.frame)
            masks[found.parent] = dict.fromkeys(later)
    for ending in outcome.endings:
        info = objects.get(ending.object_id) or there.get(ending.object_id)
        if info is not None:
            text = f"ends on frame {ending.frame}: {ending.reason}"
            objects[ending.object_id] = replace(info, note="; ".join(filter(None, (info.note, text))))
    return Patch(objects=objects, masks=masks, prompts=prompts, divisions=divisions)
