"""The job that tracks a movie: a document, a model and a request in, frames and progress out; for every host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.document.snapshot import ObjectSnapshot, snapshot_of, snapshots_of
    from src_model.workflow.document_tracker import DocumentTracker
    from src_model.workflow.finding import find_all, find_request, look_for
    from src_model.workflow.job import Edits, TrackingJob, answer_prompts, run_job, start_over
    from src_model.workflow.movie_outcome import Beginning, Doubt, Ending, FoundDivision, WholeMovieOptions
    from src_model.workflow.periodic_save import PeriodicSave
    from src_model.workflow.plan import Direction, TrackPlan, TrackRequest, plan_tracking
    from src_model.workflow.progress import RunProgress
    from src_model.workflow.requests import (
        FindRequest,
        FrameOutcome,
        PromptOutcome,
        PromptRequest,
        RepairRequest,
        prompt_request,
    )
    from src_model.workflow.summing_up import movie_summary
    from src_model.workflow.whole_movie import WholeMovieJob, WholeMovieReport, is_whole_movie, track_all
    from src_model.workflow.whole_session import find_objects, track_movie

_HOMES = {
    "src_model.document.snapshot": ("ObjectSnapshot", "snapshot_of", "snapshots_of"),
    "src_model.workflow.document_tracker": ("DocumentTracker",),
    "src_model.workflow.finding": ("find_all", "find_request", "look_for"),
    "src_model.workflow.job": ("Edits", "TrackingJob", "answer_prompts", "run_job", "start_over"),
    "src_model.workflow.movie_outcome": ("Beginning", "Doubt", "Ending", "FoundDivision", "WholeMovieOptions"),
    "src_model.workflow.summing_up": ("movie_summary",),
    "src_model.workflow.periodic_save": ("PeriodicSave",),
    "src_model.workflow.plan": ("Direction", "TrackPlan", "TrackRequest", "plan_tracking"),
    "src_model.workflow.progress": ("RunProgress",),
    "src_model.workflow.requests": (
        "FindRequest",
        "FrameOutcome",
        "PromptOutcome",
        "PromptRequest",
        "RepairRequest",
        "prompt_request",
    ),
    "src_model.workflow.whole_movie": ("WholeMovieJob", "WholeMovieReport", "is_whole_movie", "track_all"),
    "src_model.workflow.whole_session": ("find_objects", "track_movie"),
}

__all__ = [
    "Beginning",
    "Direction",
    "DocumentTracker",
    "Doubt",
    "Edits",
    "Ending",
    "FindRequest",
    "FoundDivision",
    "FrameOutcome",
    "ObjectSnapshot",
    "PeriodicSave",
    "PromptOutcome",
    "PromptRequest",
    "RepairRequest",
    "RunProgress",
    "TrackPlan",
    "TrackRequest",
    "TrackingJob",
    "WholeMovieJob",
    "WholeMovieOptions",
    "WholeMovieReport",
    "answer_prompts",
    "find_all",
    "find_objects",
    "find_request",
    "is_whole_movie",
    "look_for",
    "movie_summary",
    "plan_tracking",
    "prompt_request",
    "run_job",
    "snapshot_of",
    "snapshots_of",
    "start_over",
    "track_all",
    "track_movie",
]

__getattr__ = importer(__name__, _HOMES)
