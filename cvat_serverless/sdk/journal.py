"""A journal of what was written to CVAT, kept on this computer before and after, so that a crash loses nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from platformdirs import user_cache_path, user_state_path
from pydantic import BaseModel, ConfigDict, ValidationError

from cvat_serverless.sdk.fingerprints import shape_key_of
from cvat_serverless.sdk.schemas import AnnotationItem, ItemKind, RawItem
from src_model.errors import RemoteError
from src_model.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["sending", "written", "done", "never", "restoring", "restored", "undone"]
"""``sending``: it may or may not have arrived. ``written``: originals are still to be removed. ``restoring``: what had
been replaced may or may not be back. ``restored``: it is, and what had been written is still there."""


def state_folder() -> Path:
    """Return the user's folder for the journal and for tracking that was not finished."""
    return user_state_path("sam2v", appauthor=False) / "cvat"


def cache_folder() -> Path:
    """Return the user's folder for frames that were fetched."""
    return user_cache_path("sam2v", appauthor=False) / "cvat"


class JournalEntry(BaseModel):
    """One change of annotations.

    Attributes
    ----------
    name
        Name of its file in the journal's folder.
    time
        When it was begun, in seconds since 1970.
    task
        Which task or job was changed, in words.
    summary
        What was done, in words.
    run
        Key of the tracking that it is the result of; empty if there was none.
    state
        How far the change is; see :data:`State`.
    newest
        The largest ids before the change.
    sent
        What shapes and keyframes that were sent are found by if no answer came: label and geometry.
    in_place
        By kind and id, hashes of what was sent in the place of something that keeps its id.
    model
        Geometry of what the model made, which is no correction when the object is tracked again.
    model_shapes, manual_shapes
        :func:`~cvat_serverless.sdk.fingerprints.shape_key_of` the shapes and keyframes as CVAT holds them: those that
        the model made, and the others.
    created
        What was written, by kind and id, with its content: what has another content now was changed by somebody.
    replaced
        What was replaced by the request itself.
    removed_after
        What is removed after it.
    guide
        Whether the task's annotation guide holds the document that was sent.
    """

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    name: str = ""
    time: float
    task: str
    summary: str
    run: str = ""
    state: State = "sending"
    newest: dict[ItemKind, int]
    sent: list[str]
    in_place: dict[ItemKind, dict[int, str]] = {"shape": {}, "track": {}}
    model: list[str] = []
    model_shapes: list[str] = []
    manual_shapes: list[str] = []
    created: dict[ItemKind, dict[int, str]] = {"shape": {}, "track": {}}
    replaced: list[AnnotationItem] = []
    removed_after: list[AnnotationItem] = []
    guide: bool = False


@dataclass(frozen=True, slots=True)
class WrittenShapes:
    """What was ever written into a task or job, to be compared with what is there now.

    Attributes
    ----------
    model, manual
        :func:`~cvat_serverless.sdk.fingerprints.shape_key_of` shapes and keyframes that a model made, and the others.
    ids
        Ids of all shapes among them.
    """

    model: set[str] = field(default_factory=set)
    manual: set[str] = field(default_factory=set)
    ids: set[int] = field(default_factory=set)

    def is_from_model(self, raw: RawItem) -> bool | None:
        """Whether a shape or keyframe is just as a model made it; None if nothing is known about it."""
        key = shape_key_of(raw)
        if key in self.model:
            return True
        is_known = key in self.manual or ("label_id" in raw and raw["id"] in self.ids)
        return False if is_known else None

    def is_as_written(self, raw: RawItem) -> bool:
        """Whether a shape or keyframe is just as it was written, whoever drew it."""
        key = shape_key_of(raw)
        return key in self.model or key in self.manual


class Journal:
    """The journal of one task or job.

    Parameters
    ----------
    slug
        Name of the task or job, for a folder.
    folder
        The folder of all journals; the user's own by default.
    """

    def __init__(self, slug: str, folder: Path | None = None) -> None:
        self._folder = (folder or state_folder()) / "journal" / slug

    def add(self, entry: JournalEntry) -> None:
        """Keep a new entry.

        Raises
        ------
        RemoteError
            If it cannot be written; nothing should be changed then.
        """
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(entry.time))
        entry.name = f"{stamp}-{time.time_ns() % 10**9:09d}.json"
        self.save(entry)

    def save(self, entry: JournalEntry) -> None:
        """Write an entry again, which has changed; errors as :meth:`add`."""
        path = self._folder / entry.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                part.write_bytes(entry.model_dump_json().encode())
        except OSError as error:
            done = (
                "without it nothing could be undone, so nothing was changed: make room there"
                if entry.state == "sending"
                else "CVAT has the change already: make room there and run the same command again, which completes it"
            )
            raise RemoteError(
                f"the note of what is changed cannot be written to '{path}' ({error.strerror or error}), and {done}"
            ) from error

    def entries(self) -> list[JournalEntry]:
        """Return all entries, the oldest first.

        Raises
        ------
        RemoteError
            If one cannot be read: what was changed last would not be known.
        """
        found = []
        path = self._folder
        try:
            for path in sorted(self._folder.glob("*.json")):
                entry = JournalEntry.model_validate_json(path.read_bytes())
                entry.name = path.name
                found.append(entry)
        except (OSError, ValidationError) as error:
            why = error.strerror or error if isinstance(error, OSError) else "damaged, or of a newer version of sam2v"
            raise RemoteError(
                f"the note '{path}' of a change that was written to CVAT cannot be read ({why}): repair it, or move it "
                "away to go on without it; that change cannot be taken back then"
            ) from error
        return found

    def written(self) -> WrittenShapes:
        """Return all that was ever written here."""
        written = WrittenShapes()
        for entry in self.entries():
            written.model.update(entry.model_shapes)
            written.manual.update(entry.manual_shapes)
            written.ids.update(entry.created["shape"])
        return written
