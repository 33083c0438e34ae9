"""The plain data that the widgets show and report; no Qt in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from pydantic.config import JsonDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from src_model.masks import Overlap
from src_model.workflow.movie_outcome import DivisionChoice
from src_model.workflow.plan import Direction
from src_model.workflow.review import LOW_SCORE

Color = tuple[int, int, int]
"""Red, green, blue in 0..255."""
StatusKind = Literal["hint", "busy", "warning", "error"]
Extent = Literal["end", "count", "range"]
Scope = Literal["selected", "all"]
Contrast = Literal["percentile", "limits"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a combo box or menu: what is reported (`key`), what is read (`label`), what its tooltip says."""

    key: Any
    label: str
    hint: str = ""


def titled(*choices: tuple[str | None, str, str]) -> JsonDict:
    """Describe the choices of a field of options, (value, label, hint) each, as its ``json_schema_extra``."""
    return {"oneOf": [{"const": key, "title": label, "description": hint} for key, label, hint in choices]}


def as_choices(options: Sequence[Choice | str]) -> tuple[Choice, ...]:
    """Let plain strings stand for choices that are reported by the text they show."""
    return tuple(Choice(option, option) if isinstance(option, str) else option for option in options)


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One object in the table.

    `worst_score` in 0..1 and `worst_frame` are those of the open frame with the lowest score, None where no frame is
    open; `doubtful` counts the frames in doubt; see `TimeMarks`.
    """

    object_id: int
    name: str
    color: Color
    frames_done: int = 0
    frames_total: int = 0
    worst_score: float | None = None
    worst_frame: int | None = None
    doubtful: int = 0
    locked: bool = False
    visible: bool = True


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One event of the review: the color of its object, what is read, and why it is doubtful."""

    color: Color
    text: str
    hint: str


@dataclass(frozen=True, slots=True, eq=False)
class TimeMarks:
    """What is known of one object on each frame: arrays of shape (length,); scores in 0..1, NaN where there is none."""

    length: int
    prompted: NDArray[np.bool_]
    tracked: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    edited: NDArray[np.bool_]
    imported: NDArray[np.bool_]
    scores: NDArray[np.float32]

    @classmethod
    def blank(cls, length: int) -> TimeMarks:
        """Make marks of an object of which nothing is known on any of `length` frames."""
        prompted, tracked, locked, absent, edited, imported = np.zeros((6, length), dtype=bool)
        scores = np.full(length, np.nan, dtype=np.float32)
        return cls(length, prompted, tracked, locked, absent, edited, imported, scores)

    def open_scores(self) -> NDArray[np.float32]:
        """Return (length,) float32: the scores of open frames, NaN on all others.

        A frame is open where tracking made its mask and nobody confirmed it: not prompted, painted, imported or
        locked. Where the object is not in view there is no mask whose score could be low.
        """
        is_open = self.tracked & ~(self.prompted | self.locked | self.absent)
        return np.where(is_open, self.scores, np.float32(np.nan))

    def in_doubt(self) -> NDArray[np.bool_]:
        """Return (length,) bool: which open frames have a score below `LOW_SCORE`."""
        found: NDArray[np.bool_] = self.open_scores() < LOW_SCORE
        return found

    def worst_frame(self) -> int | None:
        """Return the open frame of the lowest score, in doubt or not; None where no frame is open."""
        scores = self.open_scores()
        return None if np.isnan(scores).all() else int(np.nanargmin(scores))


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model in the list; `name` is what is reported, `size_mb` in megabytes, `hint` a phrase on speed or use."""

    name: str
    label: str
    on_disk: bool
    size_mb: float
    hint: str = ""


@pydantic_dataclass(frozen=True)
class TrackOptions:
    """What the user asks to track: which way, how far from the shown frame, and which objects.

    `extent` is "end" (of the movie), "count" (the next `count` frames) or "range" (from `first` to `last`, both
    included). `first` and `last` count only for a range.
    """

    direction: Direction
    extent: Extent = Field(
        default="end",
        title="How far",
        description="How far to track from the shown frame",
        json_schema_extra=titled(
            ("end", "to the end", "As far as the movie goes, or to the next prompted or locked frame"),
            ("count", "next frames", "A number of frames from the shown one on"),
            ("range", "a range", "Between the two handles on the time strip"),
        ),
    )
    count: int = Field(default=20, ge=1, le=1_000_000, title="Number of frames", description="How many frames to track")
    first: int = Field(default=0, ge=0, title="First frame", description="First frame of the range")
    last: int = Field(default=0, ge=0, title="Last frame", description="Last frame of the range, included")
    objects: Scope = Field(
        default="selected",
        title="Which objects",
        description="What to track",
        json_schema_extra=titled(
            ("selected", "this object", "Only the object that is selected in the table"),
            ("all", "all objects", "All objects that are not locked"),
        ),
    )


class ModelOptions(BaseModel):
    """Which model answers prompts."""

    model: str = Field(
        "",
        title="Model",
        description="The model that answers prompts and follows objects; changing it keeps all work",
        json_schema_extra={
            "choices": True,
            "missing": "No models found",
            "remedy": "Reinstall the plugin: one model comes with it.",
        },
    )


Repair = Annotated[
    bool,
    Field(
        title="Repair by itself after a correction",
        description="Track again around each corrected frame, without being asked.",
    ),
]
CollectPrompts = Annotated[
    bool,
    Field(
        title="Collect prompts before the model answers",
        description="Clicks, lines and boxes wait until you press Answer, or track.",
    ),
]
Follow = Annotated[
    bool,
    Field(
        title="Show each frame while it is tracked",
        description="The viewer moves along with the run; otherwise it stays where it is.",
    ),
]


LookEvery = Annotated[
    int,
    Field(
        ge=1,
        le=1000,
        title="Look for new objects every",
        description="Find and track all looks for new objects every so many frames, and where a division is suspected.",
    ),
]


class AdvancedOptions(BaseModel):
    """Options that few people change. The overlap is the document's; the others are preferences."""

    overlap: Overlap = Field(
        "first",
        title="Overlap",
        description="Which object keeps pixels that two objects claim",
        json_schema_extra=titled(
            ("first", "first keeps", "Pixels that two objects claim go to the one with the smaller id"),
            ("last", "last wins", "Pixels that two objects claim go to the one with the larger id"),
            ("score", "higher score", "Pixels that two objects claim go to the one the model is surer of"),
        ),
    )
    repair: Repair = False
    collect_prompts: CollectPrompts = False
    follow: Follow = True
    look_every: LookEvery = 5
    divisions: DivisionChoice = Field(
        "auto",
        title="Divisions",
        description="What Find and track all makes of divisions",
        json_schema_extra=titled(
            ("auto", "mark sure ones", "Those that are sure are marked in the lineage, the others suggested"),
            ("ask", "suggest", "All are suggested and none is marked; both daughters are tracked"),
            ("off", "ignore", "New objects begin, and nothing says where they come from"),
        ),
    )


TOOLS = ("point_positive", "point_negative", "scribble", "box", "lasso", "paint")
"""The prompt tools, by action id, in the order in which they are shown."""
