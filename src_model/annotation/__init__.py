"""The annotation document: objects, prompts, masks through time, locks and divisions, with undo, saving and recovery.

No torch and no window. Every change is an action: ``annotation.do(AddObject(AnnotatedObject(1)))``. See
docs/annotation.md for the history rules and the file format.
"""

from __future__ import annotations

from src_model.annotation.actions import (
    Action,
    AddObject,
    AddPoints,
    AnswerPrompt,
    ApplyPatch,
    ClassifyObject,
    ClearFrames,
    ClearPrompts,
    DeleteObject,
    Group,
    ImportMasklets,
    LockFrames,
    LockObject,
    MarkDivision,
    MergeObjects,
    MergeRule,
    MovePoint,
    NoteObject,
    PropagateSpan,
    RecolourObject,
    RemoveDivision,
    RemovePoint,
    RenameObject,
    SetBox,
    SetMask,
    SetMaskPrompt,
    SetModel,
    SetMovie,
    SetNormalization,
    SetOverlap,
    SetPrompt,
    SetSettings,
    ShowObject,
    Skipped,
    SplitObject,
    SwapIds,
    renumbered,
)
from src_model.annotation.autosave import Autosave
from src_model.annotation.document import Annotation, Done, SavedFile
from src_model.annotation.events import (
    AnnotationEvents,
    DivisionsChanged,
    FramesChanged,
    HistoryChanged,
    LocksChanged,
    ObjectsChanged,
    PromptsChanged,
    SavedChanged,
)
from src_model.annotation.file_format import SUFFIX, load, save, write
from src_model.annotation.history import Step
from src_model.annotation.lineage import Division
from src_model.annotation.movie import MovieIdentity
from src_model.annotation.objects import MAX_OBJECT_ID, AnnotatedObject, default_colour
from src_model.annotation.overlap import OverlapPair, OverlapReport, label_image, overlap_report
from src_model.annotation.patch import Patch
from src_model.annotation.project import ModelIdentity, Project, Settings
from src_model.annotation.prompts import Prompt
from src_model.annotation.propagation import OpenPropagation, TrackedFrame
from src_model.annotation.provenance import AnnotatedFrame, FrameState, Origin
from src_model.annotation.recovery import Recoverable, discard, find_recoverable, recover
from src_model.annotation.view import DocumentView

__all__ = [
    "MAX_OBJECT_ID",
    "SUFFIX",
    "Action",
    "AddObject",
    "AddPoints",
    "AnnotatedFrame",
    "AnnotatedObject",
    "Annotation",
    "AnnotationEvents",
    "AnswerPrompt",
    "ApplyPatch",
    "Autosave",
    "ClassifyObject",
    "ClearFrames",
    "ClearPrompts",
    "DeleteObject",
    "Division",
    "DivisionsChanged",
    "DocumentView",
    "Done",
    "FrameState",
    "FramesChanged",
    "Group",
    "HistoryChanged",
    "ImportMasklets",
    "LockFrames",
    "LockObject",
    "LocksChanged",
    "MarkDivision",
    "MergeObjects",
    "MergeRule",
    "ModelIdentity",
    "MovePoint",
    "MovieIdentity",
    "NoteObject",
    "ObjectsChanged",
    "OpenPropagation",
    "Origin",
    "OverlapPair",
    "OverlapReport",
    "Patch",
    "Project",
    "Prompt",
    "PromptsChanged",
    "PropagateSpan",
    "RecolourObject",
    "Recoverable",
    "RemoveDivision",
    "RemovePoint",
    "RenameObject",
    "SavedChanged",
    "SavedFile",
    "SetBox",
    "SetMask",
    "SetMaskPrompt",
    "SetModel",
    "SetMovie",
    "SetNormalization",
    "SetOverlap",
    "SetPrompt",
    "SetSettings",
    "Settings",
    "ShowObject",
    "Skipped",
    "SplitObject",
    "Step",
    "SwapIds",
    "TrackedFrame",
    "default_colour",
    "discard",
    "find_recoverable",
    "label_image",
    "load",
    "overlap_report",
    "recover",
    "renumbered",
    "save",
    "write",
]
