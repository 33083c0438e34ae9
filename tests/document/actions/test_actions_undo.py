"""Every action: done and undone, the document is what it was; done again, what it had become."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src_model.document import (
    AddDetections,
    AddObject,
    AddPoints,
    AnnotatedObject,
    AnswerPrompt,
    ApplyPatch,
    ClassifyObject,
    ClearFrames,
    ClearPrompts,
    DeleteObject,
    Division,
    Group,
    ImportMasklets,
    LockFrames,
    LockObject,
    MarkDivision,
    MergeObjects,
    ModelIdentity,
    MovePoint,
    NoteObject,
    Patch,
    Prompt,
    PropagateSpan,
    RecolorObject,
    RemoveDaughter,
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
    Settings,
    ShowObject,
    SplitObject,
    SwapIds,
    load,
    save,
)
from src_model.frames import Normalization
from src_model.masks import Detection, Masklet
from tests.document.sample import LENGTH, MOVIE, SHAPE, document, entry, square


def imported() -> Masklet:
    masklet = Masklet(7, SHAPE)
    masklet.set(2, square())
    return masklet


ACTIONS = [
    ApplyPatch("as elsewhere", Patch(locks={1: {4: False, 5: True}})),
    AddObject(AnnotatedObject(9, "new")),
    RenameObject(1, "other"),
    RecolorObject(1, "#000000"),
    ClassifyObject(2, "nucleus"),
    NoteObject(2, "odd"),
    LockObject(1),
    ShowObject(1, visible=False),
    AddPoints(1, 0, ((1, 2),), (0,)),
    MovePoint(1, 0, 1, (8, 9)),
    RemovePoint(1, 0, 0),
    SetBox(1, 0, (1, 2, 8, 9)),
    SetBox(2, 3, None),
    SetMaskPrompt(2, 3, square()),
    SetMaskPrompt(3, 6, None),
    SetPrompt(3, 6, Prompt(((2, 2),), (1,))),
    ClearPrompts(1, 0),
    SetMask(1, 5, square(8, 8)),
    AnswerPrompt(2, 3, square(9, 9), 0.5, 0.5),
    ClearFrames(1, 0, 3),
    ClearFrames(2, 0),
    LockFrames.span(2, range(2, 8)),
    LockFrames(1, (4,), locked=False),
    PropagateSpan({2: {4: entry(), 3: entry()}, 4: {2: entry()}}),
    DeleteObject(3),
    MergeObjects(2, 3),
    MergeObjects(1, 3),
    SplitObject(1, 5, 9),
    SwapIds(1, 2, 5),
    MarkDivision(Division(1, 6, (2, 3))),
    MarkDivision(Division(2, 5, (1,))),
    RemoveDaughter(1, 3),
    RemoveDivision(1),
    ImportMasklets((imported(),), (AnnotatedObject(7, "seven"),), (Division(7, 3, (2,)),)),
    AddDetections(9, (Detection.of_mask(square(), 0.5, "cell"), Detection((9.5, 9, 20, 20), 0.4)), "a detector"),
    SetModel(ModelIdentity("other")),
    SetNormalization(Normalization("limits", (0.0, 0.0, 0.0), (1.0, 2.0, 3.0))),
    SetSettings(Settings({"preset": "official"})),
    SetOverlap("last"),
    SetMovie(replace(MOVIE, shape=(LENGTH + 5, *SHAPE), path="/elsewhere")),
    Group("all", (RenameObject(1, "x"), DeleteObject(2), AddObject(AnnotatedObject(2)))),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_undo_restores_the_editedand_redo_what_was_done_also_after_opening_it_again(action, tmp_path):
    annotation = document()
    before = annotation.contents()
    done = annotation.do(action)
    after = annotation.contents()
    assert done.step is not None
    assert after != before
    assert annotation.undo_label == action.label
    for edited in (annotation, load(save(annotation, tmp_path / "a.sam2v"))):
        assert edited.contents() == after
        edited.undo()
        assert edited.contents() == before
        edited.redo()
        assert edited.contents() == after


def test_every_action_is_tried():
    from src_model import document as package

    public = (getattr(package, name) for name in package.__all__)
    classes = {item for item in public if isinstance(item, type) and hasattr(item, "plan")}
    tried = {type(action) for action in ACTIONS}
    assert {item.__name__ for item in classes - tried} == {"Action"}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_actions_are_values(action):
    with pytest.raises((AttributeError, TypeError)):
        action.label = "other"
    assert action == replace(action)
