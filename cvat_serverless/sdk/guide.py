"""A document in the annotation guide of a task, as a comment: CVAT keeps it and does not show it.

It holds all that CVAT's shapes have no place for.
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from cvat_serverless.sdk.output_type import OutputType
from cvat_serverless.sdk.schemas import AnnotationGuide, TaskInfo, parse
from src_model.document import load, write
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.document import Annotation

MAX_BYTES = 16 * 2**20
"""Longest document that is written into a guide, or read: CVAT sends the guide to every annotator's page."""

_BLOCK = (
    r"\n*<!-- sam2v-document task={task} -->\n[^\n]*\n\n<!-- sam2v-data (?P<data>[^>]*) -->"
    r"\n*<!-- end of sam2v-document task={task} -->\n*"
)


class _GuideData(BaseModel):
    """What the comment in the guide holds, as JSON; the document is the bytes of its file in base64."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    version: Literal[1] = 1
    # Guides of before wrote the other name.
    output: Annotated[OutputType, Field(validation_alias=AliasChoices("output", "form"))]
    groups: dict[int, int]
    labels: dict[int, str] = {}
    document: str


@dataclass(frozen=True, slots=True)
class GuideDocument:
    """A document that was sent.

    Attributes
    ----------
    annotation
        The document as it was then.
    output
        What its objects became in CVAT.
    groups
        Numbers of CVAT's groups by object id.
    labels
        Names of CVAT's labels by object id; that of its class if an object is missing.
    """

    annotation: Annotation
    output: OutputType
    groups: dict[int, int]
    labels: dict[int, str]


def guide_block(sent: GuideDocument, task_id: int) -> str | None:
    """Return the part of a guide that holds a document; None if it would be too long.

    Raises
    ------
    AnnotationFileError
        If this computer has no room to put it together.
    """
    with _temporary_path() as path:
        write(sent.annotation, path)
        document = base64.b64encode(path.read_bytes()).decode()
    data = _GuideData(output=sent.output, groups=sent.groups, labels=sent.labels, document=document).model_dump_json()
    if len(data) > MAX_BYTES:
        return None
    return (
        f"<!-- sam2v-document task={task_id} -->\n"
        f"Task {task_id} holds {len(sent.groups)} objects that were sent by sam2v, one group each. Change them as you "
        f"like.\n\n<!-- sam2v-data {data} -->\n<!-- end of sam2v-document task={task_id} -->\n"
    )


def write_document(task: TaskOrJob, block: str) -> None:
    """Put a document into the guide of a task, whose own text stays.

    Raises
    ------
    RemoteError
        If the server refuses; only those who may edit the task may do this.
    """
    guide = _guide(task)
    if guide is None:
        info = task.info
        # CVAT gives the tasks of a project one guide in common.
        owner = {"task_id": info.id} if info.project_id is None else {"project_id": info.project_id}
        body: dict[str, object] = {**owner, "markdown": block}
        task.client.change("POST", "/api/guides", body, f"making a guide for {task.described}")
        return
    text = _without(guide.markdown, task.info.id).rstrip("\n")
    _write_text(task, guide, f"{text}\n\n{block}" if text else block)


def remove_document(task: TaskOrJob) -> None:
    """Take the document out of the guide of a task."""
    guide = _guide(task)
    if guide is not None and (text := _without(guide.markdown, task.info.id)) != guide.markdown:
        _write_text(task, guide, text)


def read_document(task: TaskOrJob) -> GuideDocument | None:
    """Read the document that was sent to a task; None if there is none.

    Raises
    ------
    AnnotationFileError
        If the document in the guide is damaged.
    """
    guide = _guide(task)
    found = re.search(_BLOCK.format(task=task.info.id), guide.markdown) if guide is not None else None
    if found is None or len(found["data"]) > MAX_BYTES:
        return None
    where = f"the document in the guide of {task.described}"
    try:
        given = _GuideData.model_validate_json(found["data"])
        data = base64.b64decode(given.document, validate=True)
    except (ValidationError, binascii.Error, ValueError):
        raise AnnotationFileError(f"{where} is damaged; remove it from the guide to fetch the shapes alone") from None
    with _temporary_path() as path:
        path.write_bytes(data)
        try:
            annotation = load(path)
        except AnnotationFileError as error:
            raise AnnotationFileError(f"{where} is damaged ({error}); remove it from the guide") from error
    return GuideDocument(annotation, given.output, given.groups, given.labels)


@contextmanager
def _temporary_path() -> Iterator[Path]:
    """Give a path for the file of a document, which is removed after the block."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "document.sam2v"
    except OSError as error:
        raise AnnotationFileError(
            f"a document cannot be put into the temporary folder ({error.strerror or error}): make room there, or set "
            "the environment variable TMPDIR to another"
        ) from error


def _guide(task: TaskOrJob) -> AnnotationGuide | None:
    info = parse(TaskInfo, task.client.get(f"/api/tasks/{task.info.id}", f"reading {task.described}"))
    if info.guide_id is None:
        return None
    doing = f"reading the guide of {task.described}"
    return parse(AnnotationGuide, task.client.get(f"/api/guides/{info.guide_id}", doing))


def _write_text(task: TaskOrJob, guide: AnnotationGuide, text: str) -> None:
    doing = f"changing the guide of {task.described}"
    task.client.change("PATCH", f"/api/guides/{guide.id}", {"markdown": text}, doing)


def _without(markdown: str, task_id: int) -> str:
    return re.sub(_BLOCK.format(task=task_id), "\n", markdown)
