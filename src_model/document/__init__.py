"""The annotation document: objects, prompts, masks through time, locks and divisions, with undo, saving and recovery.

No torch and no window. Every change is an action: ``annotation.do(AddObject(AnnotatedObject(1)))``. See
docs/document.md for the history rules and the file format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.document.actions.base import Action, ApplyPatch, Done, Group, Skipped
    from src_model.document.actions.detections import AddDetections
    from src_model.document.actions.frames import AnswerPrompt, ClearFrames, LockFrames, SetMask
    from src_model.document.actions.identity import DeleteObject, MergeObjects, MergeRule, SplitObject, SwapIds
    from src_model.document.actions.importing import ImportMasklets, renumbered
    from src_model.document.actions.lineage import MarkDivision, RemoveDaughter, RemoveDivision
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

_HOMES = {
    "src_model.document.actions.base": ("Action", "ApplyPatch", "Done", "Group", "Skipped"),
    "src_model.document.actions.detections": ("AddDetections",),
    "src_model.document.actions.frames": ("AnswerPrompt", "ClearFrames", "LockFrames", "SetMask"),
    "src_model.document.actions.identity": ("DeleteObject", "MergeObjects", "MergeRule", "SplitObject", "SwapIds"),
    "src_model.document.actions.importing": ("ImportMasklets", "renumbered"),
    "src_model.document.actions.lineage": ("MarkDivision", "RemoveDaughter", "RemoveDivision"),
    "src_model.document.actions.objects": (
        "AddObject",
        "ClassifyObject",
        "LockObject",
        "NoteObject",
        "RecolorObject",
        "RenameObject",
        "ShowObject",
    ),
    "src_model.document.actions.project": ("SetModel", "SetMovie", "SetNormalization", "SetOverlap", "SetSettings"),
    "src_model.document.actions.prompts": (
        "AddPoints",
        "ClearPrompts",
        "MovePoint",
        "RemovePoint",
        "SetBox",
        "SetMaskPrompt",
        "SetPrompt",
    ),
    "src_model.document.actions.propagation": ("PropagateSpan",),
    "src_model.document.annotation": ("Annotation",),
    "src_model.document.autosave": ("Autosave",),
    "src_model.document.events": (
        "AnnotationEvents",
        "DivisionsChanged",
        "FramesChanged",
        "HistoryChanged",
        "LocksChanged",
        "ObjectsChanged",
        "PromptsChanged",
        "SavedChanged",
    ),
    "src_model.document.file_format": ("SUFFIX", "load", "save", "write"),
    "src_model.document.history": ("Step",),
    "src_model.document.lineage": ("Division",),
    "src_model.document.movie": ("MovieIdentity",),
    "src_model.document.objects": ("MAX_OBJECT_ID", "AnnotatedObject", "default_color"),
    "src_model.document.overlap": ("OverlapPair", "OverlapReport", "label_image", "overlap_report"),
    "src_model.document.patch": ("Patch",),
    "src_model.document.project": ("ModelIdentity", "Project", "Settings"),
    "src_model.document.propagation": ("OpenPropagation", "TrackedFrame"),
    "src_model.document.provenance": ("AnnotatedFrame", "FrameState", "Origin"),
    "src_model.document.recovery": ("Recoverable", "discard", "find_recoverable", "recover"),
    "src_model.document.view": ("DocumentView",),
    "src_model.document.working_copy": ("SavedFile",),
    "src_model.prompts": ("Prompt",),
}

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
    "RemoveDaughter",
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

__getattr__ = importer(__name__, _HOMES)
