"""Tracking a document: what a host asks is answered from snapshots, on any thread, without touching the document."""

from src_model.workflow.document_tracker import DocumentTracker
from src_model.workflow.requests import FrameOutcome, PromptOutcome, PromptRequest, RepairRequest, TrackRequest
from src_model.workflow.snapshot import ObjectSnapshot, snapshot_of, snapshots_of

__all__ = [
    "DocumentTracker",
    "FrameOutcome",
    "ObjectSnapshot",
    "PromptOutcome",
    "PromptRequest",
    "RepairRequest",
    "TrackRequest",
    "snapshot_of",
    "snapshots_of",
]
