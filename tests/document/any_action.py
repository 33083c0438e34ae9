"""Actions drawn at random, most of which fit the document they are drawn for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document import (
    AddObject,
    AddPoints,
    AnnotatedObject,
    ClearFrames,
    ClearPrompts,
    DeleteObject,
    Division,
    Group,
    LockFrames,
    LockObject,
    MarkDivision,
    MergeObjects,
    MovePoint,
    RemoveDaughter,
    RemoveDivision,
    RemovePoint,
    RenameObject,
    SetBox,
    SetMask,
    SetMaskPrompt,
    SetOverlap,
    ShowObject,
    SplitObject,
    SwapIds,
)
from tests.document.sample import LENGTH, NOWHERE, square

if TYPE_CHECKING:
    from random import Random

    from src_model.document import Action, DocumentView

IDS = range(1, 7)


def any_mask(random: Random):
    return (
        NOWHERE if random.random() < 0.2 else square(random.randrange(15), random.randrange(20), random.randrange(1, 8))
    )


def any_edit(random: Random, view: DocumentView) -> Action:
    """An action that changes no lock."""
    one, other = (random.choice([*view.objects, *view.objects, *IDS]) for _ in range(2))
    frame = random.randrange(LENGTH)
    prompted = random.choice([*view.prompts(one), frame]) if one in view.objects else frame
    point = (random.randrange(20), random.randrange(20))
    return random.choice([
        lambda: AddObject(AnnotatedObject(random.choice(IDS))),
        lambda: RenameObject(one, random.choice("abc")),
        lambda: ShowObject(one, random.random() < 0.5),
        lambda: SetOverlap(random.choice(["first", "last", "score"])),
        lambda: AddPoints(one, frame, (point,), (random.randrange(2),)),
        lambda: MovePoint(one, prompted, 0, point),
        lambda: RemovePoint(one, prompted, 0),
        lambda: SetBox(one, prompted, random.choice([None, (1.0, 2.0, 9.0, 9.0)])),
        lambda: SetMaskPrompt(one, frame, any_mask(random)),
        lambda: ClearPrompts(one, prompted),
        lambda: SetMask(one, frame, any_mask(random), random.random()),
        lambda: SetMask(one, frame, any_mask(random), random.random()),
        lambda: ClearFrames(one, frame, random.choice([None, min(frame + 2, LENGTH)])),
        lambda: DeleteObject(one),
        lambda: MergeObjects(one, other, random.choice(["union", "keep", "replace", "score"])),
        lambda: SplitObject(one, frame, random.choice(IDS)),
        lambda: SwapIds(one, other, frame),
        lambda: MarkDivision(Division(one, frame, tuple({other, random.choice(IDS)} - {one}) or (IDS[-1] + 1,))),
        lambda: RemoveDaughter(random.choice([*view.divisions, one]), other),
        lambda: RemoveDivision(random.choice([*view.divisions, one])),
    ])()  # fmt: skip


def any_lock(random: Random, view: DocumentView) -> Action:
    """An action on locks; unlocking is likelier, so that something stays to be edited."""
    one = random.choice([*view.objects, *IDS])
    if random.random() < 0.3:
        return LockObject(one, random.random() < 0.3)
    return LockFrames(one, tuple(random.sample(range(LENGTH), 2)), random.random() < 0.5)


def any_group(random: Random, view: DocumentView) -> Action:
    """Two or three actions as one."""
    return Group(
        "group",
        tuple(random.choice([any_edit, any_edit, any_lock])(random, view) for _ in range(random.choice([2, 3]))),
    )
