"""Everything that can be done to an annotation, one class an action."""

from __future__ import annotations

from src_model.annotation.actions.base import Action, Plan, Skipped, SkipReason
from src_model.annotation.actions.combining import MergeRule
from src_model.annotation.actions.frames import AnswerPrompt, ClearFrames, LockFrames, SetMask
from src_model.annotation.actions.group import Group
from src_model.annotation.actions.identity import DeleteObject, MergeObjects, SplitObject, SwapIds
from src_model.annotation.actions.importing import ImportMasklets, renumbered
from src_model.annotation.actions.lineage import MarkDivision, RemoveDivision
from src_model.annotation.actions.objects import (
    AddObject,
    ClassifyObject,
    LockObject,
    NoteObject,
    RecolourObject,
    RenameObject,
    ShowObject,
)
from src_model.annotation.actions.patching import ApplyPatch
from src_model.annotation.actions.project import SetModel, SetMovie, SetNormalization, SetOverlap, SetSettings
from src_model.annotation.actions.prompts import (
    AddPoints,
    ClearPrompts,
    MovePoint,
    RemovePoint,
    SetBox,
    SetMaskPrompt,
    SetPrompt,
)
from src_model.annotation.actions.propagation import PropagateSpan

__all__ = [
    "Action",
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
    "Plan",
    "PropagateSpan",
    "RecolourObject",
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
