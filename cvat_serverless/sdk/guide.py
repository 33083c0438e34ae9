"""What CVAT has no place for travels in a task's annotation guide, as a comment: CVAT keeps it and does not show it."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cvat_serverless.sdk.forms import Form
from cvat_serverless.sdk.records import Guide, TaskInfo, read
from src_model.document import load, write
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.document import Annotation

MAX_BYTES = 16 * 2**20
"""Longest guide that is written or read."""

_BLOCK = (
    r"\n*<!-- sam2v-document task={task} -->\n[^\n]*\n\n<!-- sam2v-data (?P<data>[^>]*) -->"
    r"\n*<!-- end of sam2v-document task={task} -->\n*"
)


class _Carried(BaseModel):
    """What the guide holds."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    form: Form
    groups: dict[int, int]
    labels: dict[int, str] = {}
    document: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A document that was sent.

    Attributes
    ----------
    annotation
        As it was then.
    form
        What its objects became.
    groups
        CVAT's groups by object id.
    labels
        Names of their labels by object id; those of their classes where left out.
    """

    annotation: Annotation
    form: Form
    groups: dict[int, int]
    labels: dict[int, str]


def packed(annotation: Annotation, form: Form, groups: dict[int, int], labels: dict[int, str], task: int) -> str | None:
    """Return the part of a guide that holds a document; None if it would be too long.

    Raises
    ------
    AnnotationFileError
        If this computer has no room to put it together.
    """
    with _scratch() as path:
        write(annotation, path)
        document = base64.b64encode(path.read_bytes()).decode()
    data = _Carried(form=form, groups=groups, labels=labels, document=document).model_dump_json()
    if len(data) > MAX_BYTES:
        return None
    return (
        f"<!-- sam2v-document task={task} -->\n"
        f"Task {task} holds {len(groups)} objects that were sent by sam2v, one group each. Change them as you like.\n\n"
        f"<!-- sam2v-data {data} -->\n<!-- end of sam2v-document task={task} -->\n"
    )


def store_document(place: TaskOrJob, block: str) -> None:
    """Put a document into the guide of a task, whose own text stays.

    Raises
    ------
    RemoteError
        If the server refuses; only those who may edit the task may do this.
    """
    guide = _guide(place)
    if guide is None:
        owner = {"task_id": place.task.id} if place.task.project_id is None else {"project_id": place.task.project_id}
        body: dict[str, object] = {**owner, "markdown": block}
        place.server.change("POST", "/api/guides", body, f"making a guide for {place.described}")
        return
    text = _without(guide.markdown, place.task.id).rstrip("\n")
    _change(place, guide, f"{text}\n\n{block}" if text else block)


def remove_document(place: TaskOrJob) -> None:
    """Take the document out of the guide of a task."""
    guide = _guide(place)
    if guide is not None and (text := _without(guide.markdown, place.task.id)) != guide.markdown:
        _change(place, guide, text)


def sent_document(place: TaskOrJob) -> Sent | None:
    """Read the document that was sent to a task; None if there is none.

    Raises
    ------
    AnnotationFileError
        If it is damaged.
    """
    guide = _guide(place)
    found = re.search(_BLOCK.format(task=place.task.id), guide.markdown) if guide is not None else None
    if found is None or len(found["data"]) > MAX_BYTES:
        return None
    where = f"the document in the guide of {place.described}"
    try:
        carried = _Carried.model_validate_json(found["data"])
        data = base64.b64decode(carried.document, validate=True)
    except (ValidationError, binascii.Error, ValueError):
        raise AnnotationFileError(f"{where} is damaged; remove it from the guide to fetch the shapes alone") from None
    with _scratch() as path:
        path.write_bytes(data)
        try:
            annotation = load(path)
        except AnnotationFileError as error:
            raise AnnotationFileError(f"{where} is damaged ({error}); remove it from the guide") from error
    return Sent(annotation, carried.form, carried.groups, carried.labels)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give the path of a document for a block."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "document.sam2v"
    except OSError as error:
        raise AnnotationFileError(
            f"a document cannot be put into the temporary folder ({error.strerror or error}): make room there, or set "
            "the environment variable TMPDIR to another"
        ) from error


def _guide(place: TaskOrJob) -> Guide | None:
    task = read(TaskInfo, place.server.get(f"/api/tasks/{place.task.id}", f"reading {place.described}"))
    if task.guide_id is None:
        return None
    return read(Guide, place.server.get(f"/api/guides/{task.guide_id}", f"reading the guide of {place.described}"))


def _change(place: TaskOrJob, guide: Guide, text: str) -> None:
    doing = f"changing the guide of {place.described}"
    place.server.change("PATCH", f"/api/guides/{guide.id}", {"markdown": text}, doing)


def _without(markdown: str, task: int) -> str:
    return re.sub(_BLOCK.format(task=task), "\n", markdown)
