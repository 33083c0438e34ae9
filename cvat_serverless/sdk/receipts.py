"""What was written to CVAT, noted on this computer before and after, so that a crash in between loses nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from platformdirs import user_cache_path, user_state_path
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from cvat_serverless.sdk.marks import look_mark, place_mark
from cvat_serverless.sdk.records import Kind
from src_model.errors import RemoteError
from src_model.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["sending", "written", "done", "never", "restoring", "restored", "undone"]
"""``sending``: it may or may not have arrived. ``written``: originals are still to be removed. ``restoring``: what had
been replaced may or may not be back. ``restored``: it is, and what had been written is still there."""


def state_folder() -> Path:
    """Return the user's folder for receipts and for tracking that was not finished."""
    return user_state_path("sam2v", appauthor=False) / "cvat"


def cache_folder() -> Path:
    """Return the user's folder for frames that were fetched."""
    return user_cache_path("sam2v", appauthor=False) / "cvat"


def _with_contents(value: Any) -> Any:
    """Read ids of earlier versions, which noted no contents."""
    return dict.fromkeys(value, "") if isinstance(value, list) else value


Contents = Annotated[dict[int, str], BeforeValidator(_with_contents)]
"""Contents (:func:`~cvat_serverless.sdk.marks.content_of`) by id; an empty one is not known."""


class Kept(BaseModel):
    """A shape or track as it was before it was replaced or removed.

    Attributes
    ----------
    kind, raw
        As CVAT wrote it.
    copies
        What jobs held of it, if several did.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    raw: dict[str, Any]
    copies: list[dict[str, Any]] = []

    @property
    def held(self) -> list[dict[str, Any]]:
        """What jobs held of it."""
        return self.copies or [self.raw]


class Receipt(BaseModel):
    """One change of annotations.

    Attributes
    ----------
    name
        Of its file.
    time
        When, in seconds since 1970.
    place
        Which task or job, in words.
    summary
        What was done, in words.
    run
        Which tracking it was.
    newest
        The largest ids before.
    sent
        Marks of all that was sent, by which it is found if no answer came.
    in_place
        What was sent in the place of something that keeps its id, by kind and id: what it is recognised by.
    model
        Marks of what the model made, which is no correction when the object is tracked again.
    model_looks, drawn_looks
        How the shapes and keyframes that were written look in CVAT: those that the model made, and the others.
    created
        What was written, by kind, id and content: what has another content now was changed by somebody.
    replaced
        What was replaced by the request itself.
    later
        What is removed after it.
    guide
        Whether the task's annotation guide holds the document that was sent.
    """

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    name: str = ""
    time: float
    place: str
    summary: str
    run: str = ""
    state: State = "sending"
    newest: dict[Kind, int]
    sent: list[str]
    in_place: dict[Kind, dict[int, str]] = {"shape": {}, "track": {}}
    model: list[str] = []
    model_looks: list[str] = []
    drawn_looks: list[str] = []
    created: dict[Kind, Contents] = {"shape": {}, "track": {}}
    replaced: list[Kept] = []
    later: list[Kept] = []
    guide: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into a task or job, to be compared with what is there now.

    Attributes
    ----------
    model, drawn
        How shapes and keyframes looked that a model made, and the others.
    places
        Marks of what a model made according to receipts that tell no more.
    shapes
        Ids of shapes.
    """

    model: set[str] = field(default_factory=set)
    drawn: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    shapes: set[int] = field(default_factory=set)

    def is_models(self, raw: dict[str, Any]) -> bool | None:
        """Whether a shape or keyframe is just as a model made it; None if nothing is known about it."""
        look = look_mark(raw)
        if look in self.model or place_mark(raw) in self.places:
            return True
        is_known = look in self.drawn or ("label_id" in raw and raw["id"] in self.shapes)
        return False if is_known else None

    def is_as_written(self, raw: dict[str, Any]) -> bool:
        """Whether a shape or keyframe is just as it was written, whoever drew it."""
        return bool(self.is_models(raw)) or look_mark(raw) in self.drawn


class Receipts:
    """The receipts of one task or job.

    Parameters
    ----------
    slug
        Names it.
    folder
        Where all receipts are; the user's own by default.
    """

    def __init__(self, slug: str, folder: Path | None = None) -> None:
        self._folder = (folder or state_folder()) / "receipts" / slug

    def add(self, receipt: Receipt) -> None:
        """Keep a new receipt.

        Raises
        ------
        RemoteError
            If it cannot be written; nothing should be changed then.
        """
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(receipt.time))
        receipt.name = f"{stamp}-{time.time_ns() % 10**9:09d}.json"
        self.save(receipt)

    def save(self, receipt: Receipt) -> None:
        """Write a receipt again, which has changed; errors as :meth:`add`."""
        path = self._folder / receipt.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                part.write_text(receipt.model_dump_json(), encoding="utf-8")
        except OSError as error:
            done = (
                "without it nothing could be undone, so nothing was changed: make room there"
                if receipt.state == "sending"
                else "CVAT has the change already: make room there and run the same command again, which completes it"
            )
            raise RemoteError(
                f"the note of what is changed cannot be written to '{path}' ({error.strerror or error}), and {done}"
            ) from error

    def all(self) -> list[Receipt]:
        """Return all receipts, the oldest first.

        Raises
        ------
        RemoteError
            If one cannot be read: what was changed last would not be known.
        """
        found = []
        path = self._folder
        try:
            for path in sorted(self._folder.glob("*.json")):
                receipt = Receipt.model_validate_json(path.read_bytes())
                receipt.name = path.name
                found.append(receipt)
        except (OSError, ValidationError) as error:
            why = error.strerror or error if isinstance(error, OSError) else "damaged, or of a newer version of sam2v"
            raise RemoteError(
                f"the note '{path}' of a change that was written to CVAT cannot be read ({why}): repair it, or move it "
                "away to go on without it; that change cannot be taken back then"
            ) from error
        return found

    def written(self) -> Written:
        """Return all that was ever written here."""
        known = Written()
        for receipt in self.all():
            looks = (*receipt.model_looks, *receipt.drawn_looks)
            known.model.update(receipt.model_looks)
            known.drawn.update(receipt.drawn_looks)
            known.places.update(() if looks else receipt.model)
            known.shapes.update(receipt.created["shape"] if looks else ())
        return known
