"""What was written to CVAT, noted on this computer before and after, so that a crash in between loses nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

from platformdirs import user_cache_path, user_state_path
from pydantic import BaseModel, ConfigDict, ValidationError

from cvat_serverless.sdk.records import Kind
from src_model.annotation.atomic import replacing
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["sending", "written", "done", "never", "restored", "undone"]
"""``sending``: it may or may not have arrived. ``written``: originals are still to be removed. ``restored``: what had
been replaced is back, what had been written is still there."""


def state_folder() -> Path:
    """Return the user's folder for receipts and for tracking that was not finished."""
    return user_state_path("sam2v", appauthor=False) / "cvat"


def cache_folder() -> Path:
    """Return the user's folder for frames that were fetched."""
    return user_cache_path("sam2v", appauthor=False) / "cvat"


class Kept(BaseModel):
    """A shape or track as it was before it was replaced or removed."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    raw: dict[str, Any]


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
    model
        Marks of what the model made, which is no correction when the object is tracked again.
    created
        Ids of what was written, by kind.
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
    model: list[str] = []
    created: dict[Kind, list[int]] = {"shape": [], "track": []}
    replaced: list[Kept] = []
    later: list[Kept] = []
    guide: bool = False


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
        """Write a receipt again, which has changed."""
        path = self._folder / receipt.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                file.write(receipt.model_dump_json().encode())
        except OSError as error:
            raise RemoteError(
                f"the note of what is changed cannot be written to '{path}' ({error.strerror}), and without it nothing "
                "could be undone: make room there"
            ) from error

    def all(self) -> list[Receipt]:
        """Return all receipts, the oldest first; damaged ones do not count."""
        found = []
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            try:
                receipt = Receipt.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                continue
            receipt.name = path.name
            found.append(receipt)
        return found

    def model_marks(self) -> set[str]:
        """Return the marks of all that the model ever wrote here."""
        return {mark for receipt in self.all() for mark in receipt.model}
