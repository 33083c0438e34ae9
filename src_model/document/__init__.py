"""The annotation document: objects, prompts, masks through time, locks and divisions, with undo, saving and recovery.

No torch and no window. Every change is an action: ``annotation.do(AddObject(AnnotatedObject(1)))``. See
docs/document.md for the history rules and the file format.
"""

from __future__ import annotations

from src_model.document.actions.base import Action, ApplyPatch, Done, Group, Skipped
from src_model.document.actions.detections import AddDetections
from src_model.document.actions.frames import AnswerPrompt, ClearFrames, LockFrames, SetMask
from src_model.document.actions.identity import DeleteObject, MergeObjects, MergeRule, SplitObject, SwapIds
from src_model.document.actions.importing import ImportMasklets, renumbered
from src_model.document.actions.lineage import MarkDivision, RemoveDivision
from src_model.document.actions.objects import (
    AddObject,
    ClassifyObject,
    LockObject,
    NoteObject,
    RecolorObject,
    RenameObject,
    ShowObject,
)
from src_model.document.actions.project import SetModel, SetMovie, SetNormalization, SetOverlap, SetSettings
from src_model.document.actions.prompts import (
    AddPoints,
    ClearPrompts,
    MovePoint,
    RemovePoint,
    SetBox,
    SetMaskPrompt,
    SetPrompt,
)
from src_model.document.actions.propagation import PropagateSpan
from src_model.document.annotation import Annotation
from src_model.document.autosave import Autosave
from src_model.document.events import (
    AnnotationEvents,
    DivisionsChanged,
    FramesChanged,
    HistoryChanged,
    LocksChanged,
    ObjectsChanged,
    PromptsChanged,
    SavedChanged,
)
from src_model.document.file_format import SUFFIX, load, save, write
from src_model.document.history import Step
from src_model.document.lineage import Division
from src_model.document.movie import MovieIdentity
from src_model.document.objects import MAX_OBJECT_ID, AnnotatedObject, default_color
from src_model.document.overlap import OverlapPair, OverlapReport, label_image, overlap_report
from src_model.document.patch import Patch
from src_model.document.project import ModelIdentity, Project, Settings
from src_model.document.propagation import OpenPropagation, TrackedFrame
from src_model.document.provenance import AnnotatedFrame, FrameState, Origin
from src_model.document.recovery import Recoverable, discard, find_recoverable, recover
from src_model.document.view import DocumentView
from src_model.document.working_copy import SavedFile
from src_model.prompts import Prompt

__all__ = [
    "MAX_OBJECT_ID",
    "SUFFIX",
    "Action",
    "AddDetections",
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
    "RecolorObject",
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
    "default_color",
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
