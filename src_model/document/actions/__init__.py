"""Everything that can be done to an annotation, one class an action."""

from __future__ import annotations

from src_model.document.actions.base import Action, ActionPlan, ApplyPatch, Group, Skipped, SkipReason
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

__all__ = [
    "Action",
    "ActionPlan",
    "AddDetections",
    "AddObject",
    "AddPoints",
    "AnswerPrompt",
    "ApplyPatch",
    "ClassifyObject",
    "ClearFrames",
    "ClearPrompts",
    "DeleteObject",
    "Group",
    "ImportMasklets",
    "LockFrames",
    "LockObject",
    "MarkDivision",
    "MergeObjects",
    "MergeRule",
    "MovePoint",
    "NoteObject",
    "PropagateSpan",
    "RecolorObject",
    "RemoveDivision",
    "RemovePoint",
    "RenameObject",
    "SetBox",
    "SetMask",
    "SetMaskPrompt",
    "SetModel",
    "SetMovie",
    "SetNormalization",
    "SetOverlap",
    "SetPrompt",
    "SetSettings",
    "ShowObject",
    "SkipReason",
    "Skipped",
    "SplitObject",
    "SwapIds",
    "renumbered",
]
