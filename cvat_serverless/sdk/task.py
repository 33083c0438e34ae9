"""A task, or one job of it: its frames, labels and annotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.fingerprints import text_hash
from cvat_serverless.sdk.overlaps import merge_jobs
from cvat_serverless.sdk.schemas import KINDS, Annotations, DataMeta, JobInfo, Label, Page, TaskInfo, parse
from src_model.errors import FrameRangeError, MovieError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cvat_serverless.sdk.client import CvatClient
    from cvat_serverless.sdk.schemas import ItemKey, RawItem


@dataclass(frozen=True, slots=True)
class TaskOrJob:
    """What annotations are read from and written to: a whole task, or one of its jobs.

    Attributes
    ----------
    client
        The server, logged in to.
    info
        Name and numbers of the task.
    data
        Sizes of its images, and which frames are deleted.
    labels
        Labels of the task by id.
    jobs
        Annotation jobs of the task, without those for quality control.
    job
        The job that is worked on; None: the whole task.
    """

    client: CvatClient
    info: TaskInfo
    data: DataMeta
    labels: Mapping[int, Label]
    jobs: tuple[JobInfo, ...]
    job: JobInfo | None = None

    @property
    def described(self) -> str:
        """What a person calls it."""
        return f"task {self.info.id}" if self.job is None else f"job {self.job.id} of task {self.info.id}"

    @property
    def slug(self) -> str:
        """A name for files and folders about it."""
        host = "".join(letter if letter.isalnum() else "-" for letter in self.client.host)
        return f"{host}-task-{self.info.id}" + ("" if self.job is None else f"-job-{self.job.id}")

    @property
    def images_slug(self) -> str:
        """A name for files of its images, which changes when they do."""
        return f"{self.slug}-{text_hash(self.data.chunks_updated_date or '')}"

    @property
    def span(self) -> range:
        """Its frames, as CVAT counts them."""
        return range(self.data.size) if self.job is None else range(self.job.start_frame, self.job.stop_frame + 1)

    def kept_frames(self, start: int | None = None, stop: int | None = None) -> tuple[int, ...]:
        """Return the frames from ``start`` up to ``stop`` (excluded) that are not deleted.

        Raises
        ------
        FrameRangeError
            If they are not all in the task or job, or none is left.
        """
        first = self.span.start if start is None else start
        end = self.span.stop if stop is None else stop
        if not (self.span.start <= first < end <= self.span.stop):
            raise FrameRangeError(
                f"--frames {first}:{end} is not within {self.described}, which has the frames {self.span.start} to "
                f"{self.span.stop - 1} (STOP is excluded)"
            )
        deleted = set(self.data.deleted_frames)
        frames = tuple(frame for frame in range(first, end) if frame not in deleted)
        if not frames:
            raise FrameRangeError(f"all frames of --frames {first}:{end} are deleted in {self.described}")
        return frames

    def frame_shape(self, frames: tuple[int, ...]) -> tuple[int, int]:
        """Return ``(Y, X)`` of frames, which must be the same for all.

        Raises
        ------
        MovieError
            If the task has no images yet, or frames of several sizes.
        """
        sizes = self.data.frames
        if not sizes:
            raise MovieError(f"{self.described} has no images yet; wait until CVAT has made the task")
        of_first = sizes[frames[0]] if len(sizes) > 1 else sizes[0]
        for frame in frames if len(sizes) > 1 else ():
            if frame < len(sizes) and sizes[frame] != of_first:
                raise MovieError(
                    f"frame {frame} has {sizes[frame].width} x {sizes[frame].height} pixels, but frame {frames[0]} "
                    f"{of_first.width} x {of_first.height}: only images of one size can be tracked; choose a part with "
                    "--frames"
                )
        return of_first.height, of_first.width

    @property
    def has_several_jobs(self) -> bool:
        """Whether several jobs hold its annotations, each with those of its own frames."""
        return self.job is None and len(self.jobs) > 1

    @property
    def spans(self) -> tuple[range, ...]:
        """The frames of each job that annotations are written to."""
        jobs = (self.job,) if self.job is not None else self.jobs
        return tuple(range(job.start_frame, job.stop_frame + 1) for job in jobs)

    def annotations(self, is_as_written: Callable[[RawItem], bool] = lambda raw: False) -> Annotations:
        """Read all shapes and tracks, each once.

        Parameters
        ----------
        is_as_written
            Tells of a shape or keyframe whether it is as it was written. Where jobs hold different copies of one item,
            those that are not count.
        """
        by_job = self._annotations_by_job()
        return merge_jobs(by_job, is_as_written) if self.has_several_jobs else by_job[0][1]

    def all_copies(self) -> Annotations:
        """Read all shapes and tracks as the jobs hold them, each copy with an id of its own."""
        held = [annotations for _, annotations in self._annotations_by_job()]
        return Annotations(
            shapes=tuple(raw for each in held for raw in each.shapes),
            tracks=tuple(raw for each in held for raw in each.tracks),
        )

    def _annotations_by_job(self) -> tuple[tuple[range, Annotations], ...]:
        """Read all shapes and tracks as each job holds them, with its frames; by ascending first frame.

        CVAT's answer for a whole task is of no use where there are several jobs: it names what lies in two of them once
        or twice, depending on its type, and ends tracks where a job does.
        """
        if not self.has_several_jobs:
            answer = self.client.get(f"{self._path}/annotations/", f"reading the annotations of {self.described}")
            return ((self.span, parse(Annotations, answer)),)
        jobs = sorted(self.jobs, key=lambda job: (job.start_frame, job.id))
        return tuple(part for job in jobs for part in replace(self, job=job)._annotations_by_job())

    def check_writable(self) -> None:
        """Raise RemoteError if the server does not let this user write annotations; changes nothing."""
        self._patch(
            "create", [], [], f"writing annotations of {self.described}, which was tried before any work was done"
        )

    def write(self, action: str, shapes: Sequence[RawItem], tracks: Sequence[RawItem]) -> Annotations:
        """Change annotations by one request, all or nothing.

        Parameters
        ----------
        action
            ``create``, ``update`` (those with an id are replaced, the others made) or ``delete``.
        shapes, tracks
            The items as CVAT takes them.

        Returns
        -------
        Annotations
            What was written, with ids.

        Raises
        ------
        ConnectionBroken
            If no answer came, so that it may or may not have happened.
        RemoteError
            If the server refuses.
        """
        answer = self._patch(action, shapes, tracks, f"writing annotations of {self.described}")
        return parse(Annotations, answer or {})

    def delete(self, items: Mapping[ItemKey, RawItem]) -> None:
        """Remove shapes and tracks by one request; errors as :meth:`write`."""
        shapes, tracks = ([raw for (kind, _), raw in items.items() if kind == each] for each in KINDS)
        if items:
            self.write("delete", shapes, tracks)

    def _patch(self, action: str, shapes: Sequence[RawItem], tracks: Sequence[RawItem], doing: str) -> Any:
        body = {"version": 0, "tags": [], "shapes": shapes, "tracks": tracks}
        return self.client.change("PATCH", f"{self._path}/annotations/", body, doing, action=action)

    def frame_file(self, frame: int) -> bytes:
        """Fetch one frame at its original quality, as a file."""
        return self.client.get_bytes(
            f"/api/tasks/{self.info.id}/data/" if self.job is None else f"/api/jobs/{self.job.id}/data",
            f"fetching frame {frame} of {self.described}",
            type="frame",
            number=frame,
            quality="original",
        )

    def label_named(self, name: str, otherwise: str) -> Label:
        """Return the label of a name; RemoteError, which says what to do ``otherwise``, if there is none."""
        for label in self.labels.values():
            if label.name == name:
                return label
        known = ", ".join(repr(label.name) for label in self.labels.values()) or "none"
        raise RemoteError(f"{self.described} has no label {name!r}; it has {known}. Add it in CVAT, or {otherwise}")

    def label_or_only(self, name: str | None, what: str) -> Label:
        """Return the label of a name, or the only one; RemoteError, which begins with ``what``, if there are more."""
        if name is not None:
            return self.label_named(name, "give another --label")
        if len(self.labels) == 1:
            return next(iter(self.labels.values()))
        names = ", ".join(sorted(repr(label.name) for label in self.labels.values())) or "none"
        raise RemoteError(f"{what}, and {self.described} has the labels {names}: choose with --label")

    @property
    def _path(self) -> str:
        return f"/api/tasks/{self.info.id}" if self.job is None else f"/api/jobs/{self.job.id}"


def open_task(client: CvatClient, task_id: int, job_id: int | None = None) -> TaskOrJob:
    """Look up a task, or one job of it.

    Raises
    ------
    RemoteError
        If it is not there or cannot be worked on.
    """
    info = parse(TaskInfo, client.get(f"/api/tasks/{task_id}", f"reading task {task_id}"))
    if info.dimension != "2d":
        raise RemoteError(f"task {task_id} holds 3D point clouds; only images and videos can be tracked")
    data = parse(DataMeta, client.get(f"/api/tasks/{task_id}/data/meta", f"reading the images of task {task_id}"))
    labels = [parse(Label, item) for item in _list(client, "labels", task_id)]
    all_jobs = [parse(JobInfo, item) for item in _list(client, "jobs", task_id)]
    jobs = tuple(job for job in all_jobs if job.type == "annotation")
    job = None
    if job_id is not None:
        job = next((each for each in all_jobs if each.id == job_id), None)
        if job is None:
            known = ", ".join(str(each.id) for each in all_jobs) or "none"
            raise RemoteError(f"task {task_id} has no job {job_id}; its jobs are {known}")
    return TaskOrJob(client, info, data, {label.id: label for label in labels}, jobs, job)


def _list(client: CvatClient, what: str, task_id: int) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    items: list[dict[str, Any]] = []
    number = 1
    while True:
        doing = f"reading the {what} of task {task_id}"
        page = parse(Page, client.get(f"/api/{what}", doing, task_id=task_id, page=number, page_size=100))
        items.extend(page.results)
        if not page.next:
            return items
        number += 1
